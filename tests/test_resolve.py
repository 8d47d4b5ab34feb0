"""The script in DaVinci Resolve's menu, run as Resolve does, against a host of paper."""
# ruff: noqa: N802 (the host's names)

from __future__ import annotations

import ast
import json
import os
import runpy
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from production import Delivered, Home, sound_of

from adapters.resolve import menu
from adapters.resolve.install import CONFIG, SCRIPT, scripts_folder
from config.settings import Settings
from db.runs import latest_runs
from flows.service import start_service
from flows.workspace import open_workspace
from web.access import Access
from web.app import create_app


class MadeUp:
    """What the host gives for a name that it does not know: something, of no use."""

    def __call__(self, *_: Any) -> None:
        return None


class Known:
    """An object of the host's: unknown names give something all the same."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MadeUp()


class Clip(Known):
    def __init__(self, name: str) -> None:
        self.name = name

    def GetName(self) -> str:
        return self.name


class Folder(Clip):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.folders: list[Folder] = []
        self.clips: list[str] = []

    def GetSubFolderList(self) -> list[Folder]:
        return self.folders


class Pool(Known):
    def __init__(self) -> None:
        self.root = Folder("Master")
        self.current = self.root

    def GetRootFolder(self) -> Folder:
        return self.root

    def AddSubFolder(self, folder: Folder, name: str) -> Folder:
        folder.folders.append(Folder(name))
        return folder.folders[-1]

    def SetCurrentFolder(self, folder: Folder) -> bool:
        self.current = folder
        return True

    def ImportMedia(self, paths: list[str]) -> list[Clip]:
        assert all(isinstance(path, str) and Path(path).is_file() for path in paths)
        self.current.clips += paths
        return [Clip(Path(path).name) for path in paths]


class Timeline(Known):
    """Exports a cut that lies ready, in the formats that it is given. asked: the kinds, in turn."""

    def __init__(self, name: str, cuts: dict[float, Path]) -> None:
        self.name, self.cuts, self.asked = name, cuts, []  # type: ignore[var-annotated]

    def GetName(self) -> str:
        return self.name

    def Export(self, path: str, kind: float, subtype: float | None = None) -> bool:
        assert isinstance(path, str)
        assert isinstance(kind, float)
        self.asked.append(kind)
        if kind not in self.cuts:
            return False
        shutil.copyfile(self.cuts[kind], path)
        return True


class Project(Known):
    def __init__(self, timeline: Timeline | None) -> None:
        self.timeline, self.pool = timeline, Pool()

    def GetCurrentTimeline(self) -> Timeline | None:
        return self.timeline

    def GetMediaPool(self) -> Pool:
        return self.pool


class Manager(Known):
    def __init__(self, project: Project | None) -> None:
        self.project = project

    def GetCurrentProject(self) -> Project | None:
        return self.project


class Host(Known):
    """DaVinci Resolve, as far as its scripting README says; constants are floats, as Lua has it."""

    EXPORT_NONE = 0.0
    EXPORT_EDL = 4.0
    EXPORT_FCP_7_XML = 3.0

    def __init__(self, project: Project | None) -> None:
        self.manager = Manager(project)

    def GetProjectManager(self) -> Manager:
        return self.manager


class Newer(Host):
    """One that has OTIO, from 18.5."""

    EXPORT_OTIO = 14.0


@pytest.fixture
def person(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home folder, with a place for exported timelines; no waiting between looks."""
    monkeypatch.setattr(Path, "home", lambda: bare)
    (bare / "turnover").mkdir()
    return bare


def script_of(person: Path, *words: str | Path) -> Path:
    """The installed script."""
    home = Home(person / "home", {"HOME": str(person)})
    done = home.run("resolve", "install", "--folder", person / "turnover", *words, "--json")
    assert done.code == 0, done.err
    return Path(done.json["script"])


def run_script(script: Path, host: Any, **more: Any) -> None:
    """As the host runs it: with its objects among the globals."""
    runpy.run_path(str(script), {"resolve": host, **more}, "__main__")


@pytest.mark.parametrize(
    ("system", "environment", "folder"),
    [
        ("darwin", {}, "Library/Application Support/Blackmagic Design/DaVinci Resolve"),
        ("linux", {}, ".local/share/DaVinciResolve"),
        (
            "win32",
            {"APPDATA": "/home/anna/Roaming"},
            "Roaming/Blackmagic Design/DaVinci Resolve/Support",
        ),
        ("win32", {}, "AppData/Roaming/Blackmagic Design/DaVinci Resolve/Support"),
    ],
)
def test_the_script_goes_where_resolve_looks_for_a_persons_scripts(
    system: str, environment: dict[str, str], folder: str
) -> None:
    found = scripts_folder(system, Path("/home/anna"), environment, "Edit")
    assert found == Path("/home/anna") / folder / "Fusion" / "Scripts" / "Edit"


