"""What `search` and `pull` ask for alike: the words, how far to look, and which lines count."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from core.days import day_asked
from core.filters import Filters
from core.review import GateState
from core.tags import tag_of


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


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose `filters` are made of the options that every search has.

    command: with a parameter `filters`, which its options replace on the command line. Called from
    Python, options left out are at their defaults.
    """
    own = inspect.signature(command).parameters
    asked = inspect.signature(_filters).parameters
    hints = get_type_hints(command, include_extras=True) | get_type_hints(
        _filters, include_extras=True
    )

    @wraps(command)
    def made(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in asked if name in given}
        command(**given, filters=_filters(**chosen))

    names = [name for own_name in own for name in (asked if own_name == "filters" else (own_name,))]
    parameters = [
        (asked.get(name) or own[name]).replace(
            annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY
        )
        for name in names
    ]
    made.__dict__.pop("__wrapped__")
    made.__dict__["__signature__"] = inspect.Signature(parameters)
    made.__annotations__ = {name: hints[name] for name in names}
    return made


def _filters(
    production: Annotated[str, typer.Option(help="Of this production.")] = "",
    scene: Annotated[str, typer.Option(help="Of this scene.")] = "",
    take: Annotated[str, typer.Option(help="Of this take: 12A-T03, 12A-3 or a file.")] = "",
    speaker: Annotated[str, typer.Option(help="Spoken by this character.")] = "",
    cut: Annotated[str, typer.Option(help="Played by the cut of this name or file.")] = "",
    circled: Annotated[
        bool | None, typer.Option("--circled/--not-circled", help="Of circled takes, or others.")
    ] = None,
    draft: Annotated[
        bool | None, typer.Option("--draft/--no-draft", help="Drafts only, or none of them.")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(help="Only where such an event is: overlap, clipping, slate …"),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Recognised at least so surely.")
    ] = 0.0,
    recorded_from: Annotated[
        str, typer.Option("--from", help="Recorded on this day or later: 2026-11-27.")
    ] = "",
    recorded_to: Annotated[str, typer.Option("--to", help="Recorded on this day or earlier.")] = "",
    tag: Annotated[
        list[str] | None,
        typer.Option(help="Of takes with this tag; again for more."),
    ] = None,
    gates: Annotated[
        GateState | None,
        typer.Option(help="How its gates stand; waiting and approved ones failed."),
    ] = None,
) -> Filters:
    """The filters that a person asks for."""
    from cli.events import kinds_asked

    return Filters(
        project=production,
        scene=scene,
        take=take,
        speaker=speaker,
        circled=circled,
        cut=cut,
        min_confidence=min_confidence,
        draft=draft,
        events=kinds_asked(event or ()),
        recorded_from=day_asked(recorded_from),
        recorded_to=day_asked(recorded_to),
        tags=tuple(map(tag_of, tag or ())),
        gates=gates,
    )
