"""A night can be had from a Prefect server: as a flow, on a schedule, and by prefect.yaml."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from production import ROOT, Home

from config.settings import Settings
from core.errors import UsageError
from flows import announce as announcing
from flows import deployments
from flows import watch as watching
from flows.runs import list_runs
from flows.workspace import open_workspace

NIGHT = """
import json, os, sys
from pathlib import Path
from flows.quiet import quiet_prefect
quiet_prefect(Path(os.environ["ROOMTONE_HOME"]))
from flows.prefect_nightly import nightly_flow
print(json.dumps([nightly_flow(roots=[sys.argv[1]]) for _ in range(2)]))
"""


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch, bare: Path) -> Path:
    """Prefect's home in a folder of its own."""
    monkeypatch.setenv("PREFECT_HOME", str(bare / "prefect"))
    monkeypatch.setenv("ROOMTONE_HOME", str(bare / "home"))
    monkeypatch.chdir(bare)
    return bare


def test_every_deployment_of_the_file_is_a_flow_that_takes_its_parameters(quiet: Path) -> None:
    from prefect.exceptions import ParameterTypeError
    from prefect.flows import load_flow_from_entrypoint

    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert [item["name"] for item in listed] == [deployments.NIGHT, deployments.CLEAN_CUT]
    night, cut = (load_flow_from_entrypoint(item["entrypoint"]) for item in listed)
    assert night.validate_parameters(listed[0]["parameters"])["until"] == "06:00"
    given = {"cut": "/cuts/v1.otio", "media": ["/sound"], "loudness": "r128"}
    assert given.items() <= cut.validate_parameters(given).items()
    with pytest.raises(ParameterTypeError, match="media"):
        cut.validate_parameters({"cut": "/cuts/v1.otio", "media": 7})


PAYLOADS = (
    ({"cut": "/cuts/a 'b' \"c\" {{ d }}.otio"}, {"media": [], "out": ""}),
    ({"cut": "/é.edl", "media": ["/x", "/y"], "recipe": "gentle"}, {"loudness": "", "out": ""}),
    ({"cut": "/c.edl", "media": None, "out": "/out", "loudness": "r128"}, {"media": []}),
)


@pytest.mark.parametrize(("payload", "filled"), PAYLOADS)
def test_what_an_event_says_becomes_the_parameters(
    quiet: Path, payload: dict[str, Any], filled: dict[str, Any]
) -> None:
    """As Prefect's own server renders them; a payload is taken for text, never for a template."""
    from prefect.server.events.actions import RunDeployment
    from prefect.utilities.schema_tools.hydration import HydrationContext, hydrate

    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    (trigger,) = listed[1]["triggers"]
    assert trigger == announcing.trigger()
    RunDeployment(source="inferred", parameters=trigger["parameters"])  # which checks templates
    parameters = copy.deepcopy(trigger["parameters"])
    RunDeployment._upgrade_v1_templates(parameters)
    context = {"event": {"payload": payload}}
    rendering = HydrationContext(raise_on_error=True, render_jinja=True, jinja_context=context)
    made = hydrate(parameters, rendering)
    expected = {"cut": "", "media": [], "out": "", "recipe": "", "loudness": ""}
    assert made == {**expected, **filled, **{k: v for k, v in payload.items() if v is not None}}


class _Server(BaseHTTPRequestHandler):
    """A server that takes events. told: what came."""

    told: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        assert self.path == "/api/events"
        self.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """A server that takes events."""
    _Server.told.clear()
    made = HTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{made.server_port}/api")
    yield made
    made.shutdown()
    made.server_close()


def test_a_cut_that_is_announced_or_saved_is_told_to_the_server(
    quiet: Path, server: HTTPServer
) -> None:
    from prefect.events import Event

    cut = quiet / "v1.otio"
    cut.write_text("{}", "utf-8")
    home = Home(quiet / "home", {"PREFECT_API_URL": os.environ["PREFECT_API_URL"]})
    ran = home.run("announce", cut, "--out", "made", "--recipe", "gentle")
    assert ran.code == 0, ran.err
    settings = Settings(
        home=quiet / "home", cut_folders=(quiet,), deliveries=quiet / "out", saved_cuts="event"
    )
    with open_workspace(settings) as work:
        watching._ask(work, cut)
        assert list_runs(work.database) == ()
    (first,), (second,) = _Server.told
    for told in (first, second):
        assert Event.model_validate(told).event == "roomtone.cut.saved"
    common = {"cut": str(cut), "media": [], "loudness": ""}
    assert first["payload"] == {**common, "out": str(quiet / "made"), "recipe": "gentle"}
    assert second["payload"] == {
        **common,
        "out": str(quiet / "out" / "v1_roomtone"),
        "recipe": "",
    }


def test_a_server_that_can_t_be_told_is_named(quiet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (quiet / "v1.otio").write_text("{}", "utf-8")
    words = ("announce", quiet / "v1.otio")
    unset = Home(quiet / "home", {"PREFECT_API_URL": ""}).run(*words)
    assert (unset.code, "PREFECT_API_URL" in unset.err) == (2, True)
    away = Home(quiet / "home", {"PREFECT_API_URL": "http://127.0.0.1:9/api"}).run(*words)
    assert (away.code, "PREFECT_API_URL" in away.err) == (6, True)
    assert Home(quiet / "home").run("announce", quiet / "none.otio").code == 3
    assert Home(quiet / "home").run("announce", quiet / "v1.otio", "--recipe", "no").code == 2


def test_a_night_is_served_at_its_hour_in_local_time_and_cuts_as_they_come(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import prefect

    served: list[Any] = []
    monkeypatch.setattr(prefect, "serve", lambda *them: served.extend(them))
    monkeypatch.setenv("ROOMTONE_NIGHTLY_AT", "21:30")
    deployments.main()
    night, cut = served
    (schedule,) = night.schedules
    assert schedule.schedule.cron == "30 21 * * *"
    assert schedule.schedule.timezone == deployments.local_zone()
    assert night.concurrency_limit == 1
    assert night.parameters == {}
    assert [trigger.expect for trigger in cut.triggers] == [{announcing.SAVED}]
    served.clear()
    monkeypatch.setenv("ROOMTONE_NIGHTLY_AT", "")
    deployments.main()
    assert [item.name for item in served] == [deployments.CLEAN_CUT]
    monkeypatch.setenv("ROOMTONE_NIGHTLY_AT", "late")
    with pytest.raises(UsageError, match="nightly_at"):
        deployments.main()


@pytest.mark.prefect
def test_a_night_runs_as_a_flow_with_a_task_a_take(film: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("1-T01", "2-T01"):
        shutil.copy(film / "sound" / f"{name}.wav", tmp_path / "in")
    home = Home(
        tmp_path / "home",
        {
            "ROOMTONE_RECIPE": "bypass",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "240",
        },
    )
    done = subprocess.run(
        [sys.executable, "-c", NIGHT, str(tmp_path / "in")],
        env=home.variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert (first["done"], first["known"], second["done"], second["known"]) == (2, 0, 0, 2)
    assert len(list((home.folder / "reports").iterdir())) == 2
