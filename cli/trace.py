"""`roomtone trace`: where a file came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common import print_json, settings_for
from core.errors import InputError


def command(
    file: Annotated[Path, typer.Argument(help="Any file that roomtone read or made.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the tree as JSON.")] = False,
) -> None:
    """Print where a file came from, down to the originals; renamed files are found too."""
    from adapters.media.essence import file_sha256
    from db.home import open_remembered
    from db.provenance import find, render_trace, trace, trace_json

    if not file.is_file():
        raise InputError(f"{file} does not exist; give the path of a file.")
    settings = settings_for()
    database = open_remembered(settings)
    try:
        with database.read() as session:
            asset = find(session, file, file_sha256(file))
            node = trace(session, asset.sha256)
    finally:
        database.close()
    if as_json:
        print_json(trace_json(node))
    else:
        print(render_trace(node))
