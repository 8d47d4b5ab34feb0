"""Listening copies: a microphone before and after cleaning, side by side, made once.

A copy has two channels: left the original, right the cleaned sound with the gain that makes its
speech as loud. A player goes from one to the other by two gains, so the position is kept whatever
is heard, and what was removed is the difference: the original times the gain, less the right
channel. That needs a copy without loss (FLAC): a lossy one would add its own noise to what was
removed. A whole take is written in blocks; a short stretch by pydub, with fades at its ends.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from adapters.media.decode import Sound, sound_file
from adapters.media.listening import write_excerpt, write_flac
from adapters.media.whole import whole_file, write_text
from core.errors import UsageError
from core.media import MediaFile
from core.plan import digest
from flows.ab_sounds import matched
from flows.cleaned import Cleaned, cleaned_keyed, cleaned_last
from flows.hearing import Read
from flows.workspace import Workspace

VERSION = "1"
LONGEST_EXCERPT_S = 120
_BLOCK = 1 << 16
_FADE_MS = 8
_CEILING = 1.0 - 2.0**-23
_PEAKS_A_SECOND = 100
# Finding the level takes about as long as writing.
_MATCHING = 0.5


@dataclass(frozen=True)
class Match:
    """How a take's cleaned sound is made as loud as the original.

    gain_db: on the cleaned sound. scale: on both, so that neither passes full scale.
    note: what is to be said of it.
    """

    gain_db: float
    scale: float
    note: str

    @property
    def gain(self) -> float:
        """The gain as a factor."""
        return float(10 ** (self.gain_db / 20))


@dataclass(frozen=True)
class Copy:
    """A listening copy. match: None where the take is not cleaned; it has one channel then.

    start, end: samples of the take. cleaned: what the right channel plays.
    """

    path: Path
    start: int
    end: int
    match: Match | None
    cleaned: Cleaned | None

    @property
    def channels(self) -> int:
        """How many it has."""
        return 1 if self.match is None else 2

    @property
    def gain_db(self) -> float:
        """That the cleaned sound has; 0 where there is none."""
        return 0.0 if self.match is None else self.match.gain_db


Told = Callable[[float], None]
"""Hears how much of the work is done, 0 to 1."""

_MATCH = TypeAdapter(Match)
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def whole_copy(
    work: Workspace, media: MediaFile, channel: int, told: Told = lambda _: None
) -> Copy:
    """The listening copy of a channel of a take, at its own sample rate, and its peaks beside it.

    told: hears how much of it is made, 0 to 1, where it is not there yet. Raises InputError where
    the media can't be read, OutputError where the cache can't be written.
    """
    cleaned = cleaned_last(work, media, (channel,))
    name = _name(media, channel, cleaned)
    path = work.cache / f"{name}.flac"
    with _locks[name]:
        match = _match(work, media, channel, cleaned, name, lambda done: told(_MATCHING * done))
        if not (path.is_file() and _peaks_path(path).is_file()):
            with _both(work, media, channel, cleaned) as reads:
                _write_whole(
                    path, reads, media, match, lambda done: told(_MATCHING + (1 - _MATCHING) * done)
                )
    return Copy(path, 0, media.frames, match, cleaned)


def copy_name(work: Workspace, media: MediaFile, channel: int) -> str:
    """What names the listening copy of a channel, as it was cleaned last."""
    return _name(media, channel, cleaned_last(work, media, (channel,)))


def copy_there(work: Workspace, media: MediaFile, channel: int) -> Copy | None:
    """The listening copy of a channel, where it was made before."""
    cleaned = cleaned_last(work, media, (channel,))
    name = _name(media, channel, cleaned)
    path = work.cache / f"{name}.flac"
    match = _kept_match(work, name)
    if not (path.is_file() and _peaks_path(path).is_file()):
        return None
    if cleaned is not None and match is None:
        return None
    return Copy(path, 0, media.frames, match if cleaned is not None else None, cleaned)


def excerpt(
    work: Workspace, media: MediaFile, channel: int, start: int, end: int, key: str = ""
) -> Copy:
    """The listening copy of samples start … end of a channel, with short fades at its ends.

    key: of the cleaned sound that is heard; empty for the latest. Raises UsageError for a stretch
    that the take does not have or that is too long, InputError for a key that the store does not
    have, else as `whole_copy`.
    """
    if not 0 <= start < end <= media.frames:
        raise UsageError(f"{media.path.name} has no samples {start} to {end}.")
    if end - start > LONGEST_EXCERPT_S * media.sample_rate:
        raise UsageError(f"An excerpt is {LONGEST_EXCERPT_S} seconds at the most; open the take.")
    cleaned = (
        cleaned_keyed(work, media, channel, key) if key else cleaned_last(work, media, (channel,))
    )
    name = _name(media, channel, cleaned)
    path = work.cache / f"{name}-{start}-{end}.flac"
    with _locks[name]:
        match = _match(work, media, channel, cleaned, name)
        if not path.is_file():
            with _both(work, media, channel, cleaned) as reads:
                sound = _block(reads, start, end - start, match)
            write_excerpt(path, sound, media.sample_rate, _FADE_MS)
    return Copy(path, start, end, match, cleaned)


def peaks(copy: Copy, most: int) -> NDArray[np.int8]:
    """Lowest and highest values of a whole copy, in steps of 1/127: shape (kinds, n, 2).

    Kinds: as in `flows.ab_sounds.KINDS`, or the original alone. n: `most` at the most.
    """
    every = np.load(_peaks_path(copy.path), allow_pickle=False)
    step = max(1, -(-every.shape[1] // most))
    padded = np.pad(every, ((0, 0), (0, -every.shape[1] % step), (0, 0)), mode="edge")
    parts = padded.reshape(every.shape[0], -1, step, 2)
    found = np.stack([parts[..., 0].min(axis=2), parts[..., 1].max(axis=2)], axis=-1)
    return np.asarray(found, np.int8)


def reader(
    work: Workspace, media: MediaFile, channel: int, kind: str, stack: ExitStack
) -> Read | None:
    """Reads the raw, cleaned or removed sound of a channel, in the levels of its listening copy.

    None where the take is not cleaned. The files stay open until the stack is closed.
    """
    if kind == "raw":
        return stack.enter_context(_both(work, media, channel, None))[0]
    cleaned = cleaned_last(work, media, (channel,))
    if cleaned is None:
        return None
    match = _match(work, media, channel, cleaned, _name(media, channel, cleaned))
    assert match is not None
    raw, clean = stack.enter_context(_both(work, media, channel, cleaned))
    gain = match.gain
    if kind == "cleaned":
        return lambda start, frames: gain * clean(start, frames)
    return lambda start, frames: gain * (raw(start, frames) - clean(start, frames))


def _name(media: MediaFile, channel: int, cleaned: Cleaned | None) -> str:
    parts = {
        "essence": media.essence,
        "channel": channel,
        "cleaned": "" if cleaned is None else cleaned.key,
        "version": VERSION,
    }
    return digest(parts)[:32]


def _peaks_path(path: Path) -> Path:
    return path.with_suffix(".peaks.npy")


@contextmanager
def _both(
    work: Workspace, media: MediaFile, channel: int, cleaned: Cleaned | None
) -> Iterator[tuple[Read, ...]]:
    """Reads the channel before cleaning and, where it was cleaned, after."""
    with ExitStack() as stack:
        raw = stack.enter_context(Sound(sound_file(media, work.cache)))
        reads: list[Read] = [lambda start, frames: raw.read(start, frames, [channel])[:, 0]]
        if cleaned is not None:
            clean = stack.enter_context(Sound(cleaned.sound))
            place = cleaned.channels.index(channel)
            reads.append(lambda start, frames: clean.read(start, frames, [place])[:, 0])
        yield tuple(reads)


def _kept_match(work: Workspace, name: str) -> Match | None:
    """How loud the cleaned sound is made, where that was found before."""
    try:
        return _MATCH.validate_json(_match_path(work, name).read_bytes())
    except (OSError, ValidationError):
        return None


def _match_path(work: Workspace, name: str) -> Path:
    return work.cache / f"{name}-match.json"


def _match(
    work: Workspace,
    media: MediaFile,
    channel: int,
    cleaned: Cleaned | None,
    name: str,
    told: Told = lambda _: None,
) -> Match | None:
    """How loud the cleaned sound is made, found once a take; None where there is none."""
    if cleaned is None:
        return None
    kept = _kept_match(work, name)
    if kept is not None:
        return kept
    with _both(work, media, channel, cleaned) as (raw, clean):
        gain_db, note = matched(work, media, channel, (0, media.frames), raw, clean)
        gain, peak = 10 ** (gain_db / 20), 0.0
        for start in range(0, media.frames, _BLOCK):
            frames = min(_BLOCK, media.frames - start)
            peak = max(
                peak,
                float(np.max(np.abs(raw(start, frames)), initial=0.0)),
                gain * float(np.max(np.abs(clean(start, frames)), initial=0.0)),
            )
            told((start + frames) / media.frames)
    match = Match(gain_db, min(1.0, _CEILING / peak) if peak else 1.0, note)
    write_text(_match_path(work, name), json.dumps(asdict(match)))
    return match


def _block(
    reads: tuple[Read, ...], start: int, frames: int, match: Match | None
) -> NDArray[np.float64]:
    """Samples of a copy, shape (frames, 1 or 2)."""
    if match is None:
        return np.clip(reads[0](start, frames), -1.0, _CEILING)[:, None]
    both = np.stack([reads[0](start, frames), match.gain * reads[1](start, frames)], axis=1)
    return np.clip(match.scale * both, -1.0, _CEILING)


def _write_whole(
    path: Path, reads: tuple[Read, ...], media: MediaFile, match: Match | None, told: Told
) -> None:
    """Write a whole copy, and its peaks before it, so that a copy always has them."""
    gain = 1.0 if match is None else match.gain
    step = max(1, round(Fraction(media.sample_rate, _PEAKS_A_SECOND)))
    extremes: list[NDArray[np.int8]] = []

    def blocks() -> Iterator[NDArray[np.float64]]:
        size = step * max(1, _BLOCK // step)
        for start in range(0, media.frames, size):
            block = _block(reads, start, min(size, media.frames - start), match)
            extremes.append(_extremes(block, step, gain))
            told((start + len(block)) / media.frames)
            yield block

    def keep_peaks(temporary: Path) -> None:
        del temporary
        with whole_file(_peaks_path(path)) as part, part.open("wb") as out:
            np.save(out, np.concatenate(extremes, axis=1))

    write_flac(path, blocks(), media.sample_rate, len(reads), media.frames, keep_peaks)


def _extremes(block: NDArray[np.float64], step: int, gain: float) -> NDArray[np.int8]:
    """Lowest and highest value of each step of a block: shape (kinds, n, 2)."""
    if block.shape[1] == 2:
        block = np.concatenate([block, (gain * block[:, :1] - block[:, 1:])], axis=1)
    padded = np.pad(block, ((0, -len(block) % step), (0, 0)), mode="edge")
    parts = padded.reshape(-1, step, block.shape[1])
    both = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=-1).transpose(1, 0, 2)
    return np.asarray(np.rint(np.clip(both, -1, 1) * 127), np.int8)
