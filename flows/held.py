"""What the gates hold back, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flows.takes import CleanedTake, microphone_name
from models.quality import Gate


def flagged(takes: Iterable[CleanedTake]) -> list[str]:
    """A sentence for every gate that holds one of the takes back for a person."""
    return [text for take in takes if take.waits for text in _held(take)]


def approved(takes: Iterable[CleanedTake]) -> list[str]:
    """A sentence for every gate over which a person took one of the takes as it is."""
    return [f"{text}, {take.approved}" for take in takes if take.approved for text in _held(take)]


def _held(take: CleanedTake) -> Iterator[str]:
    """A clause for each gate that holds a take back."""
    for channel, gates in zip(take.take.channels, take.gates, strict=True):
        where = f"{take.media.path.name} {microphone_name(take.media, channel)}"
        for gate in gates:
            if not gate.passed:
                yield f"{where}: {gate_words(gate)}"


def gate_words(gate: Gate) -> str:
    """A gate's value and limit for people: `air 12.00 dB (limit 4)`."""
    return f"{gate.name} {gate.value:.2f} {gate.unit} (limit {gate.limit:g})"
