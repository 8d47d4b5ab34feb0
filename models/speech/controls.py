"""What a Whisper model may be believed: controls on the segments it gave for a passage.

Whisper writes text where nobody speaks: it loops, thanks for watching, credits subtitlers, and
puts words where there is no time for them. Each control drops a segment or a word, never
changes one. What was dropped is counted, so that it can be told and tried again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from core.speech import Word
from models.speech.protocol import Span, TranscribeOptions

_RATE = 16_000
_HOPELESS = 0.5
_LOOPS_FROM = 3
_LOOP_SURE = 0.6
_RECITED_SURE = 0.8
_RECITED_SILENT = 0.3
_MOST_LETTERS_A_SECOND = 35
_HURRIED_FROM = 12
_NO_TIME_S = 0.03

_CREDITS = re.compile(
    r"amara org|otter ai|opensubtitles|im auftrag des (zdf|ndr|ard)|auftrag fur funk"
    r"|^(subtitles?|captions?|subtitled|captioned|transcri(bed|ption)|translated) by\b"
    r"|^(sous titres?|sous titrage|untertitel(ung)?|subtitulos|sottotitoli|legendas)\b"
)
_ENDINGS = (
    "thanks for watching",
    "thank you for watching",
    "thank you so much for watching",
    "thank you very much for watching",
    "thanks for listening",
    "thank you for listening",
    "please subscribe",
    "please like and subscribe",
    "like and subscribe",
    "dont forget to subscribe",
    "please subscribe to my channel",
    "subscribe to my channel",
    "see you next time",
    "see you in the next video",
    "ill see you in the next video",
    "merci davoir regarde cette video",
    "vielen dank furs zuschauen",
    "gracias por ver el video",
    "grazie per aver guardato il video",
    "obrigado por assistir",
    "спасибо за просмотр",
    "продолжение следует",
    "ご視聴ありがとうございました",
    "請不吝點贊訂閱",
    "시청해주셔서 감사합니다",
)
"""Endings of videos that the models were trained on."""


@dataclass(frozen=True)
class Heard:
    """A segment as Whisper gives it. words: text (with its spaces), start and end in seconds
    from the passage's first sample, probability.
    """

    words: tuple[tuple[str, float, float, float], ...]
    log_probability: float
    no_speech: float
    compression: float

    @property
    def text(self) -> str:
        """The words without accents, capitals and punctuation, single spaces between them."""
        return _plain("".join(word[0] for word in self.words))

    @property
    def sure(self) -> float:
        """The mean probability of the words; 0 without words."""
        return sum(word[3] for word in self.words) / len(self.words) if self.words else 0.0


@dataclass(frozen=True)
class Believed:
    """What is left of a passage: words in samples, and how many segments and words were dropped."""

    words: tuple[Word, ...]
    segments_dropped: int = 0
    words_dropped: int = 0


def failed(heard: Heard, options: TranscribeOptions) -> bool:
    """Whether the decoder's own figures say that a segment was not understood."""
    floor = options.min_log_probability
    return (
        heard.log_probability < floor - _HOPELESS
        or (heard.no_speech > options.no_speech and heard.log_probability < floor)
        or heard.compression > options.max_compression
    )


def believed(
    segments: Sequence[Heard],
    passage: Span,
    spans: Sequence[Span],
    options: TranscribeOptions,
    not_before: int = 0,
) -> Believed:
    """The words of a passage that can be believed, in samples of the sound, in order.

    segments: of the passage, in order. spans: where somebody speaks in the sound. Words lie in
    a span (cut at its edges, or at the nearest edge where they lie within options.outside_ms)
    and start no earlier than not_before or the word before. A segment is dropped where

    - the decoder's figures say so (`failed`);
    - it credits subtitlers, or recites the end of a video and isn't sure of it;
    - it repeats those before word for word, from the third on, without being sure of it;
    - it holds more letters than anybody speaks in its time, or most of its words have no time.
    """
    loops = _loops(segments)
    words: list[Word] = []
    segments_dropped = words_dropped = 0
    for number, heard in enumerate(segments):
        if not heard.text:
            continue
        if number in loops or _invented(heard, passage, spans, options):
            segments_dropped += 1
            continue
        spoken = _words(heard, passage[0])
        placed = in_speech(spoken, spans, options, words[-1].start if words else not_before)
        words_dropped += len(spoken) - len(placed)
        words += placed
    return Believed(tuple(words), segments_dropped, words_dropped)


