"""The page in a real browser: found, heard, swapped at the same place, and nothing from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import Served, breaks_no_rule, plays, served, started_browser, tab_of, until
from production import Home, tell

SAID = {
    "1-T01": ((8, "what joy there is in living"), (52, "never mind the suitcase")),
    "1-T02": ((40, "nothing but joy <b>here</b>"),),
}


@pytest.fixture(scope="module")
def site(delivered: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The page of a home whose takes were heard."""
    folder = tmp_path_factory.mktemp("page") / "home"
    shutil.copytree(delivered.home.folder, folder)
    home = Home(folder)
    tell(home, SAID)
    with served(home) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser that stays on this machine."""
    with started_browser() as started:
        yield started


@pytest.fixture
def page(browser: Any, site: Served) -> Iterator[Any]:
    """A tab at 1280 pixels; no fault in its console, no request that leaves the host."""
    with tab_of(browser, site.address) as tab:
        yield tab


def state(page: Any) -> Any:
    """Where the player is and what it plays."""
    return page.evaluate("[roomtone.player.time, roomtone.player.playing, roomtone.player.version]")


def test_a_line_is_typed_found_and_heard_without_a_mouse(page: Any, site: Served) -> None:
    page.goto(site.address)
    page.keyboard.type("joy there is")
    page.wait_for_selector(".line")
    assert page.locator(".line mark").first.inner_text() == "joy there is"
    assert page.locator(".take h2 a").all_inner_texts()[0] == "1-T01"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    plays(page)
    assert page.locator(".line.heard").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_url("**/takes/**")
    until(page, "roomtone.player.time > 0.3")
    line = page.locator(".line:focus")
    assert "joy there is" in line.inner_text()
    # The page counts timecode as the server does.
    at = line.get_attribute("data-start")
    page.evaluate(f"roomtone.player.seek({at} / 48000 + 1e-6)")
    said = line.locator(".tc").inner_text()
    until(page, f"document.getElementById('where').textContent === '{said}'")


def test_what_is_heard_is_swapped_at_the_same_place(page: Any, site: Served) -> None:
    page.goto(f"{site.address}/?q=joy")
    page.locator(".line .hear").first.click()
    plays(page)
    page.evaluate(
        """() => { const p = roomtone.player; window.swaps = [];
        for (const [k, v] of [["2", "cleaned"], ["3", "removed"], ["1", "raw"]])
          setTimeout(() => { const t = p.time, n = performance.now();
            document.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}));
            setTimeout(() => swaps.push([p.version, (p.time - t) - (performance.now() - n) / 1000,
              p.playing]), 60); }, 100 * Number(k)); }"""
    )
    until(page, "window.swaps.length === 3")
    swaps = page.evaluate("window.swaps")
    assert {version for version, _, playing in swaps if playing} == {"raw", "cleaned", "removed"}
    assert max(abs(off) for _, off, _ in swaps) < 0.05


def test_removed_and_cleaned_are_heard_as_what_they_are(page: Any, site: Served) -> None:
    """Through the page's own mixing: raw times the gain is cleaned and removed together."""
    page.goto(f"{site.address}/?q=joy")
    page.locator(".line .hear").first.click()
    plays(page)
    page.evaluate("roomtone.player.pause()")
    heard = page.evaluate(
        """async () => { const p = roomtone.player;
        const line = document.querySelector(".line.heard").dataset;
        const address = `/api/v1/takes/${line.take}/excerpt?start=${line.start}&end=${line.end}`;
        const bytes = await (await fetch(address)).arrayBuffer();
        const sound = await p.context.decodeAudioData(bytes);
        const [l, r] = [sound.getChannelData(0), sound.getChannelData(1)];
        const power = (f) => l.reduce((sum, _, i) => sum + f(i) ** 2, 0);
        const got = {};
        for (const v of ["raw", "cleaned", "removed"]) { p.hear(v);
          await new Promise(go => setTimeout(go, 60));
          const [a, b] = p.mixers.map(m => m.gain.value);
          got[v] = [a, b, power(i => a * l[i] + b * r[i]) / power(i => l[i])]; }
        return [got, p.gain]; }"""
    )
    mixes, gain = heard
    assert mixes["raw"][:2] == [1, 0]
    assert mixes["cleaned"][:2] == [0, 1]
    assert mixes["removed"][:2] == pytest.approx([gain, -1])
    assert 0 < mixes["removed"][2] < 0.5 < mixes["cleaned"][2] < 1.5


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_pages_break_no_rule_of_accessibility(
    browser: Any, site: Served, width: int, theme: str
) -> None:
    with tab_of(browser, site.address) as page:
        page.goto(f"{site.address}/?q=joy")
        take = str(page.locator(".take h2 a").first.get_attribute("href"))
    breaks_no_rule(
        browser, site.address, ["/?q=joy", "/", "/takes", take, "/speakers"], width, theme
    )


