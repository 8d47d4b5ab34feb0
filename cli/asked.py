"""What `search` and `pull` ask for alike: the words, how far to look, and which lines count."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class By(StrEnum):
    """How far a search goes; see `db.search.find.How`."""

    WORDS = "words"
    FUZZY = "fuzzy"
    SOUND = "sound"
    AUTO = "auto"


_TYPED = typer.Argument(
    help='Words of the line: `joy living`, `"words side by side"`, `begin*`, `-without`.'
)
Words = Annotated[list[str], _TYPED]
OptionalWords = Annotated[list[str] | None, _TYPED]
HowFar = Annotated[
    By,
    typer.Option(
        help="How far to look: words and their forms, typing errors, what sounds alike; auto goes "
        "on while few lines are found."
    ),
]
Production = Annotated[str, typer.Option(help="Of this production.")]
Scene = Annotated[str, typer.Option(help="Of this scene.")]
Take = Annotated[str, typer.Option(help="Of this take: 12A-T03, 12A-3 or a file.")]
Speaker = Annotated[str, typer.Option(help="Spoken by this character.")]
InCut = Annotated[str, typer.Option("--cut", help="Played by the cut of this name or file.")]
Circled = Annotated[
    bool | None, typer.Option("--circled/--not-circled", help="Of circled takes, or others.")
]
Draft = Annotated[
    bool | None, typer.Option("--draft/--no-draft", help="Drafts only, or none of them.")
]
EventKinds = Annotated[
    list[str] | None,
    typer.Option("--event", help="Only where such an event is: overlap, clipping, slate …"),
]
MinConfidence = Annotated[float, typer.Option(min=0, max=1, help="Recognised at least so surely.")]
