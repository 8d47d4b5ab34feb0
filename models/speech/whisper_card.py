"""The card of a Whisper model, whichever library runs it."""

from __future__ import annotations

from models.card import ModelCard
from models.known_weights import KNOWN


def whisper_card(
    engine: str, name: str, folder: str, runtime: str, weights_sha256: str
) -> ModelCard:
    """A card that says what is known of the weights in a folder of that name.

    engine: `faster-whisper` or `whisper`. Of weights that we don't know nothing is claimed.
    """
    known = KNOWN.get(folder)
    return ModelCard(
        name=f"{engine} {name}",
        version=known.version if known else name,
        runtime=runtime,
        weights_sha256=weights_sha256,
        licence=known.licence if known else "not known",
        trained_on=known.trained_on if known else "not known: weights of the user's own",
        source=known.source if known else "imported by the user",
    )
