"""Put the script into DaVinci Resolve's menu, and what it needs to know into a person's file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from adapters.media.whole import output_error, whole_file, write_text

SCRIPT = "Clean dialogue with roomtone.py"
"""Its name, as the menu shows it without the suffix."""

CONFIG = ".roomtone-resolve.json"
_MADE_BY = "Blackmagic Design", "DaVinci Resolve"


@dataclass(frozen=True)
class MenuConfig:
    """What the script is told; see `adapters.resolve.menu`."""

    server: str
    token: str
    folder: str
    stems: bool


def scripts_folder(system: str, home: Path, environment: Mapping[str, str], page: str) -> Path:
    """Where a person's scripts for Resolve lie, as its own README says.

    system: as `sys.platform` names it. page: `Edit`, or `Utility` for all pages.
    """
    match system:
        case "darwin":
            above = home.joinpath("Library", "Application Support", *_MADE_BY)
        case "win32":
            roaming = environment.get("APPDATA") or str(home / "AppData" / "Roaming")
            above = Path(roaming).joinpath(*_MADE_BY, "Support")
        case _:
            above = home / ".local" / "share" / "DaVinciResolve"
    return above / "Fusion" / "Scripts" / page


def install_script(folder: Path) -> Path:
    """Write the script into a folder of Resolve's; its path. Raises OutputError."""
    path = folder / SCRIPT
    write_text(path, files("adapters.resolve").joinpath("menu.py").read_text("utf-8"))
    return path


def write_config(path: Path, config: MenuConfig) -> None:
    """Write what the script is told, for the person alone to read. Raises OutputError."""
    with whole_file(path) as part:
        try:
            part.touch(mode=0o600)
            os.chmod(part, 0o600)  # noqa: PTH101
            part.write_text(json.dumps(asdict(config), indent=1) + "\n", "utf-8")
        except OSError as fault:
            raise output_error(path, fault) from fault


def read_config(path: Path) -> MenuConfig | None:
    """What the script was told before, or None."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return MenuConfig(
            str(found["server"]), str(found["token"]), str(found["folder"]), bool(found["stems"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
