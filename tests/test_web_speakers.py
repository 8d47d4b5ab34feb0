"""Speakers are listed with an example, named and joined through the JSON interface, and undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

import db.tables
from config.settings import Settings
from core.media import MediaFile, SoundNotes
from core.speech import Line, Word
from db.catalogue import lines_of, store_listening
from db.memory import remember_media
from db.voices import HeardVoice, store_voices
from flows.settle import settle_speakers
from flows.workspace import Workspace, open_workspace
from web.access import Access, Role, add_token
from web.app import create_app

RATE = 48_000
SECONDS = {"SPEAKER 1": (1, 4, 9), "SPEAKER 2": (2,), "REN": (3, 3, 3, 3)}


def hear(work: Workspace, take: str, project: str, said: dict[str, tuple[int, ...]]) -> None:
    """Let the home have heard lines of so many seconds, one after the other."""
    media = MediaFile(
        path=Path(f"/dailies/{take}.wav"),
        container="WAV",
        subtype="PCM_24",
        sample_rate=RATE,
        channels=1,
        frames=100 * RATE,
        size=1,
        mtime_ns=1,
        notes=SoundNotes(scene="12A", take="1", project=project),
        essence=(take * 64)[:64],
        sha256=(take * 64)[:64],
    )
    lines, voices, at = [], [], 0
    for speaker, lengths in said.items():
        for seconds in lengths:
            span = (at * RATE, (at + seconds) * RATE)
            words = (Word(f"{seconds} seconds", *span),)
            lines.append(Line(speaker, *span, words, "told"))
            at += seconds
        own = tuple((x.start, x.end) for x in lines if x.speaker == speaker)
        source = "voice" if speaker.startswith("SPEAKER") else "microphone"
        voices.append(HeardVoice(speaker, source, float(sum(lengths)), (), "", own))
    with work.database.write() as session:
        remember_media(session, media)
        store_listening(session, media.essence, "1", "told", False, None, "en", lines, project)
        store_voices(session, project, media.essence, voices)
    settle_speakers(work, project)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    """A home with two productions."""
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        hear(opened, "a", "HARBOUR", SECONDS)
        hear(opened, "b", "QUAY", {"REN": (2,)})
        yield opened


def client(work: Workspace, role: Role) -> TestClient:
    """A program with a token."""
    token = add_token(work.settings.home, role.name, role)
    app = create_app(work, Access(work.settings.home, open_to_all=False))
    return TestClient(app, "http://localhost", headers={"Authorization": f"Bearer {token}"})


def listed(api: TestClient, production: str = "HARBOUR") -> dict[str, Any]:
    """The speakers of a production by name."""
    found = api.get("/api/v1/speakers", params={"production": production}).json()
    return {item["name"]: item for item in found}


def test_speakers_come_with_lines_time_and_an_example(work: Workspace) -> None:
    api = client(work, Role.VIEWER)
    found = listed(api)
    assert {name: (s["lines"], s["seconds"]) for name, s in found.items()} == {
        name: (len(lengths), sum(lengths)) for name, lengths in SECONDS.items()
    }
    # The line that is nearest to four seconds.
    assert found["SPEAKER 1"]["example"]["line"]["text"] == "4 seconds"
    assert found["SPEAKER 1"]["example"]["take_name"] == "a"
    assert len(api.get("/api/v1/speakers").json()) == 4
    assert listed(api, "NOTHING") == {}


def test_a_speaker_is_named_in_every_line_and_it_is_taken_back(work: Workspace) -> None:
    api = client(work, Role.EDITOR)
    number = listed(api)["SPEAKER 2"]["id"]
    told = api.patch(f"/api/v1/speakers/{number}", json={"name": "  MARTA \u0000 <b> "})
    assert told.status_code == 200
    assert told.json()["said"].startswith("SPEAKER 2 is MARTA <b> from now on")
    assert listed(api)["MARTA <b>"]["id"] == number
    lines = api.get(f"/api/v1/takes/{'a' * 64}/lines").json()
    assert [x["speaker"] for x in lines if x["speaker_id"] == number] == ["MARTA <b>"]
    with work.database.read() as session:
        rows = session.scalars(
            select(db.tables.Activity).where(db.tables.Activity.kind == "speakers")
        ).all()
        assert [row.agent for row in rows] == ["EDITOR"]
    page = api.get("/speakers").text
    assert "Take back: SPEAKER 2 is MARTA &lt;b&gt;" in page
    assert "<b>" not in page
    back = api.post("/api/v1/speakers/undo", json={"production": "HARBOUR"})
    assert back.status_code == 200
    assert set(listed(api)) == set(SECONDS)
    again = api.post("/api/v1/speakers/undo", json={"production": "HARBOUR"})
    assert again.status_code == 404


def test_two_speakers_are_joined_into_the_one_that_is_kept(work: Workspace) -> None:
    api = client(work, Role.EDITOR)
    found = listed(api)
    kept, other = found["REN"]["id"], found["SPEAKER 1"]["id"]
    told = api.post(f"/api/v1/speakers/{kept}/merge", json={"other": other})
    assert told.json()["said"].startswith("SPEAKER 1 is REN from now on")
    with work.database.read() as session:
        spoken = {found.line.speaker for found in lines_of(session, essence="a" * 64)}
    assert spoken == {"REN", "SPEAKER 2"}
    elsewhere = listed(api, "QUAY")["REN"]["id"]
    refused = api.post(f"/api/v1/speakers/{kept}/merge", json={"other": elsewhere})
    assert (refused.status_code, "different productions" in refused.json()["fault"]) == (422, True)


@pytest.mark.parametrize(
    ("name", "code"), [("", 422), (" \n ", 422), ("REN", 422), ("x" * 201, 422), ("x" * 500, 422)]
)
def test_names_that_nobody_can_have_are_refused(work: Workspace, name: str, code: int) -> None:
    api = client(work, Role.EDITOR)
    number = listed(api)["SPEAKER 2"]["id"]
    answer = api.patch(f"/api/v1/speakers/{number}", json={"name": name})
    assert answer.status_code == code
    assert set(answer.json()) == {"fault"}
    assert set(listed(api)) == set(SECONDS)


def test_who_may_only_look_names_nobody(work: Workspace) -> None:
    api = client(work, Role.VIEWER)
    number = listed(api)["SPEAKER 2"]["id"]
    for answer in (
        api.patch(f"/api/v1/speakers/{number}", json={"name": "MARTA"}),
        api.post(f"/api/v1/speakers/{number}/merge", json={"other": 1}),
        api.post("/api/v1/speakers/undo", json={"production": "HARBOUR"}),
    ):
        assert answer.status_code == 403
    assert "rename" not in api.get("/speakers").text


def test_a_speaker_that_is_not_there_is_said_to_be(work: Workspace) -> None:
    api = client(work, Role.EDITOR)
    answer = api.patch("/api/v1/speakers/99999", json={"name": "MARTA"})
    assert (answer.status_code, set(answer.json())) == (404, {"fault"})