def test_a_line_is_corrected_in_place_and_found_by_both_texts(page: Any, site: Served) -> None:
    page.goto(f"{site.address}/?q=suitcase")
    page.locator(".line a.tc").click()
    until(page, "document.querySelector('.line:focus')")
    page.keyboard.press("e")
    page.keyboard.type("never mind the briefcase <i>")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.line:focus .corrected')?.hidden === false")
    assert page.locator(".line:focus .word").all_inner_texts()[-2:] == ["briefcase", "<i>"]
    for words in ("briefcase", "suitcase"):
        page.goto(f"{site.address}/?q={words}")
        assert page.locator(".line mark").first.inner_text() == words
    page.locator(".line a.tc").first.click()
    until(page, "document.querySelector('.line:focus')")
    page.keyboard.press("e")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.line:focus .corrected')?.hidden")
    assert page.locator(".line:focus .word").all_inner_texts()[-1] == "suitcase"


def test_a_speaker_is_named_where_they_speak_and_it_is_taken_back(page: Any, site: Served) -> None:
    page.goto(f"{site.address}/?q=suitcase")
    page.locator(".line a.tc").click()
    until(page, "document.querySelector('.line:focus')")
    page.keyboard.press("r")
    page.keyboard.type("MARTA <i>")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.line .speaker')?.textContent === 'MARTA <i>'")
    assert "REN is MARTA <i> from now on" in page.locator("#said").inner_text()
    page.locator("#said button").click()
    until(page, "document.querySelector('.line .speaker')?.textContent === 'REN'")
    page.goto(f"{site.address}/speakers")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    plays(page)
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.value") == "REN"


def test_a_take_is_tagged_in_place_and_found_by_its_tag(page: Any, site: Served) -> None:
    page.goto(f"{site.address}/?q=suitcase")
    page.locator(".take h2 a").click()
    page.locator("#tag").fill("Loud <b>")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.tag')?.dataset.tag === 'loud <b>'")
    page.goto(f"{site.address}/?q=joy")
    page.wait_for_selector(".line")
    page.locator("select[name=tag]").select_option("loud <b>")
    until(page, "document.querySelectorAll('section.take').length === 1")
    assert page.locator(".take h2 .tag").inner_text() == "loud <b>"
    assert "tag=loud" in page.url
    page.locator(".take h2 a").click()
    page.get_by_role("button", name="Take the tag loud <b> off").click()
    until(page, "!document.querySelector('.tag')")


def test_an_unknown_name_is_told_and_not_blamed_on_the_words(page: Any, site: Served) -> None:
    page.goto(f"{site.address}/?q=joy&take=1-T09")
    assert "No take '1-T09' is known here; near it: 1-T0" in page.locator("#results").inner_text()
    assert page.locator("details.more").get_attribute("open") is not None


def test_what_was_said_is_text_and_nothing_else(page: Any, site: Served) -> None:
    page.goto(f"{site.address}/?q=%3Cscript%3Ealert(1)%3C/script%3E+here")
    assert "<b>here</b>" in page.locator("#results").inner_text()
    assert page.locator("#results b").count() == 0


def test_the_command_serves_until_it_is_told_to_end(own_home: Home) -> None:
    process = own_home.start("serve", "--port", "0", "--json")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    address = json.loads("".join(lines))["address"]
    code = subprocess.run(
        [sys.executable, "-c", "import sys, urllib.request as u; u.urlopen(sys.argv[1])", address],
        env=os.environ,
        check=False,
    ).returncode
    process.terminate()
    # It ends in good order, and then as the signal asked.
    assert (code, -process.wait(timeout=20)) == (0, signal.SIGTERM)
