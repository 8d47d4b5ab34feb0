"""`roomtone trace`: where a file came from, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common import print_json, settings_for
from cli.progress import shown
from core.errors import UsageError


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
    svg: Annotated[
        Path | None, typer.Option(help="Draw it into this file: where its samples come from.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print PROV-JSON (W3C PROV).")] = False,
) -> None:
    """Print where a file came from, down to the originals; renamed files are found too."""
    from db.home import open_remembered
    from db.prov_json import trace_prov, uses_prov
    from db.trace_text import render_consents, render_trace, render_uses
    from flows.tracing import onward, signature, traced

    if svg is not None and uses:
        raise UsageError("--svg draws where a file comes from; leave --uses out.")
    database = open_remembered(settings_for())
    try:
        with shown(as_json) as progress, database.read() as session:
            found = traced(session, asset, at or "", to or "", progress)
            product, cuts = onward(found, session) if uses else (None, ())
    finally:
        database.close()
    recognised = found.recognised
    if svg is not None:
        from flows.trace_picture import draw_trace

        draw_trace(found, svg)
    if as_json:
        prov = trace_prov(found.node, recognised.excerpt, found.agreed)
        print_json(uses_prov(product) if product else prov)
        return
    for told in (recognised.said, signature(asset)):
        if told:
            print(told)
    if svg is not None:
        print(f"Drawn: {svg}")
        return
    print(render_uses(product, cuts) if product else render_trace(found.node))
    if found.agreed:
        print(render_consents(found.agreed))
