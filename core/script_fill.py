"""Lines whose sound alone was not enough to find them: given to the words left in their place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.script import plain_name
from core.script_index import ScriptIndex
from core.script_states import likeness
from core.script_take import Placed, PreparedTake, fit_of, scene_evidence, sizes_of, turns_between

_FILL = 0.45
_FILL_IN_PLACE = 0.3
_FILL_IN_SCENE = 0.5
_BEGUN = 0.85


def filled(index: ScriptIndex, take: PreparedTake, placed: list[Placed]) -> list[Placed]:
    """With lines whose sound alone was not enough, where the take has words for them.

    First those that the script has between two placed ones, then others of the take's scene.
    """
    found: list[Placed] = []
    edges = [*placed, Placed(-1, len(take.speech.words), len(take.speech.words))]
    end, line = 0, -1
    for nxt in edges:
        free = turns_between(take, end, nxt.first)
        following = nxt.line if nxt.line >= 0 else len(index.lines)
        before = line if line >= 0 else max(-1, following - 3)
        skipped = list(range(before + 1, min(following, before + 4)))
        if line >= 0 or nxt.line >= 0:
            found.extend(_best_fill(index, take, free, skipped, _FILL_IN_PLACE))
        if nxt.line >= 0:
            found.append(nxt)
            end, line = nxt.last, nxt.line
    done = {one.line for one in found}
    left = [
        number
        for number, line_of in enumerate(index.lines)
        if number not in done and scene_evidence(line_of.line.scene, take) > 0
    ]
    end = 0
    for one in [*found, edges[-1]]:
        free = turns_between(take, end, one.first)
        found.extend(_best_fill(index, take, free, left, _FILL_IN_SCENE))
        end = one.last
    return sorted(found, key=lambda one: one.first)


def _best_fill(
    index: ScriptIndex,
    take: PreparedTake,
    free: Sequence[tuple[int, int]],
    lines: Sequence[int],
    least: float,
) -> list[Placed]:
    """Free turns, each with the line that it says most nearly; a line is given once.

    least: likeness that is enough where the speaker is the line's character; more is asked where
    that is not known.
    """
    found: list[Placed] = []
    waiting = [line for line in lines if len(index.phones[line])]
    for first, last in free:
        named = take.voices[first] in index.cast
        best, top = -1, least if named else max(least, _FILL)
        count = _phones_in(take, first, last)
        for line in waiting:
            character = plain_name(index.lines[line].line.character)
            ratio = len(index.phones[line]) / max(1, count)
            if (named and take.voices[first] != character) or not 0.4 < ratio < 5:
                continue
            alike = likeness(fit_of(index, take, line, first, last), sizes_of(index, line))
            alike *= min(1.0, ratio)
            if ratio > 1 and last - first > 1 and alike * ratio >= _BEGUN:
                # All that is said is in the line, which breaks off.
                alike = max(alike, _FILL_IN_SCENE)
            if alike >= top:
                best, top = line, alike
        if best >= 0:
            found.append(Placed(best, first, last))
            waiting.remove(best)
    return found


def _phones_in(take: PreparedTake, first: int, last: int) -> int:
    return int(np.count_nonzero((take.words >= first) & (take.words < last)))
