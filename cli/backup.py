"""`roomtone backup` and `roomtone restore`."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated

import typer

from cli.common import OUT, print_json, settings_for
from cli.progress import shown
from core.errors import UsageError


def backup(
    vault: Annotated[
        str, typer.Argument(help="A folder, or s3://bucket/prefix; each backup adds what is new.")
    ],
    weights: Annotated[bool, typer.Option("--weights", help="The weights, too.")] = False,
    read: Annotated[bool, typer.Option("--read", help="Read again what is there already.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Back up the home: database, store, sound out of cuts, settings and access to the page.

    Each content is kept once, so a second backup copies what is new. Originals, deliveries and
    what can be made again (the cache) are not in it. A file of the store that is not what it was
    stops the backup.
    """
    from flows.backup import back_up
    from flows.vault import open_vault
    from flows.workspace import open_workspace

    settings = settings_for()
    with (
        shown(quiet or as_json) as progress,
        open_workspace(settings) as work,
        open_vault(vault, settings) as opened,
    ):
        done = back_up(work, opened, progress, weights=weights, read=read)
    if as_json:
        print_json(asdict(done))
    else:
        OUT.print(
            f"{done.files} files and the database, {done.bytes / 1e6:.1f} MB, of which "
            f"{done.copied / 1e6:.1f} MB were new: {done.path}",
            markup=False,
        )


def restore(
    vault: Annotated[str, typer.Argument(help="The folder or s3://bucket/prefix of backups.")],
    at: Annotated[str, typer.Option(help="A backup of --list by its name; the last one.")] = "",
    show: Annotated[bool, typer.Option("--list", help="Only list the backups there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Restore a home from a backup, into a home that is empty; every byte is compared.

    Nothing is overwritten: choose an empty ROOMTONE_HOME. The paths of the old home become those
    of the new one; originals and deliveries are looked for where they were.
    """
    from flows.restore import backups, read_backup
    from flows.restore import restore as put_back
    from flows.vault import open_vault

    settings = settings_for()
    with open_vault(vault, settings) as opened:
        lists = backups(opened)
        if show:
            names = [path.stem for path in lists]
            print_json(names) if as_json else OUT.print("\n".join(names), markup=False)
            return
        chosen = [path for path in lists if not at or path.stem == at]
        if not chosen:
            raise UsageError(f"There is no backup {at!r} in {vault}; --list names them.")
        last = chosen[-1]
        found = read_backup(opened.lists.here(last), opened.lists.shown(last))
        with shown(quiet or as_json) as progress:
            put_back(settings, opened, found, progress, getpass.getuser())
    if as_json:
        print_json({"home": settings.home, "backup": found.name, "files": len(found.files)})
    else:
        OUT.print(
            f"{settings.home} is as it was at {found.made:%Y-%m-%d %H:%M} UTC: "
            f"{len(found.files)} files and the database.",
            markup=False,
        )
