"""The page in a real browser. What imports this is skipped where there is none."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from production import ROOT, Home

from config.settings import Settings
from flows.workspace import open_workspace
from web.access import Access
from web.app import create_app
from web.libraries import missing

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
if CHROMIUM is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)
if missing() or not AXE.is_file():
    pytest.skip("the browser libraries are missing: make install", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")


@dataclass
class Served:
    """A home's page on a loopback port."""

    home: Home
    address: str


@contextlib.contextmanager
def served(home: Home, **settings: Any) -> Iterator[Served]:
    """Serve a home from a thread of this process."""
    with open_workspace(Settings(home=home.folder, **settings)) as work:
        app = create_app(work, Access(home.folder, open_to_all=True))
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        yield Served(home, f"http://127.0.0.1:{bound.getsockname()[1]}")
        server.should_exit = True
        thread.join(timeout=10)


@contextlib.contextmanager
def started_browser() -> Iterator[Any]:
    """A browser that stays on this machine."""
    with sync_api.sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-gpu",
                  "--autoplay-policy=no-user-gesture-required"],
        )  # fmt: skip
        yield started
        started.close()


@contextlib.contextmanager
def tab_of(browser: Any, address: str) -> Iterator[Any]:
    """A tab at 1280 pixels; no fault in its console, no request that leaves `address`."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    faults: list[str] = []
    tab.on("pageerror", lambda fault: faults.append(str(fault)))
    tab.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    yield tab
    context.close()
    assert faults == []
    assert {url for url in asked if not url.startswith((address, "blob:", "data:"))} == set()


def until(page: Any, true: str) -> None:
    """Wait for something to be true in the page, whose policy forbids the library's own way."""
    for _ in range(200):
        # A page that is just being loaded anew can't answer.
        with contextlib.suppress(sync_api.Error):
            if page.evaluate(true):
                return
        page.wait_for_timeout(50)
    raise AssertionError(f"{true} never came true")


def plays(page: Any) -> None:
    """Wait until something is heard."""
    until(page, "window.roomtone?.player.playing && roomtone.player.time > 0.1")


def breaks_no_rule(browser: Any, address: str, paths: list[str], width: int, theme: str) -> None:
    """Ask axe about pages, and that none is wider than the window."""
    # The page's policy lets no foreign script in, which axe is.
    context = browser.new_context(viewport={"width": width, "height": 800}, bypass_csp=True)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    for path in paths:
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE.read_text("utf-8") + "; 0")
        found = page.evaluate("axe.run()")
        told = [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]]
        assert told == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
