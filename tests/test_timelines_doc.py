"""The table of real timelines in the documentation says what reading them gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from production import ROOT
from timelines_table import rows


@pytest.mark.shared
def test_the_table_is_what_the_readers_give(shared: Path) -> None:
    text = (ROOT / "docs" / "TIMELINES.md").read_text("utf-8")
    written = [line for line in text.splitlines() if line.startswith(("| aaf/", "| edl/"))]
    written += [line for line in text.splitlines() if line.startswith(("| fcp", "| otio/"))]
    assert sorted(written) == sorted(rows(shared / "timelines"))
