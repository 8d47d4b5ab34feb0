"""The one door for scripts: the format follows from the file's name, and from what is in it."""

from __future__ import annotations

from pathlib import Path

from adapters.scripts import fdx, fountain
from core.errors import InputError
from core.script import Script


def read_script(path: Path) -> Script:
    """The script in a file: Final Draft (`.fdx`) or Fountain (`.fountain`, `.txt`, `.spmd`).

    Raises InputError naming the remedy for any other kind, and for a file that can't be read.
    """
    match path.suffix.casefold():
        case ".fdx":
            return fdx.read(path)
        case ".fountain" | ".txt" | ".spmd" | ".md":
            return fountain.read(path)
        case ".pdf" | ".fdr" | ".celtx" | ".docx" | ".doc" | ".rtf" | ".fadein" | ".highland":
            raise InputError(
                f"{path} is a kind of script that is not read; "
                "export it as Final Draft (.fdx) or Fountain."
            )
    raise InputError(f"{path} is no script that is known; give a .fdx or .fountain file.")
