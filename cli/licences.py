"""`roomtone licences`: what all that roomtone needs is licensed under."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.common import OUT, print_json, quietly_closed
from core.licences import Terms

if TYPE_CHECKING:
    from flows.licences import Licence


def command(
    every: Annotated[
        bool, typer.Option("--all", help="The permissive ones (MIT, BSD, Apache) as well.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List packages, the programs inside them, and weights, with their licences.

    What asks more than the naming of its authors is shown; --all shows the rest. It is what is
    installed here; the licences are as their authors state them.
    """
    from flows.licences import licences

    found = licences()
    if as_json:
        print_json(
            [
                {
                    "what": item.what,
                    "name": item.name,
                    "version": item.version,
                    "licence": item.expression,
                    "terms": item.terms.words,
                    "needed": item.needed,
                    "because": item.because,
                }
                for item in found
            ]
        )
        return
    shown = [item for item in found if every or item.terms is not Terms.PERMISSIVE]
    with quietly_closed():
        OUT.print(_table(shown))
        counted = Counter(item.terms for item in found)
        parts = (f"{count} {terms.words}" for terms, count in sorted(counted.items()))
        OUT.print(f"{len(found)} in all: {'; '.join(parts)}.")
        if not every:
            OUT.print("The permissive ones are not shown; --all shows them.")


def _table(shown: Sequence[Licence]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("what", "name", "version", "licence", "needed", "terms", "because"):
        table.add_column(heading, overflow="fold")
    for item in shown:
        table.add_row(
            item.what,
            escape(item.name),
            item.version,
            escape(item.expression) or "not stated",
            "yes" if item.needed else "no",
            item.terms.words,
            escape(item.because),
        )
    return table
