"""The listening mix of a delivery: dialogue and what passed through, finished, at its loudness.

For people who listen, not for the mixer: the stems stay as they are. It is the only sound of a
delivery that is finished or limited.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound
from adapters.media.write import WaveWriter
from config.deliveries import DeliverySpec
from config.finishing import Finishing
from core.media import SoundNotes
from core.reels import Layout, laid_out, leader_sound
from core.stems import to_grid
from flows.marks import Stamp, Worked, cleaning_lines, coding_history, ixml_fields
from flows.progress import Progress
from flows.stems import Rendered, Stem
from flows.turnover import Turnover
from models.finishing import Finisher
from models.limiter import Limiter, LimiterOptions
from models.loudness import LoudnessMeter, gain_to

MIX_VERSION = "1"
FILE_NAME = "listening_mix.wav"
CEILING_DBTP = -1.0
"""Where a specification names no ceiling, as `none` does: that of EBU R 128."""

TRIALS = 3
CLOSE_LU = 0.03
CENTRE = math.sqrt(0.5)
STEP = "Listening mix"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ListeningMix:
    """A listening mix that was written.

    gain_db: from the stems' level, before the limiter. loudness: integrated, LUFS, and true_peak,
    dBTP, as delivered, -inf for silence. limited_db: by how much its highest peak was turned
    down, 0 where the limiter had nothing to do. said: a sentence for the report.
    """

    path: Path
    channels: int
    frames: int
    gain_db: float
    loudness: float
    true_peak: float
    limited_db: float
    said: str


def write_listening_mix(
    turnover: Turnover,
    rendered: Rendered,
    spec: DeliverySpec,
    finishing: Finishing,
    folder: Path,
    progress: Progress,
    works: Sequence[Worked] = (),
    takes: Sequence[str] = (),
    stamp: Stamp = Stamp(),
) -> ListeningMix:
    """Write `listening_mix.wav` into a folder: mono, or stereo where any stem is wider; 24 bit.

    It sums the delivered dialogue and room tone, finished, and the tracks that passed through, at
    their level, and has the length and timecode of the stems. One gain brings it to the
    specification (to the dialogue's loudness where that asks for it, else to the whole mix's);
    peaks above the ceiling are limited. works: what was done to the takes in it. takes: their keys.
    stamp: what it is marked with. Leader and pops stay as they are in the stems.
    Raises InputError where a stem can't be read back, OutputError where the mix can't be written.
    """
    layout = laid_out(turnover.cut, rendered.leader, rendered.sample_rate)
    with ExitStack() as stack:
        mixer = _Mixer(rendered, finishing, layout, stack)
        ceiling = CEILING_DBTP if spec.true_peak_dbtp is None else spec.true_peak_dbtp
        progress.step(STEP, mixer.seconds)
        gain_db = _gain(mixer, spec, ceiling, progress)
        progress.step(STEP, mixer.seconds)
        limiter = Limiter(layout.sample_rate, mixer.width, LimiterOptions(ceiling))
        meter = LoudnessMeter(layout.sample_rate, mixer.width)
        path = folder / FILE_NAME
        writer = stack.enter_context(
            WaveWriter(
                path,
                layout.sample_rate,
                mixer.width,
                "PCM_24",
                _notes(turnover, rendered, mixer.width, finishing, works),
                {
                    **ixml_fields(works, stamp, path, takes),
                    "ROLE": "MIX",
                    "CUT": turnover.cut.name,
                    "CUT_SHA256": turnover.digest,
                    "GAIN_DB": f"{gain_db:.6f}",
                },
            )
        )
        _leader(writer, layout, 0, layout.head)
        for block in _limited(mixer, limiter, gain_db, progress):
            meter.add(block)
            writer.write(to_grid(block))
        _leader(writer, layout, layout.head + layout.programme, layout.frames)
    return ListeningMix(
        path=path,
        channels=mixer.width,
        frames=layout.frames,
        gain_db=gain_db,
        loudness=meter.integrated(),
        true_peak=meter.true_peak(),
        limited_db=limiter.deepest_db,
        said=_said(gain_db, meter, limiter, spec),
    )


class _Mixer:
    """Reads the stems of a delivery and sums them, as often as asked."""

    def __init__(
        self, rendered: Rendered, finishing: Finishing, layout: Layout, stack: ExitStack
    ) -> None:
        chosen = mixed_stems(rendered)
        self._parts = [(stem, stack.enter_context(Sound(stem.path))) for stem in chosen]
        self.width = 2 if any(stem.channels > 1 for stem in chosen) else 1
        self.sample_rate = layout.sample_rate
        self.seconds = -(-layout.programme // layout.sample_rate)
        self._layout = layout
        self._finishing = finishing
        self._dialogue_lufs = rendered.loudness + rendered.gain.gain_db

    def blocks(self) -> Iterator[tuple[Floats, Floats]]:
        """The programme from its start: the finished dialogue, and the whole, (n, width) each."""
        rate, total = self.sample_rate, self._layout.programme
        finisher = Finisher(rate, self.width, self._finishing, self._dialogue_lufs)
        waiting = np.zeros((0, self.width))
        for start in range(0, total, rate):
            count = min(rate, total - start)
            voice, through = (np.zeros((count, self.width)) for _ in range(2))
            for stem, sound in self._parts:
                part = sound.read(self._layout.head + start, count, range(stem.channels))
                into = voice if _is_voice(stem) else through
                into += folded(part, self.width)
            done = finisher.add(voice)
            if start + count == total:
                done = np.concatenate([done, finisher.finish()])
            waiting = np.concatenate([waiting, through])
            yield done, done + waiting[: len(done)]
            waiting = waiting[len(done) :]


def mixed_stems(rendered: Rendered) -> tuple[Stem, ...]:
    """The stems that the mix is summed from."""
    return tuple(stem for stem in rendered.stems if _is_voice(stem) or stem.name.role == "THRU")


def _is_voice(stem: Stem) -> bool:
    """Whether a stem is finished: the dialogue of all tracks, and the room tone between it."""
    return stem.name.role == "RT" or (stem.name.role == "DX" and not stem.name.track)


def folded(sound: Floats, width: int) -> Floats:
    """A stem (n, channels) as mono or stereo. width: 1 or 2; mono stays mono.

    One channel goes to the centre of a stereo mix at -3 dB a side. Six channels, L R C LFE Ls Rs,
    fold down by ITU-R BS.775 without the LFE; any other number is no layout but microphones, and
    their mean goes to the centre.
    """
    channels = sound.shape[1]
    if channels == width:
        return sound
    if channels == 6 and width == 2:
        left, right, centre, _, left_surround, right_surround = sound.T
        return np.stack(
            [
                left + CENTRE * (centre + left_surround),
                right + CENTRE * (centre + right_surround),
            ],
            axis=1,
        )
    mean = np.mean(sound, axis=1, keepdims=True)
    return np.repeat(CENTRE * mean, 2, axis=1) if width == 2 else mean


def _gain(mixer: _Mixer, spec: DeliverySpec, ceiling: float, progress: Progress) -> float:
    """The gain in dB that brings the mix to a specification when its peaks are limited.

    Limiting takes a little loudness, so where a peak passes the ceiling the gain is tried and
    mended. A dialogue's loudness is that before the limiter.
    """
    whole = LoudnessMeter(mixer.sample_rate, mixer.width)
    dialogue = LoudnessMeter(mixer.sample_rate, mixer.width)
    for voice, mixed in mixer.blocks():
        dialogue.add(voice)
        whole.add(mixed)
        progress.advance(STEP)
    meter = dialogue if spec.gate == "dialogue" else whole
    target = spec.integrated_lufs
    if target is None or not math.isfinite(meter.integrated()):
        return 0.0
    gain_db = gain_to(meter.integrated, target)
    if spec.gate == "dialogue" or whole.true_peak() + gain_db <= ceiling:
        return gain_db
    for _ in range(TRIALS):
        progress.step(STEP, mixer.seconds)
        trial = LoudnessMeter(mixer.sample_rate, mixer.width)
        limiter = Limiter(mixer.sample_rate, mixer.width, LimiterOptions(ceiling))
        for block in _limited(mixer, limiter, gain_db, progress):
            trial.add(block)
        missing = target - trial.integrated()
        gain_db += missing
        if abs(missing) < CLOSE_LU:
            break
    return gain_db


def _limited(
    mixer: _Mixer, limiter: Limiter, gain_db: float, progress: Progress
) -> Iterator[Floats]:
    gain = 10 ** (gain_db / 20)
    for _, whole in mixer.blocks():
        yield limiter.add(whole * gain)
        progress.advance(STEP)
    yield limiter.finish()


def _leader(writer: WaveWriter, layout: Layout, first: int, last: int) -> None:
    for start in range(first, last, layout.sample_rate):
        sound = leader_sound(layout, start, min(layout.sample_rate, last - start))
        writer.write(to_grid(np.repeat(sound[:, None], writer.channels, axis=1)))


def _said(gain_db: float, meter: LoudnessMeter, limiter: Limiter, spec: DeliverySpec) -> str:
    if not math.isfinite(meter.integrated()):
        return "The listening mix is silent."
    limited = (
        f"its highest peaks were limited by {limiter.deepest_db:.1f} dB"
        if limiter.deepest_db
        else "no peak had to be limited"
    )
    return (
        f"The listening mix is {gain_db:+.1f} dB from the stems, {meter.integrated():.1f} LUFS "
        f"and {meter.true_peak():.1f} dBTP ({spec.name}); {limited}."
    )


def _notes(
    turnover: Turnover,
    rendered: Rendered,
    channels: int,
    finishing: Finishing,
    works: Sequence[Worked],
) -> SoundNotes:
    """What the mix says of itself. No dates: the same mix is the same bytes."""
    tools = ["limiter"] if finishing.is_off else ["finishing", "limiter"]
    names = ("MIX",) if channels == 1 else ("MIX L", "MIX R")
    return SoundNotes(
        project=turnover.cut.name,
        description=f"{turnover.cut.name} listening mix"[:256],
        originator="roomtone",
        originator_reference=turnover.digest[:32],
        coding_history=cleaning_lines(rendered.sample_rate, channels, works)
        + coding_history(rendered.sample_rate, 24, channels, tools, "mix"),
        track_names=tuple(enumerate(names)),
        timecode_rate=turnover.cut.rate,
        time_reference=rendered.start,
    )