def in_speech(
    words: Sequence[Word], spans: Sequence[Span], options: TranscribeOptions, not_before: int = 0
) -> list[Word]:
    """Words cut to the spans in which somebody speaks, none starting before the one before it.

    A word within options.outside_ms of a span is put at its edge; one further away is left out.
    """
    found: list[Word] = []
    for word in words:
        at = _in_speech(word, spans, options.outside_ms * _RATE // 1000)
        if at is not None:
            start = max(at[0], found[-1].start if found else not_before)
            found.append(Word(word.text, start, max(at[1], start), word.confidence))
    return found


def doubtful(
    words: Sequence[Word], spans: Sequence[Span], options: TranscribeOptions
) -> tuple[Span, ...]:
    """The spans of speech in which no word was understood, or only words hardly believed.

    Those are worth a second try in another sound.
    """
    found = []
    for start, end in spans:
        sure = [w.confidence for w in words if w.start < end and w.end > start]
        if not sure or sum(sure) / len(sure) < options.unsure:
            found.append((start, end))
    return tuple(found)


def _invented(
    heard: Heard, passage: Span, spans: Sequence[Span], options: TranscribeOptions
) -> bool:
    return (
        failed(heard, options) or _recites(heard, passage[0], spans) or _has_no_time(heard, options)
    )


def _recites(heard: Heard, offset: int, spans: Sequence[Span]) -> bool:
    """Whether a segment is a credit, or the end of a video that nobody surely spoke."""
    if _CREDITS.search(heard.text):
        return True
    if heard.text not in _endings():
        return False
    if heard.no_speech > _RECITED_SILENT or heard.sure < _RECITED_SURE:
        return True
    start = offset + round(heard.words[0][1] * _RATE)
    end = offset + round(heard.words[-1][2] * _RATE)
    spoken = sum(max(0, min(end, b) - max(start, a)) for a, b in spans)
    return 2 * spoken < end - start


@cache
def _endings() -> frozenset[str]:
    return frozenset(map(_plain, _ENDINGS))


def _has_no_time(heard: Heard, options: TranscribeOptions) -> bool:
    """Whether a segment can't have been spoken in its time, and the decoder isn't sure of it."""
    if heard.log_probability > options.min_log_probability / 2:
        return False
    lasting = heard.words[-1][2] - heard.words[0][1]
    hurried = len(heard.text) > max(_HURRIED_FROM, _MOST_LETTERS_A_SECOND * lasting)
    timeless = sum(end - start < _NO_TIME_S for _, start, end, _ in heard.words)
    return hurried or 2 * timeless > len(heard.words)


def _loops(segments: Sequence[Heard]) -> frozenset[int]:
    """Numbers of segments that repeat the one before, in runs of three and more, unsurely.

    The first of a run stays: somebody may have said it.
    """
    found: set[int] = set()
    numbered = [(number, heard) for number, heard in enumerate(segments) if heard.text]
    for _, group in groupby(numbered, key=lambda item: item[1].text):
        run = list(group)
        sure = sum(heard.sure for _, heard in run) / len(run)
        if len(run) >= _LOOPS_FROM and sure < _LOOP_SURE:
            found.update(number for number, _ in run[1:])
    return frozenset(found)


def _words(heard: Heard, offset: int) -> list[Word]:
    """The words of a segment in samples of the sound."""
    found = []
    for text, from_s, to_s, probability in heard.words:
        if text.strip():
            start = offset + round(from_s * _RATE)
            end = max(start, offset + round(to_s * _RATE))
            found.append(Word(text.strip(), start, end, min(max(float(probability), 0.0), 1.0)))
    return found


def _in_speech(word: Word, spans: Sequence[Span], distance: int) -> Span | None:
    """Where a word lies in speech: cut to what it shares with spans, else put at the nearest edge.

    None where no span is within distance.
    """
    shared = [(a, b) for a, b in spans if word.start < b and word.end > a]
    if shared:
        return max(word.start, shared[0][0]), min(word.end, shared[-1][1])
    near = [(max(a - word.end, word.start - b), a, b) for a, b in spans]
    if not near or min(near)[0] > distance:
        return None
    _, start, end = min(near)
    edge = start if word.end <= start else end
    return edge, edge


def _plain(text: str) -> str:
    """Letters and digits only, without accents and capitals."""
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )
    bare = unicodedata.normalize("NFC", bare).replace("'", "").replace("\u2019", "")
    return " ".join(re.findall(r"\w+", bare))
