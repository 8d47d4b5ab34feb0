"""`roomtone resolve`: a script in DaVinci Resolve's menu that has the current timeline cleaned."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from cli.common import OUT, print_json, settings_for
from core.errors import InputError, UsageError

app = typer.Typer(no_args_is_help=True, help="A script in DaVinci Resolve's menu.")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@app.callback()
def _group() -> None:
    """Keep `install` a command of its own, however many there are."""


@app.command("install")
def install(
    folder: Annotated[
        Path,
        typer.Option(help="Where timelines are exported to: in `media` or `cut_folders` there."),
    ],
    server: Annotated[
        str, typer.Option(help="Address of `roomtone serve`; empty: the folder is watched.")
    ] = "http://127.0.0.1:8765",
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token of an editor there (on this machine: one is made)."),
    ] = None,
    stems: Annotated[
        bool, typer.Option("--stems", help="Bring dialogue stems into the media pool when done.")
    ] = False,
    page: Annotated[
        Literal["Edit", "Utility"], typer.Option(help="On the edit page, or on all of them.")
    ] = "Edit",
    scripts: Annotated[
        Path | None, typer.Option(help="Resolve's folder of scripts, where it is another.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.")] = False,
) -> None:
    """Put `Clean dialogue with roomtone` into the menu Workspace > Scripts of DaVinci Resolve.

    Run it again to change what the script is told.
    """
    from adapters.resolve.install import (
        CONFIG,
        MenuConfig,
        install_script,
        scripts_folder,
        write_config,
    )

    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; name one that exists for the exported timelines.")
    parts = urlsplit(server)
    if server and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise UsageError(f"{server} is no address; write it as http://127.0.0.1:8765.")
    config_path = Path.home() / CONFIG
    token = _token(server, token_file, config_path) if server else ""
    config = MenuConfig(server, token, str(folder.absolute()), stems)
    place = scripts or scripts_folder(sys.platform, Path.home(), os.environ, page)
    script = install_script(place)
    write_config(config_path, config)
    if as_json:
        print_json({"script": script, "config": config_path})
        return
    OUT.print(f"Wrote {escape(str(script))} and {escape(str(config_path))}.")
    OUT.print("In DaVinci Resolve: Workspace > Scripts > Clean dialogue with roomtone.")


def _token(server: str, token_file: Path | None, config: Path) -> str:
    """The token that the script shows: as given, as before, or one made now for this machine."""
    from adapters.resolve.install import read_config
    from web.access import Role, add_token, remove_token, tokens_of

    if token_file is not None:
        try:
            token = token_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise InputError(f"{token_file} can't be read; name the file of a token.") from fault
        if not token or len(token.split()) != 1:
            raise InputError(f"{token_file} holds no token; `roomtone tokens add` prints one.")
        return token
    before = read_config(config)
    if before is not None and before.server == server and before.token:
        return before.token
    if urlsplit(server).hostname not in _LOOPBACK:
        raise UsageError(
            f"{server} needs a token: make one there with `roomtone tokens add NAME --role "
            "editor`, put it into a file and name that with --token-file."
        )
    home, name = settings_for().home, f"Resolve on {platform.node() or 'this machine'}"
    if any(known.name == name for known in tokens_of(home)):
        remove_token(home, name)
    return add_token(home, name, Role.EDITOR)
