"""`roomtone trace`: where a file came from, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.common import print_json, settings_for


def command(
    asset: Annotated[
        str, typer.Argument(help="Any file that roomtone read or made, or the sha256 of one.")
    ],
    at: Annotated[
        str | None,
        typer.Option(help="Only what is at this place: timecode, seconds or m:ss."),
    ] = None,
    to: Annotated[str | None, typer.Option(help="With --at: up to this place.")] = None,
    uses: Annotated[
        bool, typer.Option("--uses", help="What was made from it, instead: for recalls.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print PROV-JSON (W3C PROV).")] = False,
) -> None:
    """Print where a file came from, down to the originals; renamed files are found too."""
    from db.home import open_remembered
    from db.prov_json import trace_prov, uses_prov
    from db.trace_text import render_trace, render_uses
    from flows.tracing import cuts_told, onward, traced

    database = open_remembered(settings_for())
    try:
        with database.read() as session:
            if uses:
                product, span = onward(session, asset, at or "", to or "")
                cuts = cuts_told(session, product, span)
            else:
                node, _ = traced(session, asset, at or "", to or "")
    finally:
        database.close()
    if uses and as_json:
        print_json(uses_prov(product))
    elif uses:
        print(render_uses(product, cuts))
    elif as_json:
        print_json(trace_prov(node))
    else:
        print(render_trace(node))
