"""What is known of every model that roomtone can run, before any of it is loaded.

Training data is told as the authors disclose it, and no further. Limits are those that were seen
here, or that follow from how a model works. Measured numbers stand in docs/BENCHMARKS.md; a model
names its rows there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from models.card import ModelCard
from models.known_weights import KNOWN, KnownWeights


class Disclosure(IntEnum):
    """How far the authors disclose what a model was trained on."""

    NONE = 0
    DESCRIBED = 1
    NAMED = 2

    @property
    def words(self) -> str:
        """For people."""
        return ("not disclosed", "described, but not by name", "data sets named")[self]


@dataclass(frozen=True)
class Described:
    """A model as `roomtone models show` tells of it.

    name: as it is asked for. title, version: on its card; the version is empty where it is that of
    an installed library. does: what for, a clause. licence: SPDX, empty where it is not known.
    limits: what it can't do, a sentence each. measured: section of the benchmarks, and the first
    cell of its rows there.
    """

    name: str
    title: str
    does: str
    version: str
    licence: str
    trained_on: str
    disclosure: Disclosure
    source: str
    limits: tuple[str, ...] = ()
    measured: tuple[tuple[str, str], ...] = ()

    def card(
        self, runtime: str, weights_sha256: str, version: str = "", *, stand_in: bool = False
    ) -> ModelCard:
        """The card of this model as it runs. version: where it is a library's."""
        return ModelCard(
            name=self.title,
            version=version or self.version,
            runtime=runtime,
            weights_sha256=weights_sha256,
            licence=self.licence or "not known",
            trained_on=self.trained_on,
            source=self.source,
            stand_in=stand_in,
        )


_MUTES = (
    "Takes some air and sibilants with the noise; the gates measure how much.",
    "Leaves the room as it is: late reverberation is not noise to it.",
)
_BUILT_IN = (
    Described(
        name="rnnoise",
        title="RNNoise",
        does="takes noise from speech; stands in for DeepFilterNet3",
        version="0.2",
        licence="BSD-3-Clause",
        trained_on="the public speech and noise collections listed in its datasets.txt",
        disclosure=Disclosure.NAMED,
        source="https://gitlab.xiph.org/xiph/rnnoise",
        limits=(*_MUTES, "Works in frames of 10 ms at 48 kHz and has 22 bands: coarse at the top."),
        measured=(("Denoising", "RNNoise"),),
    ),
    Described(
        name="nara-wpe",
        title="NARA-WPE",
        does="turns a room down",
        version="",
        licence="MIT",
        trained_on="nothing: the filter is found in the take itself",
        disclosure=Disclosure.NAMED,
        source="https://github.com/fgnt/nara_wpe",
        limits=("Takes late reverberation only; early reflections and slaps stay.",),
    ),
    Described(
        name="silero-vad",
        title="Silero VAD",
        does="finds where somebody speaks",
        version="6",
        licence="MIT",
        trained_on="speech of many languages, in corpora that its authors do not name",
        disclosure=Disclosure.DESCRIBED,
        source="https://github.com/snakers4/silero-vad",
        limits=(
            "Hears nothing below about -70 dBFS; quiet recordings are lifted for it.",
            "Music is sometimes speech to it.",
        ),
    ),
    Described(
        name="pocketsphinx",
        title="pocketsphinx en-us",
        does="writes down drafts where no Whisper model is there",
        version="",
        licence="BSD-2-Clause",
        trained_on="not disclosed by its authors for the model in the wheel",
        disclosure=Disclosure.NONE,
        source="https://github.com/cmusphinx/pocketsphinx",
        limits=(
            "English only.",
            "About every third word is wrong on clean speech, every second on a set.",
        ),
        measured=(("Speech: words", "PocketSphinx en-us"),),
    ),
    Described(
        name="resemblyzer",
        title="resemblyzer voice encoder",
        does="tells voices apart, by windows of 1.6 s",
        version="0.1.4",
        licence="Apache-2.0",
        trained_on="LibriSpeech-other, VoxCeleb1 and VoxCeleb2",
        disclosure=Disclosure.NAMED,
        source="https://github.com/resemble-ai/Resemblyzer",
        limits=(
            "Trained on adults, most of whom speak English.",
            "Voices that overlap on one microphone are one voice to it.",
        ),
        measured=(("Speech: speakers", "boom"), ("Speech: speakers", "meeting")),
    ),
    Described(
        name="speaker-diarization-community-1",
        title="speaker-diarization-community-1",
        does="tells voices apart, also where they overlap",
        version="",
        licence="CC-BY-4.0",
        trained_on="not told in the folder that it comes in; see its authors' page",
        disclosure=Disclosure.NONE,
        source="https://huggingface.co/pyannote/speaker-diarization-community-1",
        limits=("Its trained weights were never at hand here: nothing of it was measured.",),
    ),
)
_OTHER_NAMES = {"community-1": "speaker-diarization-community-1"}
_WHISPER_LIMITS = (
    "Writes words that nobody said over silence, noise and music; roomtone drops what its own "
    "figures give away.",
    "Languages of which it heard little are written down badly.",
    "Its trained weights were never at hand here: nothing of it was measured.",
)


def described(name: str) -> Described:
    """What is known of a model, by the name of its weights or of what is built in.

    Of weights that a person imported under another name nothing is claimed.
    """
    found = DESCRIBED.get(_OTHER_NAMES.get(name, name))
    if found is not None:
        return found
    return Described(
        name=name,
        title=name,
        does="brought in by hand",
        version="",
        licence="",
        trained_on="not known: weights of the user's own",
        disclosure=Disclosure.NONE,
        source="imported by the user",
    )


def _known(weights: KnownWeights) -> Described:
    whisper = weights.kind == "whisper"
    deep = ("Denoising", "DeepFilterNet3"), ("Denoising", "recipe standard")
    return Described(
        name=weights.name,
        title=weights.name if whisper else "DeepFilterNet3",
        does="writes down what is said" if whisper else "takes noise from speech",
        version=weights.version,
        licence=weights.licence,
        trained_on=weights.trained_on,
        disclosure=Disclosure.DESCRIBED if whisper else Disclosure.NAMED,
        source=weights.source,
        limits=_WHISPER_LIMITS
        if whisper
        else (
            *_MUTES,
            "Mutes speech with peaks under about -46 dBFS unless it is lifted first, as roomtone "
            "does.",
        ),
        measured=() if whisper else deep,
    )


DESCRIBED: Mapping[str, Described] = MappingProxyType(
    {item.name: item for item in (*map(_known, KNOWN.values()), *_BUILT_IN)}
)
"""Every model that is known by name."""
