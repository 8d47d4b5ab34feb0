"""The review queue as JSON: read by viewers, decided by editors, with ids and never paths."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from production import TAKES, Delivered, Home
from starlette.testclient import TestClient

from config.settings import Settings
from flows.workspace import open_workspace
from web.access import Access, Role, add_token
from web.app import create_app


@pytest.fixture
def api(held: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The interface of its home, for anybody on this machine."""
    home = Home(tmp_path_factory.mktemp("api") / "home")
    shutil.copytree(held.home.folder, home.folder)
    with open_workspace(Settings(home=home.folder)) as work:
        app = create_app(work, Access(home.folder, open_to_all=True))
        yield TestClient(app, "http://localhost", raise_server_exceptions=False)


def decide(api: TestClient, number: int, what: str, **more: Any) -> Any:
    """Decide for a setup; the answer."""
    body = {"what": what, **more}
    return api.post(f"/api/v1/review/{number}/decisions", json=body, headers=proof(api))


def proof(api: TestClient) -> dict[str, str]:
    """What a program sends with a change."""
    return {"X-CSRF-Token": api.get("/api/v1/session").json()["csrf"]}


def boom(api: TestClient) -> Any:
    """The setup of the boom."""
    return next(item for item in api.get("/api/v1/review").json() if item["microphone"] == "BOOM")


def test_what_waits_is_listed_with_what_was_measured(api: TestClient) -> None:
    found = api.get("/api/v1/review").json()
    assert [item["name"] for item in found] == ["Scene 1 BOOM", "Scene 1 MARA", "Scene 1 REN"]
    (first, _) = found[0]["takes"]
    assert (first["name"], first["frames"]) == ("1-T01", TAKES[0].samples)
    (gate,) = first["gates"]
    assert (gate["name"], gate["unit"], gate["limit"]) == ("speech level", "dB", 0)
    assert found[0]["gentler_db"] == 6
    assert "/" not in "".join(at["cut"] for take in found[0]["takes"] for at in take["played"])
    assert api.get(f"/api/v1/review/{found[0]['number']}").json() == found[0]


def test_the_sound_in_question_is_heard_and_no_other(api: TestClient) -> None:
    (take, _) = boom(api)["takes"]
    at = take["played"][0]
    asked = {
        "start": at["source_start"],
        "end": at["source_end"],
        "channel": 0,
        "key": take["key"],
    }
    heard = api.get(f"/api/v1/takes/{take['id']}/excerpt", params=asked)
    assert (heard.status_code, heard.headers["x-roomtone-channels"]) == (200, "2")
    gone = api.get(f"/api/v1/takes/{take['id']}/excerpt", params={**asked, "key": "0" * 64})
    assert gone.status_code == 404
    assert "not in the store" in gone.json()["fault"]


def test_an_approved_setup_is_gone_from_what_waits_until_that_is_undone(api: TestClient) -> None:
    number = boom(api)["number"]
    now = decide(api, number, "approve", note="<b>fine</b>").json()
    assert now["state"] == "approved"
    assert now["decisions"][0]["note"] == "<b>fine</b>"
    assert number not in [item["number"] for item in api.get("/api/v1/review").json()]
    everything = api.get("/api/v1/review", params={"all": True}).json()
    assert number in [item["number"] for item in everything]
    decided = now["decisions"][0]["number"]
    undone = api.delete(f"/api/v1/review/{number}/decisions/{decided}", headers=proof(api))
    assert (undone.json()["state"], undone.json()["decisions"][0]["undone_by"]) != ("approved", "")
    again = api.delete(f"/api/v1/review/{number}/decisions/latest", headers=proof(api))
    assert (again.status_code, "nothing to take back" in again.json()["fault"]) == (404, True)


def test_a_decision_names_takes_by_their_ids(api: TestClient) -> None:
    item = boom(api)
    second = item["takes"][1]
    now = decide(api, item["number"], "bypass", takes=[second["id"]]).json()
    assert now["decisions"][0]["takes"] == [second["name"]]
    assert {take["name"]: take["state"] for take in now["takes"]}[second["name"]] == "decided"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"what": "delete"}, 422),
        ({"what": "gentler", "amount_db": -1}, 422),
        ({"what": "gentler", "amount_db": 1e9}, 422),
        ({"what": "gentler", "amount_db": 40}, 422),
        ({"what": "comment"}, 422),
        ({"what": "comment", "note": "x" * 5000}, 422),
        ({"what": "approve", "takes": ["../../etc/passwd"]}, 422),
        ({"what": "approve", "takes": ["f" * 64]}, 404),
        ({}, 422),
    ],
)
def test_what_can_not_be_decided_is_refused(
    api: TestClient, body: dict[str, Any], status: int
) -> None:
    number = boom(api)["number"]
    answer = api.post(f"/api/v1/review/{number}/decisions", json=body, headers=proof(api))
    assert answer.status_code == status
    assert answer.json()["fault"]
    assert boom(api)["decisions"] == []


def test_a_setup_that_is_not_there_is_not_found(api: TestClient) -> None:
    assert api.get("/api/v1/review/99").status_code == 404
    assert api.get(f"/api/v1/review/{1 << 62}").status_code == 422
    assert decide(api, 99, "approve").status_code == 404


def test_a_viewer_reads_and_does_not_decide(held: Delivered, tmp_path: Path) -> None:
    shutil.copytree(held.home.folder, tmp_path / "home")
    with open_workspace(Settings(home=tmp_path / "home")) as work:
        token = add_token(tmp_path / "home", "ANN", Role.VIEWER)
        app = create_app(work, Access(tmp_path / "home", open_to_all=False))
        api = TestClient(app, "http://localhost", headers={"Authorization": f"Bearer {token}"})
        number = boom(api)["number"]
        answer = api.post(f"/api/v1/review/{number}/decisions", json={"what": "approve"})
        assert answer.status_code == 403
        page = api.get("/review")
        assert (page.status_code, "data-what" in page.text) == (200, False)
