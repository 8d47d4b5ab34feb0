"""Fixtures that more than one test file needs."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the shared data where that folder is absent."""
    if SHARED.is_dir():
        return
    skip = pytest.mark.skip(reason=f"needs the shared data, and {SHARED} is absent")
    for item in items:
        if "shared" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data folder (mark the test `shared`)."""
    return SHARED


@pytest.fixture(scope="session")
def harbour() -> Path:
    """The small production with its truth (mark the test `shared`)."""
    return SHARED / "production" / "harbour"
