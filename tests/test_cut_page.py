"""The page of a cut in a real browser: walked with the keys, heard at any place, compared."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Served, breaks_no_rule, served, started_browser, tab_of, until
from production import PER_FRAME, RATE, Delivered, Home, Play, tell, write_otio
from sqlalchemy import select

import db.tables
from db.engine import open_database

V3 = (
    Play("A1 DX", "1-T01", 6, 20, 30),
    Play("A1 DX", "1-T02", 60, 30, 46),
    Play("A2 LAV", "1-T02", 20, 25, 50, channel=1),
)


@pytest.fixture(scope="module")
def site(
    delivered: Delivered, film: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The page of a home with two versions of a cut; a gate holds a microphone of the first."""
    folder = tmp_path_factory.mktemp("cut page")
    home = Home(folder / "home")
    shutil.copytree(delivered.home.folder, home.folder)
    second = write_otio(folder / "small <b>film v3.otio", V3, sound=str(film / "sound"))
    ran = home.run("clean", second, "--media", film / "sound", "--out", folder / "out", "--direct")
    assert ran.code == 0, ran.err
    tell(home, {"1-T02": ((30, "never mind the suitcase"),)})
    database = open_database(home.folder / "roomtone.db")
    with database.write() as session:
        held = session.scalars(
            select(db.tables.CutEvent.take_key).where(db.tables.CutEvent.event == "A2 LAV/002")
        ).one()
        row = session.scalars(
            select(db.tables.Activity).where(db.tables.Activity.key == held)
        ).one()
        gates = [[{**gate, "value": 99.0} for gate in one] for one in row.parameters["gates"]]
        row.parameters = {**row.parameters, "gates": gates}
    database.close()
    with served(home) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser that stays on this machine."""
    with started_browser() as started:
        yield started


@pytest.fixture
def page(browser: Any, site: Served) -> Iterator[Any]:
    """A tab with the list of cuts."""
    with tab_of(browser, site.address) as tab:
        tab.goto(f"{site.address}/cuts")
        yield tab


def opened(page: Any, name: str) -> str:
    """Open the page of a cut by its timeline; the address."""
    page.get_by_role("link", name=name).click()
    page.wait_for_url("**/cuts/*")
    until(page, "window.roomtone?.player")
    return str(page.url)


def chosen(page: Any) -> Any:
    """Id and state of the event that is chosen, as a screen reader finds it."""
    return page.evaluate(
        """() => { const reel = document.getElementById("reel");
        const at = document.getElementById(reel.getAttribute("aria-activedescendant"));
        return [at.dataset.id, at.dataset.state, at.getAttribute("aria-selected")]; }"""
    )


def test_events_are_walked_with_the_arrows_and_enter_opens_the_take_there(page: Any) -> None:
    opened(page, "v1.otio")
    assert page.locator("#reel").get_by_role("option").count() == 5
    page.keyboard.press("ArrowRight")
    assert chosen(page)[0] == "A1 DX/001"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    # The lav plays frames 20 to 70; the boom's second event starts within that.
    assert chosen(page) == ["A2 LAV/001", "cleaned", "true"]
    assert "REN" in page.locator("#event-facts").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/takes/**")
    # Frame 44 of the record is 24 into the lav's event, which starts at frame 25 of the take.
    assert page.url.endswith(f"?channel=1#at={(25 + 24) * PER_FRAME}")


def test_what_a_gate_holds_is_found_by_a_key(page: Any) -> None:
    opened(page, "v1.otio")
    page.keyboard.press("n")
    assert chosen(page) == ["A2 LAV/002", "flagged", "true"]
    assert "limit" in page.locator("#event-facts").inner_text()
    page.get_by_role("link", name="its setup").click()
    page.wait_for_url("**/review/*")


def test_a_track_is_heard_from_the_event_and_swapped_at_the_same_place(page: Any) -> None:
    opened(page, "v1.otio")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    first = 44 * PER_FRAME / RATE
    until(page, f"roomtone.player.playing && roomtone.player.time > {first} + 0.05")
    assert page.evaluate("roomtone.player.time") < first + 3
    for key, version in (("2", "cleaned"), ("3", "removed"), ("1", "raw")):
        before = page.evaluate("roomtone.player.time")
        page.keyboard.press(key)
        told = page.evaluate(
            "[roomtone.player.version, roomtone.player.playing, roomtone.player.time]"
        )
        assert told[:2] == [version, True]
        assert told[2] >= before
    assert page.evaluate("roomtone.player.gain") == 1


def test_versions_are_compared_and_a_change_leads_to_its_event(page: Any) -> None:
    opened(page, "film")
    until(page, "document.querySelector('select[name=against]')")
    page.locator("select[name=against]").select_option(label="v1, v1.otio")
    until(page, "document.querySelector('#changes tbody')")
    rows = page.locator("#changes tbody tr").all_inner_texts()
    assert any("tail trimmed by 14" in row for row in rows)
    page.locator("#changes button.go", has_text="A1 DX/002").click()
    assert chosen(page)[0] == "A1 DX/002"


def test_a_cut_is_asked_to_be_cleaned_again_and_the_run_is_shown(page: Any) -> None:
    opened(page, "v1.otio")
    page.get_by_role("button", name="Clean again").click()
    page.wait_for_url("**/runs/*")
    assert "v1.otio" in page.locator("main").inner_text()


def test_names_of_cuts_are_text_and_nothing_else(page: Any) -> None:
    opened(page, "film")
    assert "<b>film" in page.locator("h1").inner_text()
    assert page.locator("h1 b").count() == 0


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_pages_of_cuts_break_no_rule_of_accessibility(
    browser: Any, site: Served, page: Any, width: int, theme: str
) -> None:
    cut = opened(page, "v1.otio").removeprefix(site.address)
    breaks_no_rule(browser, site.address, ["/cuts", cut], width, theme)
