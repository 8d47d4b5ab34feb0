"""Clean dialogue with roomtone: the current timeline is exported, and a run of it is asked for.

For the menu Workspace > Scripts of DaVinci Resolve; `roomtone resolve install` puts it there. One
file of the standard library alone, for Python 3.7 and later: Resolve runs it with a Python that it
finds. What it needs to know lies in `~/.roomtone-resolve.json`:

    server   address of `roomtone serve`, such as http://127.0.0.1:8765; empty: nobody is asked,
             and the folder is one that roomtone watches
    token    of an editor there (`roomtone tokens add NAME --role editor`)
    folder   where the timeline is exported to, a folder of `media` or `cut_folders` of the server
    stems    whether the dialogue stems are brought into the media pool once they are there
"""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONFIG = Path.home() / ".roomtone-resolve.json"
FORMATS = (
    ("EXPORT_OTIO", ".otio"),  # from 18.5
    ("EXPORT_FCPXML_1_9", ".fcpxml"),
    ("EXPORT_FCPXML_1_8", ".fcpxml"),
    ("EXPORT_FCP_7_XML", ".xml"),
    ("EXPORT_EDL", ".edl"),
)
"""What Resolve may export, the one that keeps most first: a host that is older lacks the first."""

LOOK_S = 1.0
LISTED_S = 20.0
"""How long a server may take to see a file that was saved on a share."""

WATCHED_S = 12 * 3600.0
CLOCKS_S = 2.0
"""By which the clock of a share may be behind."""

ANSWER_S = 30.0
BIN = "roomtone"


class ToldError(Exception):
    """A fault that the person is told in a sentence."""


class Console:
    """Says how far it is in Resolve's console, and in a small window where there are such."""

    def __init__(self, fusion: Any = None, dispatcher: Any = None) -> None:
        self._last = ""
        self._label: Any = None
        self._dispatcher: Any = None
        try:
            self._open(fusion, dispatcher)
        except Exception:  # a host without windows: the console is enough
            self._label = None

    def _open(self, fusion: Any, dispatcher: Any) -> None:
        if fusion is None or dispatcher is None:
            return
        ui = fusion.UIManager
        self._dispatcher = dispatcher(ui)
        label = ui.Label({"ID": "said", "Text": "", "WordWrap": True})
        window = self._dispatcher.AddWindow(
            {"ID": "roomtone", "WindowTitle": "roomtone", "Geometry": [200, 200, 520, 110]},
            [ui.VGroup([label])],
        )
        window.Show()
        self._label = window.GetItems()["said"]

    def say(self, text: str) -> None:
        """A sentence, unless it was said last."""
        if text == self._last:
            return
        self._last = text
        print("roomtone: " + text)
        sys.stdout.flush()
        try:
            if self._label is not None:
                self._label.Text = text
                self._dispatcher.StepLoop()
        except Exception:  # the window was closed
            self._label = None


class Server:
    """The JSON interface of `roomtone serve`. url: its address. token: of an editor."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        # Neither proxies nor redirects: the token goes where it was meant for.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight())

    def get(self, path: str) -> Any:
        """What it answers to a question. Raises ToldError."""
        return self._answer(path, None)

    def post(self, path: str, wanted: dict[str, Any]) -> Any:
        """What it answers to a wish. Raises ToldError."""
        return self._answer(path, json.dumps(wanted).encode("utf-8"))

    def _answer(self, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(
            self._url + "/api/v1/" + path,
            data=body,
            headers={
                "Authorization": "Bearer " + self._token,
                "Content-Type": "application/json",
            },
        )
        try:
            with self._opener.open(request, timeout=ANSWER_S) as answer:
                return json.loads(answer.read().decode("utf-8"))
        except urllib.error.HTTPError as fault:
            raise ToldError(self._refused(fault)) from None
        except (OSError, ValueError) as fault:
            reason = getattr(fault, "reason", fault)
            raise ToldError(
                f"{self._url} does not answer ({reason}): see that `roomtone serve` runs there."
            ) from None

    def _refused(self, fault: urllib.error.HTTPError) -> str:
        if fault.code in (401, 403):
            return (
                f"{self._url} does not take the token ({fault.code}): make one with "
                f"`roomtone tokens add NAME --role editor` and put it into {CONFIG}."
            )
        try:
            said = str(json.loads(fault.read().decode("utf-8"))["fault"])
        except (OSError, ValueError, KeyError, TypeError):
            said = f"HTTP status {fault.code}"
        return f"{self._url} refused: {said}"


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: Any) -> None:
        return None


def read_config(path: Path = CONFIG) -> dict[str, Any]:
    """What the person has set. Raises ToldError where it can't be read or lacks the folder."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise ToldError(
            f"{path} can't be read ({fault}): run `roomtone resolve install`."
        ) from None
    if not isinstance(found, dict) or not found.get("folder"):
        raise ToldError(f"{path} names no folder: run `roomtone resolve install`.")
    if found.get("server") and not found.get("token"):
        raise ToldError(f"{path} has no token: run `roomtone resolve install`.")
    return found


