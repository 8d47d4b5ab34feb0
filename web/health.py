"""Whether a server answers: `python -m web.health URL` ends with 0 where it does, else with 1."""

from __future__ import annotations

import sys
from urllib.error import URLError
from urllib.request import urlopen

_PATIENCE_S = 4.0


def healthy(url: str) -> bool:
    """Whether an http address answers with success within a few seconds."""
    if not url.startswith(("http://", "https://")):
        return False
    try:
        with urlopen(url, timeout=_PATIENCE_S) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) == 2 and healthy(sys.argv[1]) else 1)
