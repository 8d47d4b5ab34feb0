"""What is installed is what was tested: the lock, the constraints and pyproject agree."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKED_EXTRAS = ("postgres", "draft")
REGISTRY = "https://registry.npmjs.org/"


def _pins(text: str) -> dict[str, str]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def _locked() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_lock_pins_the_versions_that_the_constraints_do() -> None:
    constraints = _pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    locked = _pins(_locked())
    both = locked.keys() & constraints.keys()
    assert len(both) > 100
    assert {name: locked[name] for name in both} == {name: constraints[name] for name in both}


def test_all_that_roomtone_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"]]
    for extra in LOCKED_EXTRAS:
        asked += project["optional-dependencies"][extra]
    locked = _pins(_locked())
    for line in asked:
        need = Requirement(line)
        version = locked.get(canonicalize_name(need.name))
        assert version is not None, f"{need.name} is not in requirements.lock: run `make lock`"
        assert need.specifier.contains(version), f"{line} is locked at {version}: run `make lock`"


def test_every_locked_package_has_hashes_and_comes_from_no_other_place() -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", _locked().split("\n", 2)[2])
    assert len(entries) > 100
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
        assert "://" not in entry


def test_every_browser_library_has_a_checksum() -> None:
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: part for name, part in lock["packages"].items() if name}
    assert packages
    for name, part in packages.items():
        assert part["integrity"].startswith("sha512-"), name
        assert part.get("resolved", REGISTRY).startswith(REGISTRY), name
