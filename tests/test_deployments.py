"""A night can be had from a Prefect server: as a flow, on a schedule, and by prefect.yaml."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from production import ROOT, Home

from core.errors import UsageError
from flows import deployments

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
    from prefect.flows import load_flow_from_entrypoint

    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    assert [item["name"] for item in listed] == [deployments.NIGHT]
    for item in listed:
        flow: Any = load_flow_from_entrypoint(item["entrypoint"])
        assert flow.validate_parameters(item["parameters"])["until"] == "06:00"


def test_a_night_is_served_at_its_hour_in_local_time(
    quiet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import prefect

    served: list[Any] = []
    monkeypatch.setattr(prefect, "serve", lambda *them: served.extend(them))
    monkeypatch.setenv("ROOMTONE_NIGHTLY_AT", "21:30")
    deployments.main()
    (night,) = served
    (schedule,) = night.schedules
    assert schedule.schedule.cron == "30 21 * * *"
    assert schedule.schedule.timezone == deployments.local_zone()
    assert night.concurrency_limit == 1
    assert night.parameters == {}
    for wrong in ("late", ""):
        monkeypatch.setenv("ROOMTONE_NIGHTLY_AT", wrong)
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
