"""How many people are expected to speak in a take: by its recorder's notes and by the script."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from adapters.scripts.read import read_script
from core.media import MediaFile
from core.script import Script, plain_name, scene_likeness, script_lines
from flows.channels import people_named
from flows.workspace import Workspace

_SAME_SCENE = 0.8


def expected_speakers(work: Workspace, media: MediaFile) -> int | None:
    """How many people should speak in a take at most, or None where nothing tells.

    Where a person set the number it is not asked. The recorder names whoever wears a microphone,
    also on tracks that are not in this file (two or more: one alone tells nothing of the others);
    the script names the characters of the take's scene. Each may lack somebody, so of both the
    larger number counts. Raises InputError where the script that is set can't be read.
    """
    if work.settings.speakers:
        return None
    worn = len(people_named(media))
    written = len(_characters(work.settings.script, media.notes.scene))
    return max(worn if worn > 1 else 0, written) or None


def check_script(work: Workspace) -> None:
    """Raises InputError where the script that is set can't be read."""
    _characters(work.settings.script, "")


def _characters(path: Path | None, scene: str) -> set[str]:
    """Who speaks in a scene of a script, by the number on the slate."""
    if path is None:
        return set()
    script = _script(path, path.stat().st_mtime_ns if path.is_file() else 0)
    return {
        plain_name(line.character)
        for line in script_lines(script)
        if scene_likeness(line.scene, scene) >= _SAME_SCENE
    }


@lru_cache(maxsize=2)
def _script(path: Path, _changed: int) -> Script:
    return read_script(path)