def current_timeline(host: Any) -> tuple[Any, Any]:
    """The project that is open, and its current timeline. Raises ToldError where there is none."""
    manager = host.GetProjectManager()
    project = manager.GetCurrentProject() if manager else None
    timeline = project.GetCurrentTimeline() if project else None
    if not timeline:
        raise ToldError("No timeline is open: open the one that shall be cleaned.")
    return project, timeline


def export(host: Any, timeline: Any, folder: Path) -> Path:
    """Export a timeline into a folder, in the best format that this host has; its path.

    The file gets its name once it is whole, as others watch the folder. Raises ToldError.
    """
    name = file_name(str(timeline.GetName()))
    if not folder.is_dir():
        raise ToldError(f"{folder} is no folder: see that the volume is there.")
    none = _constant(host, "EXPORT_NONE")
    tried = []
    for constant, suffix in FORMATS:
        kind = _constant(host, constant)
        if kind is None:
            continue
        # The suffix last: Resolve may add it where it lacks.
        part = folder / f".{name}.part{suffix}"
        how = (kind,) if none is None else (kind, none)
        if timeline.Export(str(part), *how) and part.exists():
            path = folder / f"{name}{suffix}"
            part.replace(path)
            return path
        tried.append(suffix)
    formats = f" (tried {', '.join(tried)})" if tried else ""
    raise ToldError(f"Resolve did not export {name}{formats}: see that {folder} can be written.")


def _constant(host: Any, name: str) -> Any:
    """A constant of the host; None where it has none. Hosts make up values for unknown names."""
    value = getattr(host, name, None)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def file_name(name: str) -> str:
    """A timeline's name as a file may be called on any system."""
    text = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", name).strip(" .")
    return text[:120] or "timeline"


