"""The job as a Prefect flow: the same delivery, and nothing of Prefect on the screen."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from httpx import ConnectError
from production import V1, Delivered, Home, sound_of, write_otio

from core.errors import ExitCode

TWICE = """
import json, sys
from cli.main import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["roomtone", *words]
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code
    print("ended", int(code or 0), flush=True)
    print("ended", file=sys.stderr, flush=True)
"""


@pytest.mark.prefect
def test_a_flow_delivers_the_same_and_tells_faults_the_same(
    delivered: Delivered, tmp_path: Path
) -> None:
    """One process for both, since a start of Prefect without a server takes ten seconds."""
    home, out = Home(tmp_path / "home", {"ROOMTONE_THREADS": "2"}), tmp_path / "out"
    lost = write_otio(tmp_path / "lost.otio", V1)
    commands = [
        ["clean", str(delivered.film / "v1.otio"), "--out", str(out), "--json"],
        ["clean", str(lost), "--out", str(tmp_path / "none")],
    ]
    done = subprocess.run(
        [sys.executable, "-c", TWICE, json.dumps(commands)],
        env=home.variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    first, second, rest = done.stdout.split("ended")
    assert (second.split()[0], rest.split()) == ("0", ["4"])
    outcome = json.loads(first)
    assert (outcome["takes_cleaned"], outcome["takes_heard"]) == (4, 2)
    assert sound_of(out) == sound_of(delivered.out)
    silence, sentence, after = done.stderr.split("ended")
    assert (silence.strip(), after.strip()) == ("", "")
    direct = home.run(*commands[1], "--direct")
    assert direct.code == 4
    assert sentence.strip() == direct.err.strip()
    assert done.returncode == 0
    with closing(sqlite3.connect(home.folder / "prefect" / "prefect.db")) as database:
        rows = database.execute("SELECT key, data FROM artifact WHERE key IS NOT NULL").fetchall()
    _shows_what_came_of_it({key: json.loads(data) for key, data in rows}, outcome)


def _shows_what_came_of_it(artifacts: dict[str, Any], outcome: dict[str, Any]) -> None:
    """A table of numbers, one of the gates, a picture of the tracks, and what to know."""
    assert set(artifacts) == {"cut-summary", "cut-gates", "cut-picture", "cut-report"}
    numbers = {row["what"]: row["value"] for row in json.loads(artifacts["cut-summary"])}
    assert (numbers["takes"], numbers["cleaned now"], numbers["held back"]) == (
        outcome["takes"],
        outcome["takes_cleaned"],
        len(outcome["flagged"]),
    )
    gates = json.loads(artifacts["cut-gates"])
    assert {row["microphones"] for row in gates} == {outcome["takes"]}
    assert sum(row["held back"] for row in gates) == len(outcome["flagged"])
    kind, _, encoded = artifacts["cut-picture"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    drawn = ElementTree.fromstring(b64decode(encoded))
    titles = [found.text for found in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == len(V1)
    assert str(Path(outcome["out"]) / "report.html") in artifacts["cut-report"]


def gone_in(module: str) -> Callable[..., None]:
    """A function of a module that raises what Prefect does where its server is gone."""
    there: dict[str, Any] = {"__name__": module}
    exec("def gone(*_):\n    raise RuntimeError('Failed to reach API at http://there/')", there)
    found: Callable[..., None] = there["gone"]
    return found


def no_connection(*_: object) -> None:
    raise ConnectError("Connection refused")


@pytest.mark.parametrize("gone", [no_connection, gone_in("prefect.client.orchestration")])
def test_where_prefect_fails_the_job_goes_on_without_it(
    gone: Callable[..., None],
    delivered: Delivered,
    own_home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    from flows import prefect_clean

    monkeypatch.setattr(prefect_clean, "_as_flow", gone)
    ran = own_home.run("clean", delivered.film / "v1.otio", "--out", tmp_path / "out", "--json")
    assert ran.code == 0, ran.err
    assert "went on without it" in ran.json["notes"][-1]
    assert sound_of(tmp_path / "out") == sound_of(delivered.out)


def test_a_fault_of_our_own_is_not_taken_for_prefects(
    delivered: Delivered, own_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    from flows import prefect_clean

    monkeypatch.setattr(prefect_clean, "_as_flow", gone_in("models.denoise.clean"))
    ran = own_home.run("clean", delivered.film / "v1.otio", "--out", tmp_path / "out")
    assert ran.code == ExitCode.INTERNAL