def test_the_script_needs_nothing_but_its_python(person: Path) -> None:
    """It runs alone, apart from roomtone and all that is installed, and says what it needs."""
    script = script_of(person)
    ast.parse(script.read_text("utf-8"), feature_version=(3, 7))
    assert script == scripts_folder(sys.platform, person, os.environ, "Edit") / SCRIPT
    done = subprocess.run(
        [sys.executable, "-I", "-S", script],
        env={"HOME": str(person)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == (
        "roomtone: Start this from the menu Workspace > Scripts of DaVinci Resolve."
    )
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.fixture
def served(
    delivered: Delivered, own_home: Home, person: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of a `serve` that has cleaned the takes of the film before, with its worker."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    settings = Settings(
        home=own_home.folder,
        media=(delivered.film,),
        cut_folders=(person / "turnover",),
        denoiser="rnnoise",
        recogniser="none",
    )
    # The home of the person's own commands is the server's, as on one machine.
    (person / "home").symlink_to(own_home.folder)
    with open_workspace(settings) as work:
        app = create_app(work, Access(settings.home, open_to_all=True))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        handle = start_service(settings.model_copy(update={"cut_folders": ()}))
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        with work.database.read() as session:
            assert any(run.by.startswith("Resolve on ") for run in latest_runs(session))
        handle.stop()
        server.should_exit = True
        thread.join(10)


def test_the_current_timeline_is_cleaned_and_its_stems_come_into_the_pool(
    served: str, person: Path, delivered: Delivered, capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_of(person, "--server", served, "--stems")
    config = person / CONFIG
    assert config.stat().st_mode & 0o777 == 0o600
    project = Project(Timeline("v1", {14.0: delivered.film / "v1.otio"}))
    run_script(script, Newer(project))
    said = capsys.readouterr().out.splitlines()
    out = person / "turnover" / "v1_roomtone"
    assert said[0] == "roomtone: Exporting v1."
    assert said[-1].startswith(f"roomtone: Done: 4 takes, 0 cleaned now, in {out}")
    assert any("of" in line or "begins" in line or "waits" in line for line in said[1:-1])
    assert sound_of(out) == sound_of(delivered.out)
    (folder,) = project.pool.root.folders
    assert folder.name == "roomtone"
    assert [Path(path).name for path in folder.clips] == [
        "v1.A1_DX.DX.wav",
        "v1.A2_LAV.DX.wav",
        "v1.DX.wav",
    ]
    # The token of before is kept.
    before = config.read_text()
    assert script_of(person, "--server", served, "--stems") == script
    assert config.read_text() == before


def test_an_older_host_exports_what_it_can_under_a_name_that_every_system_takes(
    person: Path, delivered: Delivered
) -> None:
    older = Timeline("v1: old/new", {4.0: delivered.film / "v1.edl"})
    path = menu.export(Host(None), older, person / "turnover")
    assert older.asked == [3.0, 4.0]
    assert path == person / "turnover" / "v1_ old_new.edl"
    assert list((person / "turnover").iterdir()) == [path]


class Refusing:
    """A window that its host takes away; what it said until then."""

    said: list[str]

    def __init__(self) -> None:
        self.said = []

    def VGroup(self, items: list[Any]) -> list[Any]:
        return items

    def Label(self, wanted: dict[str, Any]) -> Refusing:
        assert wanted["ID"] == "said"
        return self

    @property
    def UIManager(self) -> Refusing:
        return self

    def UIDispatcher(self, manager: Any) -> Refusing:
        return self

    def AddWindow(self, wanted: dict[str, Any], items: list[Any]) -> Refusing:
        return self

    def Show(self) -> None:
        pass

    def GetItems(self) -> dict[str, Refusing]:
        return {"said": self}

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "Text":
            self.said.append(value)
            return
        super().__setattr__(name, value)

    def StepLoop(self) -> None:
        raise RuntimeError("the window is gone")


def test_what_goes_wrong_is_told_in_a_sentence_and_in_the_window(
    person: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_of(person, "--server", "http://127.0.0.1:9")
    window = Refusing()
    cases: tuple[tuple[Any, str], ...] = (
        (Newer(None), "No timeline is open"),
        (Newer(Project(None)), "No timeline is open"),
        (Newer(Project(Timeline("v1", {}))), "did not export v1 (tried .otio, .xml, .edl)"),
        (Newer(Project(Timeline("v1", {14.0: script}))), "does not answer"),
    )
    for host, sentence in cases:
        run_script(script, host, fusion=window, bmd=window)
        assert sentence in capsys.readouterr().out
    assert "No timeline is open" in window.said[0]
    (person / CONFIG).unlink()
    run_script(script, Newer(None))
    assert "roomtone resolve install" in capsys.readouterr().out


def test_without_a_server_the_watched_folder_is_waited_for(
    person: Path, delivered: Delivered, capsys: pytest.CaptureFixture[str]
) -> None:
    script = script_of(person, "--server", "")
    out = person / "turnover" / "v1_roomtone"

    def deliver() -> None:
        until((person / "turnover" / "v1.otio").exists)
        out.mkdir()
        (out / "delivery.json").write_text(json.dumps({"state": "in progress"}))
        (out / "delivery.json").write_text(json.dumps({"state": "complete"}))

    thread = threading.Thread(target=deliver)
    thread.start()
    run_script(script, Newer(Project(Timeline("v1", {14.0: delivered.film / "v1.otio"}))))
    thread.join()
    assert capsys.readouterr().out.splitlines()[-1] == f"roomtone: Done: {out}."


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_token_that_is_needed_is_asked_for(person: Path) -> None:
    home = Home(person / "home")
    words = ("resolve", "install", "--folder", person / "turnover")
    elsewhere = home.run(*words, "--server", "https://studio:8765")
    assert (elsewhere.code, "--token-file" in elsewhere.err) == (2, True)
    assert home.run(*words, "--server", "studio").code == 2
    assert home.run("resolve", "install", "--folder", person / "none").code == 3
    (person / "token").write_text("secret-of-anna\n")
    given = home.run(*words, "--server", "https://studio:8765", "--token-file", person / "token")
    assert given.code == 0, given.err
    assert json.loads((person / CONFIG).read_text())["token"] == "secret-of-anna"
    assert "secret-of-anna" not in given.out + given.err
