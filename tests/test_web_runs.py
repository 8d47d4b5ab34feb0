"""Runs on the page and in the JSON interface: asked for by id, seen, cancelled, done again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from production import Delivered, Home
from starlette.testclient import TestClient

from config.settings import Settings
from core.run import RunState, Wanted
from db import runs as rows
from db.codec import now
from flows.jobs import CUT
from flows.run_inputs import clean_cut_wanted, cut_files
from flows.runs import list_runs
from flows.this_worker import this_worker
from flows.workspace import Workspace, open_workspace
from web.access import Access, Role, add_token
from web.app import create_app


@pytest.fixture
def work(delivered: Delivered, own_home: Home, tmp_path: Path) -> Iterator[Workspace]:
    """A home that has cleaned a cut, and a folder of media with two cuts."""
    film = tmp_path / "film"
    shutil.copytree(delivered.film, film)
    settings = Settings(
        home=own_home.folder, media=(film,), deliveries=tmp_path / "deliveries", recogniser="none"
    )
    with open_workspace(settings) as opened:
        yield opened


@pytest.fixture
def api(work: Workspace) -> TestClient:
    app = create_app(work, Access(work.settings.home, open_to_all=True))
    client = TestClient(app, "http://localhost", raise_server_exceptions=False)
    client.headers["X-CSRF-Token"] = client.get("/api/v1/session").json()["csrf"]
    return client


def cut(api: TestClient, name: str = "v2.otio", folder: str = "film") -> str:
    found = api.get("/api/v1/runs/cuts").json()
    return next(c["id"] for c in found if c["name"] == name and c["folder"].endswith(folder))


def test_cuts_of_the_home_and_below_its_media_are_offered_by_ids(
    api: TestClient, work: Workspace, delivered: Delivered, tmp_path: Path
) -> None:
    paths = {found.path for found in cut_files(work)}
    film = tmp_path / "film"
    assert paths == {
        delivered.film / "v1.otio",  # cleaned before
        *(film / name for name in ("v1.otio", "v2.otio", "v1.edl")),
    }
    assert str(tmp_path) not in api.get("/api/v1/runs/cuts").text


def test_links_hidden_names_and_deliveries_are_not_followed(
    work: Workspace, tmp_path: Path
) -> None:
    film, outside = tmp_path / "film", tmp_path / "outside"
    before = {found.path for found in cut_files(work)}
    outside.mkdir()
    for folder in (outside, film / ".trash", film / "old_roomtone"):
        folder.mkdir(exist_ok=True)
        shutil.copy(film / "v1.otio", folder / "other.otio")
    (film / "old_roomtone" / "delivery.json").write_text("{}")
    (film / "linked").symlink_to(outside)
    (film / "linked.otio").symlink_to(outside / "other.otio")
    assert {found.path for found in cut_files(work)} == before


def test_a_run_is_asked_for_by_a_cuts_id(api: TestClient, work: Workspace, tmp_path: Path) -> None:
    asked = {"cut": cut(api), "recipe": "gentle", "loudness": "r128", "again": True}
    answer = api.post("/api/v1/runs", json=asked)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["state"], told["title"]) == ("waiting", "Clean a cut: v2.otio")
    run = list_runs(work.database)[0]
    assert run.wanted == Wanted(
        (tmp_path / "film" / "v2.otio",),
        (),
        tmp_path / "deliveries" / "v2_roomtone",
        {"recipe": "gentle", "loudness": "r128", "clean_again": True},
    )
    assert api.post("/api/v1/runs", json=asked).json()["id"] == run.id
    assert api.get(f"/api/v1/runs/{run.id}").json()["inputs"] == ["v2.otio"]


def test_takes_are_asked_for_by_theirs(api: TestClient, work: Workspace) -> None:
    take = api.get("/api/v1/takes").json()[0]
    told = api.post("/api/v1/runs", json={"takes": [take["id"]]}).json()
    assert (told["kind"], told["inputs"]) == ("sound", [f"{take['name']}.wav"])


def test_a_delivery_lies_beside_its_cut_where_no_folder_is_set() -> None:
    wanted = clean_cut_wanted(Settings(), Path("/cuts/reel1.otio"), {})
    assert wanted.out == Path("/cuts/reel1_roomtone")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, 422),
        ({"cut": "0" * 24}, 404),
        ({"cut": "/etc/passwd"}, 404),
        ({"cut": "../../etc/passwd"}, 404),
        ({"takes": ["f" * 64]}, 404),
        ({"takes": ["/etc/passwd"]}, 422),
        ({"cut": "CUT", "recipe": "/etc/passwd"}, 422),
        ({"cut": "CUT", "recipe": "wild.toml"}, 422),
        ({"cut": "CUT", "loudness": "../none"}, 422),
        ({"cut": ["CUT"]}, 422),
    ],
)
def test_what_is_not_offered_is_refused_and_asks_for_nothing(
    api: TestClient, work: Workspace, tmp_path: Path, asked: dict[str, Any], code: int
) -> None:
    (tmp_path / "wild.toml").write_text("limit_db = 3\n")
    asked = {name: cut(api) if value == "CUT" else value for name, value in asked.items()}
    before = list_runs(work.database)
    answer = api.post("/api/v1/runs", json=asked)
    assert answer.status_code == code
    assert answer.json()["fault"]
    assert list_runs(work.database) == before


def test_a_run_is_cancelled_and_done_again(api: TestClient) -> None:
    number = api.post("/api/v1/runs", json={"cut": cut(api)}).json()["id"]
    address = f"/api/v1/runs/{number}"
    told = api.post(f"{address}/cancel").json()
    assert told["state"] == "cancelled"
    assert told["cancelled_by"]
    assert api.post(f"{address}/cancel").status_code == 422
    assert api.post(f"{address}/retry").json()["state"] == "waiting"
    assert api.post(f"{address}/retry").status_code == 422
    assert api.get("/api/v1/runs", params={"state": "waiting"}).json()[0]["id"] == number
    assert api.get("/api/v1/runs", params={"before": number}).json()[0]["id"] == number - 1
    for path in ("", "/cancel", "/retry"):
        do = api.post if path else api.get
        assert do(f"/api/v1/runs/999{path}").status_code == 404


def test_who_may_only_look_asks_for_nothing(work: Workspace) -> None:
    token = add_token(work.settings.home, "vera", Role.VIEWER)
    app = create_app(work, Access(work.settings.home, open_to_all=False))
    vera = TestClient(app, "http://localhost", headers={"Authorization": f"Bearer {token}"})
    assert vera.get("/api/v1/runs").status_code == 200
    assert "<form" not in vera.get("/runs").text.partition("<main")[2].partition("</main>")[0]
    for path in ("", "/1/cancel", "/1/retry"):
        assert vera.post(f"/api/v1/runs{path}", json={"cut": "x"}).status_code == 403
        assert vera.post(f"/runs{path}").status_code == 403


def test_the_page_lists_runs_and_shows_one(api: TestClient) -> None:
    listed = api.get("/runs").text
    assert "Clean a cut: v1.otio" in listed
    assert "4 takes, 4 cleaned now" in listed
    only = api.get("/runs", headers={"HX-Request": "true"}).text
    assert "<html" not in only
    assert 'id="runs"' in only
    one = api.get("/runs/1").text
    assert "RNNoise" in one
    assert api.get("/runs/999").status_code == 404


def test_the_report_of_a_run_is_shown_and_can_do_nothing(
    api: TestClient, delivered: Delivered
) -> None:
    answer = api.get("/runs/1/report")
    assert answer.content == (delivered.out / "report.html").read_bytes()
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")


def test_no_run_shows_a_file_that_is_not_its_report(work: Workspace, api: TestClient) -> None:
    with work.database.write() as session:
        for out, report in (
            ("/out", "/etc/passwd"),
            (str(work.settings.home), str(work.settings.home / "roomtone.db")),
        ):
            run = rows.add_run(session, CUT, Wanted((), out=Path(out)), "jo", now())
            claim = rows.begin_run(session, run.id, this_worker(), now())
            rows.end_run(session, claim, now(), RunState.DONE, {"report": report})
    for number in (2, 3):
        assert api.get(f"/runs/{number}/report").status_code == 404
        assert api.get(f"/api/v1/runs/{number}").json()["report"] is False


def test_what_files_are_called_is_text_on_the_page(
    api: TestClient, work: Workspace, tmp_path: Path
) -> None:
    odd = tmp_path / "film" / "<img src=x onerror=alert(1)>.otio"
    shutil.copy(tmp_path / "film" / "v1.otio", odd)
    assert api.post("/api/v1/runs", json={"cut": cut(api, odd.name)}).status_code == 201
    for path in ("/runs", "/runs/2"):
        assert "<img src=x" not in api.get(path).text
