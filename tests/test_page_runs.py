"""Runs in a real browser: one is asked for, seen at work, seen to end, and cancelled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import Served, breaks_no_rule, served, started_browser, tab_of, until
from production import Delivered, Home

from config.settings import Settings
from core.run import Wanted
from db.codec import now
from db.engine import open_database
from db.runs import add_run
from flows.worker import start_worker


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started_browser() as started:
        yield started


@pytest.fixture(scope="module")
def busy(delivered: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page of a home that has cleaned a cut, with a worker and a folder with more cuts."""
    folder = tmp_path_factory.mktemp("busy")
    shutil.copytree(delivered.home.folder, folder / "home")
    shutil.copytree(delivered.film, folder / "film")
    (folder / "film" / "no cut.otio").write_text("{ not json")
    settings: dict[str, Any] = {
        "media": (folder / "film",),
        "deliveries": folder / "deliveries",
        "denoiser": "rnnoise",
        "recogniser": "none",
    }
    handle = start_worker(Settings(home=folder / "home", **settings))
    with served(Home(folder / "home"), **settings) as found:
        yield found
    handle.stop()


@pytest.fixture
def tab(browser: Any, busy: Served) -> Iterator[Any]:
    with tab_of(browser, busy.address) as page:
        yield page


def choose(page: Any, name: str) -> None:
    value = page.locator("select[name=cut] option", has_text=name).first.get_attribute("value")
    page.select_option("select[name=cut]", value)


def test_a_run_is_asked_for_and_seen_to_end(tab: Any, busy: Served) -> None:
    tab.goto(f"{busy.address}/runs")
    assert tab.locator(".run .state").first.inner_text() == "done"
    choose(tab, "v2.otio")
    tab.get_by_role("button", name="Clean", exact=True).press("Enter")
    tab.wait_for_url("**/runs/*")
    assert tab.locator("h1").inner_text().endswith("Clean a cut: v2.otio")
    tab.wait_for_selector("#run[data-state=done]", timeout=120_000)
    # Of the three takes that it plays, two were cleaned for the first cut.
    assert tab.locator("#run .what").inner_text() == "3 takes, 1 cleaned now"
    with tab.context.expect_page() as opened:
        tab.get_by_role("link", name="Report").click()
    opened.value.wait_for_load_state()
    assert "v2" in opened.value.title()
    delivery = busy.home.folder.parent / "deliveries" / "v2_roomtone"
    assert (delivery / "stems").is_dir()


def test_why_a_run_failed_is_told_and_it_is_done_again(tab: Any, busy: Served) -> None:
    tab.goto(f"{busy.address}/runs")
    choose(tab, "no cut.otio")
    tab.get_by_role("button", name="Clean", exact=True).click()
    tab.wait_for_selector("#run[data-state=failed]", timeout=60_000)
    assert "no cut.otio" in tab.locator("#run .failed").inner_text()
    tab.goto(f"{busy.address}/runs")
    row = tab.locator(".run").first
    assert row.get_attribute("data-state") == "failed"
    row.get_by_role("button", name="Do run").press("Enter")
    until(tab, "document.querySelector('.run').dataset.state !== 'failed'")
    tab.wait_for_selector(".run:first-child[data-state=failed]", timeout=60_000)


def test_a_run_that_waits_is_cancelled_in_the_list(tab: Any, busy: Served) -> None:
    database = open_database(busy.home.folder / "roomtone.db")
    with database.write() as session:
        # No worker here knows such a job, so it waits.
        number = add_run(session, "dream", Wanted(()), "jo", now()).id
    database.close()
    tab.goto(f"{busy.address}/runs")
    tab.get_by_role("button", name=f"Cancel run {number}").press("Enter")
    until(tab, f"document.querySelector('[data-run=\"{number}\"]').dataset.state === 'cancelled'")
    until(tab, f"document.getElementById('said').innerText.includes('Run {number} is cancelled.')")


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_pages_of_runs_break_no_rule_of_accessibility(
    browser: Any, busy: Served, width: int, theme: str
) -> None:
    breaks_no_rule(browser, busy.address, ["/runs", "/runs/1"], width, theme)
