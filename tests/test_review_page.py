"""The review queue in a real browser: heard, decided by keys, and obeyed by the next run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Served, breaks_no_rule, plays, served, started_browser, tab_of, until
from production import Delivered, Home


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser that stays on this machine."""
    with started_browser() as started:
        yield started


@pytest.fixture
def site(held: Delivered, tmp_path: Path) -> Iterator[Served]:
    """The page of a home in which three setups wait."""
    shutil.copytree(held.home.folder.parent, tmp_path / "desk")
    with served(Home(tmp_path / "desk" / "home")) as found:
        yield found


@pytest.fixture
def page(browser: Any, site: Served) -> Iterator[Any]:
    """A tab with the queue."""
    with tab_of(browser, site.address) as tab:
        tab.goto(f"{site.address}/review")
        until(tab, "window.roomtone?.player")
        yield tab


def count(page: Any, state: str) -> str:
    """How many setups the page says are in a state."""
    return str(page.locator(f'[data-count="{state}"]').inner_text())


def test_a_setup_is_heard_and_approved_and_the_next_run_obeys(
    page: Any, site: Served, held: Delivered
) -> None:
    assert page.locator(".setup h2").all_inner_texts() == [
        "Scene 1 BOOM",
        "Scene 1 MARA",
        "Scene 1 REN",
    ]
    assert count(page, "waiting") == "3"
    page.keyboard.press("n")
    page.keyboard.press("Space")
    plays(page)
    before = page.evaluate("roomtone.player.time")
    for key, version in (("2", "cleaned"), ("3", "removed"), ("1", "raw")):
        page.keyboard.press(key)
        assert page.evaluate("roomtone.player.version") == version
        assert page.evaluate("roomtone.player.time") >= before
    page.keyboard.press("a")
    page.wait_for_selector('.setup[data-state="approved"]')
    assert count(page, "waiting") == "2"
    assert "approved" in page.locator(".decisions").first.inner_text()
    page.reload()
    assert "Scene 1 BOOM" not in page.locator(".setup h2").all_inner_texts()
    folder = site.home.folder.parent
    words = ("--recipe", folder / "harsh.toml", "--out", folder / "out" / "v1", "--direct")
    ran = site.home.run("clean", held.film / "v1.otio", *words)
    assert ran.code == 0, ran.err
    listed = json.loads((folder / "out" / "v1" / "delivery.json").read_text("utf-8"))
    assert not [text for text in listed["flagged"] if " BOOM: " in text]
    assert all("approved by" in text for text in listed["approved"])


def test_all_is_decided_from_the_keyboard(page: Any) -> None:
    page.keyboard.press("n")
    page.keyboard.press("t")
    page.keyboard.press("b")
    page.wait_for_selector(".decisions")
    boom = page.locator(".setup").first
    assert "left as recorded for 1-T01" in boom.locator(".decisions").inner_text()
    page.keyboard.press("u")
    page.wait_for_selector(".decisions .undone")
    page.keyboard.press("c")
    page.keyboard.type("thin <b>breath</b>")
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.decisions li').length === 2")
    assert "“thin <b>breath</b>”" in boom.locator(".decisions").inner_text()
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.closest('.setup').dataset.state") == "waiting"
    page.keyboard.press("Shift+G")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    page.wait_for_selector('.setup[data-state="decided"]')
    assert "at most 4 dB" in page.locator(".decisions").last.inner_text()
    page.keyboard.press("n")
    page.keyboard.press("l")
    page.wait_for_selector('.setup[data-state="approved"]')
    assert (count(page, "waiting"), count(page, "decided"), count(page, "approved")) == (
        "1",
        "1",
        "1",
    )


def test_what_can_not_be_decided_is_said(page: Any) -> None:
    page.keyboard.press("a")
    page.wait_for_selector("#said p")
    assert "Choose a setup first" in page.locator("#said").inner_text()
    page.keyboard.press("n")
    page.keyboard.press("u")
    until(page, "document.getElementById('said').textContent.includes('nothing to undo')")


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_it_breaks_no_rule_of_accessibility(
    browser: Any, site: Served, width: int, theme: str
) -> None:
    breaks_no_rule(browser, site.address, ["/review", "/review?show=all"], width, theme)
