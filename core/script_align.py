"""A take's words laid against a script: every line's readings, and what was said beside it.

Lines that a take may hold are looked up (`script_index`), found in it by their sound
(`script_spans`), chosen so that together they read like the script (`script_chain`), and held
against the words that say them (`script_fit`, `script_states`). Scene and speaker are evidence
where they are known; nothing depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import numpy as np

from core.readings import Reading, State, TakeSpeech
from core.script import plain_name
from core.script_chain import chain
from core.script_fill import filled
from core.script_fit import Fit
from core.script_index import ScriptIndex, likely_lines
from core.script_spans import Span, spans_of
from core.script_states import LOST, UNLIKE, Heard, likeness, state_of, weights_at
from core.script_take import (
    Placed,
    PreparedTake,
    fit_of,
    prepared,
    scene_evidence,
    sizes_of,
    turns_between,
)

MOST_LINES = 80
_LEAST = 5.0
_SHARE = 0.4
_SPEAKER = 2.5
_SCENE = 2.0
_ELSEWHERE = 0.35
_EDGE = 1.2
_UNSAID = 0.4
_RIVALS = 5
_NEAR = 5
_SURE = 0.45
_SHORT = 8
_AD_LIB_PHONES = 6


def read_take(index: ScriptIndex, speech: TakeSpeech) -> tuple[Reading, ...]:
    """The readings of a take in its order, then the lines that it omits.

    A take that says nothing of the script has ad-libs only. Ad-libs name the line before them.
    """
    take = prepared(index, speech)
    if not len(take.phones):
        return ()
    likely = likely_lines(index, speech, take.phones, MOST_LINES)
    spans = spans_of(
        [(number, index.phones[number]) for number in likely], take.phones, _LEAST, _SHARE
    )
    rated = [(_worth(index, take, span), span) for span in spans]
    kept = _foremost([(worth, span) for worth, span in rated if worth > 0])
    worths = {span: worth for worth, span in kept}
    chain_of = chain(list(worths), list(worths.values()))
    chosen = _believed(index, take, [(worths[span], span) for span in chain_of])
    placed = _parted(take, [_in_words(take, span) for span in chosen])
    placed = filled(index, take, placed)
    readings = _told(index, take, placed)
    return (*readings, *_omitted(index, speech, readings))


def _foremost(rated: Sequence[tuple[float, Span]]) -> list[tuple[float, Span]]:
    """The spans that few better ones lie over, so that the chain has few to weigh."""
    kept: list[tuple[float, Span]] = []
    for worth, span in sorted(rated, key=lambda pair: -pair[0]):
        middle = (span.first + span.last) / 2
        over = sum(other.first <= middle < other.last for _, other in kept)
        if over < _RIVALS:
            kept.append((worth, span))
    return kept


def _worth(index: ScriptIndex, take: PreparedTake, span: Span) -> float:
    """What a span is worth: its score, and what scene and speaker say."""
    line = index.lines[span.line].line
    value = span.score - _UNSAID * (span.head + span.tail)
    value += _EDGE * (span.first in take.edges) + _EDGE * (span.last in take.edges)
    evidence = scene_evidence(line.scene, take)
    value += _SCENE * evidence + _ELSEWHERE * min(0.0, evidence) * span.score
    character = plain_name(line.character)
    voices = (take.voices[int(word)] for word in take.words[span.first : span.last])
    named = [voice for voice in voices if voice in index.cast]
    if named:
        ours = sum(voice == character for voice in named) / len(named)
        value += _SPEAKER * (2 * ours - 1)
    return value


def _believed(
    index: ScriptIndex, take: PreparedTake, rated: Sequence[tuple[float, Span]]
) -> list[Span]:
    """The spans that something besides their sound speaks for, or so much of it that it will do.

    A few phones, or half a line, are soon found somewhere in a script, and films say some lines
    twice. They count where the lines before or behind are near in the script as well; else only
    whole, and not in another scene than the slate's.
    """
    kept = []
    for place, (_, span) in enumerate(rated):
        around = [rated[k][1].line for k in (place - 1, place + 1) if 0 <= k < len(rated)]
        near = any(0 < abs(line - span.line) <= _NEAR for line in around)
        count = len(index.phones[span.line])
        here = scene_evidence(index.lines[span.line].line.scene, take)
        sure = span.score >= _SURE * count and here >= 0
        if near or (sure and (_whole_turn(take, span) or count >= _SHORT)):
            kept.append(span)
    return kept


def _whole_turn(take: PreparedTake, span: Span) -> bool:
    first, last = int(take.words[span.first]), int(take.words[span.last - 1])
    words = take.speech.words
    alone_before = first == 0 or words[first - 1].turn != words[first].turn
    alone_after = last + 1 == len(words) or words[last + 1].turn != words[last].turn
    return alone_before and alone_after


def _in_words(take: PreparedTake, span: Span) -> Placed:
    """The words of which a span holds half or more."""
    inside = np.bincount(take.words[span.first : span.last], minlength=len(take.speech.words))
    sizes = np.bincount(take.words, minlength=len(take.speech.words))
    held = np.flatnonzero((inside * 2 >= sizes) & (inside > 0))
    if not len(held):
        word = int(take.words[span.first])
        return Placed(span.line, word, word + 1)
    return Placed(span.line, int(held[0]), int(held[-1]) + 1)


def _parted(take: PreparedTake, placed: Sequence[Placed]) -> list[Placed]:
    """Without words that two lines claim: parted where a turn begins, else the first has them."""
    found: list[Placed] = []
    for one in placed:
        if found and found[-1].last > one.first:
            other = found[-1]
            words = take.speech.words
            shared = range(one.first, min(other.last, one.last))
            edge = next((k for k in shared if words[k].turn != words[k - 1].turn), other.last)
            if not (other.first < edge < one.last):
                continue
            found[-1] = replace(other, last=edge)
            found.append(replace(one, first=edge))
        else:
            found.append(one)
    return found


@dataclass(frozen=True)
class _Judged:
    """A line as it is said. first, last: words of the take. found, heard: what speaks for which
    state; None where none of the words can be told to say the line. score: likeness."""

    line: int
    first: int
    last: int
    score: float
    found: Fit | None = None
    heard: Heard | None = None


def _told(index: ScriptIndex, take: PreparedTake, placed: Sequence[Placed]) -> list[Reading]:
    """The readings of placed lines, with ad-libs between them, in the order of the take."""
    judged: list[_Judged] = []
    end = 0
    for place, one in enumerate(placed):
        limit = placed[place + 1].first if place + 1 < len(placed) else len(take.speech.words)
        judged.append(_judged(index, take, one, end, limit))
        end = judged[-1].last
    weights = weights_at(median(1 - one.score for one in judged) if judged else 0.0)
    readings: list[Reading] = []
    said: set[int] = set()
    end, before = 0, 0
    for line in judged:
        readings.extend(_ad_libs(take, end, line.first, before))
        state = State.CHANGED
        if line.found is not None and line.heard is not None:
            state = state_of(line.found, line.heard, sizes_of(index, line.line), weights)
        if line.line in said:
            state = State.REPEATED
        said.add(line.line)
        number = index.lines[line.line].line.number
        readings.append(_reading(take, number, line.first, line.last, state, line.score))
        end, before = line.last, number
    readings.extend(_ad_libs(take, end, len(take.speech.words), before))
    return readings


def _judged(index: ScriptIndex, take: PreparedTake, one: Placed, floor: int, limit: int) -> _Judged:
    """The words that a line really takes up between two others, and what speaks for its state."""
    words = take.speech.words
    first, last = one.first, one.last
    count = len(index.lines[one.line].phones)
    # The words beside it that nothing else claims and that belong to the same turns.
    while first > floor and words[first - 1].turn == words[one.first].turn:
        first -= 1
    while last < limit and words[last].turn == words[one.last - 1].turn:
        last += 1
    first, last = max(first, one.first - count - 2), min(last, one.last + count + 2)
    found = fit_of(index, take, one.line, first, last)
    sizes = sizes_of(index, one.line)
    if found.last <= found.first:
        return _Judged(one.line, one.first, one.last, likeness(found, sizes))
    kept = _kept(found)
    lead = kept[0] if kept else 0
    trail = count - 1 - kept[-1] if kept else 0
    begin, stop = first + found.first, first + found.last
    head, begin = _replaced(lead, begin, first)
    tail, negative = _replaced(trail, -stop, -last)
    stop = -negative
    heard = Heard(
        head_lost=0 if _room(take, begin, sizes[:lead], before=True) else head,
        tail_lost=0 if _room(take, stop - 1, sizes[count - trail :], before=False) else tail,
        in_time=_in_time(take, found, first, begin, stop, sizes),
        extras=_extras(found, begin - first, stop - first),
    )
    return _Judged(one.line, begin, stop, likeness(found, sizes), found, heard)


def _kept(found: Fit) -> list[int]:
    """The words of a line that the take has a word for, each said word for one of them."""
    best: dict[int, int] = {}
    for k, partner in enumerate(found.partners):
        if partner >= 0 and (partner not in best or found.costs[k] < found.costs[best[partner]]):
            best[partner] = k
    return [
        k
        for k, partner in enumerate(found.partners)
        if partner >= 0 and found.costs[k] < (LOST if best[partner] == k else UNLIKE)
    ]


def _replaced(lost: int, edge: int, end: int) -> tuple[int, int]:
    """Words still lost at an end of a line, and the edge once words said instead are taken in.

    lost: words of the line without a partner there. edge: where what matched begins. end: how
    far free words go; for the tail, both negative.
    """
    free = edge - end
    if lost == 0 or free <= 0:
        return lost, edge
    taken = min(free, lost + 1)
    return 0, edge - taken


def _room(take: PreparedTake, word: int, lost: Sequence[int], before: bool) -> bool:
    """Whether the turn has time, before or behind a word, for phones that were not heard."""
    if not lost:
        return True
    spoken = take.speech.words[word]
    turn = take.speech.turns[spoken.turn]
    if before:
        earlier = [w.end for w in take.speech.words[:word] if w.turn == spoken.turn]
        free = spoken.start - max([turn.start, *earlier])
    else:
        later = [w.start for w in take.speech.words[word + 1 :] if w.turn == spoken.turn]
        free = min([turn.end, *later]) - spoken.end
    return free >= 0.6 * take.pace * sum(lost)


def _in_time(
    take: PreparedTake, found: Fit, first: int, begin: int, stop: int, sizes: Sequence[int]
) -> tuple[bool, ...]:
    """For each word of the line, whether there is a pause where it should be."""
    words = take.speech.words
    known = {k: first + p for k, p in enumerate(found.partners) if p >= 0 and found.costs[k] < LOST}
    roomy = []
    for k, size in enumerate(sizes):
        left = max((known[i] for i in known if i < k), default=-1)
        right = min((known[i] for i in known if i > k), default=-1)
        if left < 0 or right < 0:
            edge = begin if left < 0 else stop - 1
            roomy.append(_room(take, edge, [size], before=left < 0))
            continue
        free = sum(max(0, words[i + 1].start - words[i].end) for i in range(left, max(left, right)))
        roomy.append(free >= 0.5 * take.pace * size)
    return tuple(roomy)


def _extras(found: Fit, begin: int, stop: int) -> int:
    partners = set(found.partners)
    return sum(found.extra[k] > 0.6 and k not in partners for k in range(max(0, begin), stop))


def _reading(
    take: PreparedTake, number: int, first: int, last: int, state: State, score: float
) -> Reading:
    words = take.speech.words[first:last]
    return Reading(
        line=number,
        take=take.speech.take,
        state=state,
        start=min(word.start for word in words),
        end=max(word.end for word in words),
        words=(first, last),
        score=round(max(0.0, score), 3),
        speaker=take.speech.turns[words[0].turn].speaker,
        text=" ".join(word.text for word in words),
    )


def _ad_libs(take: PreparedTake, first: int, last: int, before: int) -> list[Reading]:
    """What was said between two lines and is in neither, a reading a turn."""
    found = []
    words = take.speech.words
    for begin, stop in turns_between(take, first, last):
        sounds = sum(len(word.phones) for word in words[begin:stop])
        alone = (begin == 0 or words[begin - 1].turn != words[begin].turn) and (
            stop == len(words) or words[stop].turn != words[begin].turn
        )
        if (alone and sounds > 2) or (stop - begin >= 3 and sounds >= _AD_LIB_PHONES):
            found.append(_reading(take, before, begin, stop, State.AD_LIB, 0.0))
    return found


def _omitted(index: ScriptIndex, speech: TakeSpeech, readings: Sequence[Reading]) -> list[Reading]:
    """The lines that a take leaves out between lines it plays: of one scene, few at a time."""
    found: list[Reading] = []
    played = sorted({reading.line for reading in readings if reading.state is not State.AD_LIB})
    for one, other in pairwise(played):
        gap = range(one + 1, other)
        if not 0 < len(gap) <= 8:
            continue
        scenes = {index.lines[number - 1].line.heading for number in (one, *gap, other)}
        if len(scenes) == 1:
            found.extend(Reading(number, speech.take, State.OMITTED) for number in gap)
    return found
