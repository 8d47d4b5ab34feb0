"""What the pipeline makes of speech against the bare recogniser: word errors, times, and cost."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from adapters.media.decode import Sound, sound_file
from adapters.media.probe import probe
from bench.scratch import scratch_folder, weights_root, workspace
from bench.table import Table, figures, ratio, where
from bench.wer import nearest_sentence, word_errors, words_of
from config.recipes import load_recipe
from core.errors import UsageError
from core.media import MediaFile
from core.plan import Take
from core.speech import Turn, Word
from flows.channels import listening_channel
from flows.engines import choose_denoiser
from flows.hearing import at_16k
from flows.listen import Heard, listen_take
from flows.takes import clean_take
from flows.transcribe import CleanedSound, choose_recogniser, cleaned_sound
from flows.turnover import hash_media
from flows.workspace import Workspace
from models.speech.draft import PocketSphinx
from models.speech.draft_controls import DraftControls
from models.speech.engines import EngineChoice, load
from models.speech.protocol import Recogniser, TranscribeOptions

SETS = ("transcribed", "clean48", "harbour")
EVERYTHING = TranscribeOptions(
    no_speech=1.0,
    min_log_probability=-math.inf,
    max_compression=math.inf,
    silence_s=0,
    outside_ms=1 << 30,
)
"""No control on: what the bare engine writes down is taken as it is."""


@dataclass(frozen=True)
class Spoken:
    """A file and what is said in it. turns: with their texts, where the truth has times."""

    set: str
    path: Path
    turns: tuple[tuple[Turn, str], ...] = ()


@dataclass(frozen=True)
class Tried:
    """What came of a file. errors: of the words in each way. edges_s: how far the outer words of
    turns lie from the turns' ends. cpu: seconds. second: errors with the cleaned sound, or None.
    """

    spoken: Spoken
    words: int
    bare: int
    piped: int
    second: int | None
    edges_s: tuple[float, ...]
    bare_cpu: float
    piped_cpu: float
    seconds: float


def bench_words(shared: Path, weights: Path | None, sets: Sequence[str] = SETS) -> Table:
    """The table of words.

    shared: the shared data folder. weights: as in `weights_root`; the best Whisper model there
    is used, else PocketSphinx. sets: of files. CPU time counts, of all threads, after all was
    loaded. Raises UsageError for an unknown set.
    """
    if not set(sets) <= set(SETS):
        raise UsageError(f"Name sets among {', '.join(SETS)} with --sets.")
    import torch

    here = where()
    # Threads that wait for one another spin, and their CPU time would count as work.
    torch.set_num_threads(1)
    with scratch_folder() as scratch:
        root = weights_root(scratch, weights)
        with workspace(scratch / "home", root) as work:
            choice = choose_recogniser(work)
            engine = _bare_engine(choice)
            files = [item for item in _files(shared) if item.set in sets]
            _try(work, choice, engine, files[0], _sentences(shared))
        with workspace(scratch / "second-home", root) as work:
            tried = [
                found
                for item in files
                if (found := _try(work, choice, engine, item, _sentences(shared))) is not None
            ]
    rows = [_row(choice.label, [item], item.spoken.path.stem) for item in tried]
    for name in dict.fromkeys(item.spoken.set for item in tried):
        rows.append(_row(choice.label, [x for x in tried if x.spoken.set == name], f"all {name}"))
    return Table(
        title="Words: the pipeline against the bare recogniser",
        columns=(
            "engine",
            "file",
            "words",
            "WER bare",
            "WER pipeline",
            "WER with cleaned",
            "edges ms",
            "CPU pipeline/bare",
            "CPU s/s",
        ),
        rows=tuple(rows),
        notes=(
            "bare: the engine on the whole file, nothing dropped (PocketSphinx at a usual level).",
            "pipeline: decoding, resampling, voice activity, speakers, recogniser, lines, "
            "database; torch in one thread. With cleaned: and the cleaned sound where the original "
            "left nothing.",
            "edges: median distance of a turn's first and last word, where right, from its ends.",
            here,
        ),
    )


def _row(engine: str, items: Sequence[Tried], name: str) -> tuple[str, ...]:
    words = sum(item.words for item in items)
    second = [item.second for item in items if item.second is not None]
    edges = [edge for item in items for edge in item.edges_s]
    piped = sum(item.piped_cpu for item in items)
    return (
        engine,
        name,
        str(words),
        ratio(sum(item.bare for item in items), words),
        ratio(sum(item.piped for item in items), words),
        ratio(sum(second), words) if len(second) == len(items) else "-",
        figures(1_000 * median(edges)) if edges else "-",
        ratio(piped, sum(item.bare_cpu for item in items)),
        ratio(piped, sum(item.seconds for item in items)),
    )


def _files(shared: Path) -> Iterator[Spoken]:
    """Files whose words are known."""
    for folder in SETS[:2]:
        for path in sorted((shared / "speech" / folder).iterdir()):
            yield Spoken(folder, path)
    harbour = shared / "production" / "harbour"
    for name, take in json.loads((harbour / "truth" / "takes.json").read_text())["takes"].items():
        turns = tuple(
            (Turn(turn["speaker"], turn["start"], turn["end"]), turn["text"])
            for turn in take["turns"]
        )
        yield Spoken(SETS[2], harbour / "sound" / f"{name}.wav", turns)


def _sentences(shared: Path) -> tuple[str, ...]:
    """All that is said in the shared data, as far as it is written there."""
    harbour = shared / "production" / "harbour" / "truth" / "takes.json"
    takes = json.loads(harbour.read_text())["takes"].values()
    said = dict.fromkeys(turn["text"] for take in takes for turn in take["turns"])
    jfk = (
        "And so my fellow Americans ask not what your country can do for you "
        "ask what you can do for your country"
    )
    return (*said, jfk)


def _bare_engine(choice: EngineChoice) -> Recogniser:
    if choice.kind == "pocketsphinx":
        return PocketSphinx(controls=DraftControls(-math.inf, 0.0, 0.0))
    return load(choice)


def _try(
    work: Workspace,
    choice: EngineChoice,
    engine: Recogniser,
    item: Spoken,
    sentences: Sequence[str],
) -> Tried | None:
    """What comes of a file, or None where nobody knows what is said in it."""
    media = hash_media(work, probe(item.path))
    sound = _heard_channel(work, media)
    started = time.process_time()
    bare = engine.transcribe(sound, ((0, len(sound)),), replace(EVERYTHING, language="en"))
    bare_cpu = time.process_time() - started
    started = time.process_time()
    heard = listen_take(work, media, choice, None)
    piped_cpu = time.process_time() - started
    raw = words_of(" ".join(word.text for word in bare.words))
    turns = sorted(item.turns, key=lambda turn: turn[0].start)
    said = " ".join(text for _, text in turns) or nearest_sentence(raw, sentences)
    if not said:
        return None
    reference = words_of(said)
    cleaned = _cleaned(work, media) if item.turns else None
    second = listen_take(work, media, choice, cleaned) if cleaned else None
    return Tried(
        item,
        len(reference),
        word_errors(reference, raw),
        word_errors(reference, _words(heard)),
        None if second is None else word_errors(reference, _words(second)),
        tuple(_edges(heard, turns, media.sample_rate)),
        bare_cpu,
        piped_cpu,
        media.frames / media.sample_rate,
    )


def _heard_channel(work: Workspace, media: MediaFile) -> NDArray[np.float32]:
    channel = listening_channel(media)
    with Sound(sound_file(media, work.cache)) as sound:
        return at_16k(
            lambda start, frames: sound.read(start, frames, [channel])[:, 0],
            media.frames,
            media.sample_rate,
        )


def _cleaned(work: Workspace, media: MediaFile) -> CleanedSound | None:
    """The cleaned sound of the channel that is transcribed."""
    take = Take(media.essence, (listening_channel(media),))
    done = clean_take(work, take, media, load_recipe("standard"), choose_denoiser(work))
    return cleaned_sound(work, media, [done])


def _words(heard: Heard) -> list[str]:
    """The words of all lines in the order in which they were spoken."""
    return words_of(" ".join(word.text for word in _in_order(heard)))


def _in_order(heard: Heard) -> list[Word]:
    words = [word for line in heard.lines for word in line.words]
    return sorted(words, key=lambda word: (word.start, word.end))


def _edges(heard: Heard, turns: Sequence[tuple[Turn, str]], sample_rate: int) -> Iterator[float]:
    """Distances in seconds of the outer words of turns from the turns' ends, where they are right.

    The nearest word of that text counts, within a second.
    """
    for turn, text in turns:
        said = words_of(text)
        for wanted, at, end in ((said[0], turn.start, False), (said[-1], turn.end, True)):
            away = [
                abs((word.end if end else word.start) - at) / sample_rate
                for word in _in_order(heard)
                if words_of(word.text) == [wanted]
            ]
            if away and min(away) <= 1:
                yield min(away)