def ask(server: Server, path: Path, sleep: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Ask for a run that cleans a cut which was saved now; the run. Raises ToldError.

    The server knows the cut by the names of its file and of the two folders around it.
    """
    folder = "/".join([part for part in re.split(r"[/\\]+", str(path.parent)) if part][-2:])
    waited = 0.0
    while True:
        for cut in server.get("runs/cuts"):
            if (cut["name"], cut["folder"]) == (path.name, folder):
                asked: dict[str, Any] = server.post("runs", {"cut": cut["id"]})
                return asked
        if waited >= LISTED_S:
            raise ToldError(
                f"The server does not see {path}: its folder must be one of `media` or "
                "`cut_folders` there."
            )
        sleep(LOOK_S)
        waited += LOOK_S


def follow(
    server: Server,
    run: dict[str, Any],
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Tell how far a run is until it has ended; the run. Raises ToldError for one that failed."""
    missed = 0
    while not run["ended"]:
        say(progress(run))
        sleep(LOOK_S)
        try:
            run = server.get(f"runs/{run['id']}")
            missed = 0
        except ToldError:
            # A server that starts anew still has the run.
            missed += 1
            if missed >= LISTED_S:
                raise
    if run["state"] != "done":
        why = run["fault"] or "somebody ended it"
        raise ToldError(f"Run {run['id']} is {run['state']}: {why}")
    return run


def progress(run: dict[str, Any]) -> str:
    """How far a run is, in words."""
    number, step = run["id"], run["step"]
    if run["state"] == "waiting":
        return f"Run {number} waits for a worker."
    if not step["name"]:
        return f"Run {number} begins."
    if step["total"]:
        return f"Run {number}: {step['name']} {step['done']} of {step['total']}"
    return f"Run {number}: {step['name']}"


def watched(
    path: Path,
    since: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Wait for what a watched folder delivers beside a cut; its folder. Raises ToldError.

    since: seconds of the epoch; what was delivered before is another version's.
    """
    out = path.parent / f"{path.stem}_roomtone"
    say(f"Saved {path}; waiting for {out}.")
    waited = 0.0
    while waited < WATCHED_S:
        if _delivered(out / "delivery.json", since):
            return out
        sleep(LOOK_S)
        waited += LOOK_S
    raise ToldError(f"Nothing was delivered to {out}: see that a worker watches the folder.")


def _delivered(listed: Path, since: float) -> bool:
    try:
        if listed.stat().st_mtime < since:
            return False
        found = json.loads(listed.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("state") == "complete"


def bring(project: Any, out: Path) -> int:
    """Bring the dialogue stems of a delivery into a bin of the media pool; how many."""
    stems = sorted(str(path) for path in (out / "stems").glob("*.DX.wav"))
    if not stems:
        return 0
    pool = project.GetMediaPool()
    root = pool.GetRootFolder()
    known = [item for item in root.GetSubFolderList() or [] if item.GetName() == BIN]
    pool.SetCurrentFolder(known[0] if known else pool.AddSubFolder(root, BIN))
    return len(pool.ImportMedia(stems) or [])


def result(run: dict[str, Any]) -> str:
    """What came of a run, in words."""
    outcome = run["outcome"] or {}
    takes, now = outcome.get("takes", "?"), outcome.get("takes_cleaned", "?")
    text = f"Done: {takes} takes, {now} cleaned now, in {run['out']}"
    if outcome.get("offline"):
        text += f"; {outcome['offline']} clips are offline"
    held = outcome.get("flagged") or []
    return text + (f"; listen to {'; '.join(held[:5])}" if held else "")


def clean(host: Any, config: dict[str, Any], say: Callable[[str], None]) -> Path:
    """All of it: export, ask, follow, tell; the delivery's folder. Raises ToldError."""
    project, timeline = current_timeline(host)
    say(f"Exporting {timeline.GetName()}.")
    since = time.time()
    path = export(host, timeline, Path(str(config["folder"])))
    if config.get("server"):
        server = Server(str(config["server"]), str(config["token"]))
        run = follow(server, ask(server, path), say)
        out, said = Path(str(run["out"])), result(run)
    else:
        out = watched(path, since - CLOCKS_S, say)
        said = f"Done: {out}"
    if config.get("stems"):
        said += f"; {bring(project, out)} stems are in the bin {BIN}"
    say(said + ".")
    return out


def find_host(given: dict[str, Any]) -> Any:
    """The host: as Resolve puts it into its scripts, or by its module from outside."""
    for name in ("resolve", "app"):
        host = given.get(name)
        if host is not None and callable(getattr(host, "GetProjectManager", None)):
            return host
    try:
        import DaVinciResolveScript
    except ImportError:
        raise ToldError(
            "Start this from the menu Workspace > Scripts of DaVinci Resolve."
        ) from None
    host = DaVinciResolveScript.scriptapp("Resolve")
    if host is None:
        raise ToldError(
            "DaVinci Resolve does not run, or lets no script in (Preferences > General)."
        )
    return host


def main(given: dict[str, Any]) -> int:
    """Clean the current timeline; 0 where that went well. given: the script's own globals."""
    bmd = given.get("bmd")
    console = Console(given.get("fusion"), getattr(bmd, "UIDispatcher", None))
    try:
        clean(find_host(given), read_config(), console.say)
    except ToldError as fault:
        console.say(str(fault))
        return 1
    return 0


if __name__ == "__main__":
    main(globals())
