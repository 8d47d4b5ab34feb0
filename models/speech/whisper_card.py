"""The card of a Whisper model, whichever library runs it."""

from __future__ import annotations

from dataclasses import replace

from models.card import ModelCard
from models.described import described
from models.known_weights import KNOWN


def whisper_card(
    engine: str, name: str, folder: str, runtime: str, weights_sha256: str
) -> ModelCard:
    """A card that says what is known of the weights in a folder of that name.

    engine: `faster-whisper` or `whisper`. Of weights that we don't know nothing is claimed.
    """
    card = described(folder).card(runtime, weights_sha256, name if folder not in KNOWN else "")
    return replace(card, name=f"{engine} {name}")
