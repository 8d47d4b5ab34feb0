"""The JSON interface gives what the catalogue and the store hold, and refuses the rest."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production import PER_FRAME, TAKES, Home, tell
from starlette.testclient import TestClient

from config.settings import Settings
from flows.workspace import open_workspace
from web.access import Access
from web.app import create_app

SAID = {"1-T01": ((8, "what joy there is in living"),), "1-T02": ((40, "joy"),)}


@pytest.fixture(scope="module")
def api(delivered: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The interface of a home whose takes were heard."""
    home = Home(tmp_path_factory.mktemp("api") / "home")
    shutil.copytree(delivered.home.folder, home.folder)
    tell(home, SAID)
    with open_workspace(Settings(home=home.folder)) as work:
        app = create_app(work, Access(home.folder, open_to_all=True))
        yield TestClient(app, "http://localhost", raise_server_exceptions=False)


def take(api: TestClient, name: str) -> str:
    """The id of a take."""
    return next(t["id"] for t in api.get("/api/v1/takes").json() if t["name"] == name)


def cut(api: TestClient) -> Any:
    """The cut that was cleaned."""
    (found,) = api.get("/api/v1/cuts").json()
    return found


def test_takes_are_listed_as_they_were_recorded(api: TestClient) -> None:
    found = api.get("/api/v1/takes").json()
    told = [(t["name"], t["scene"], t["take"], t["frames"], t["lines"]) for t in found]
    # The cut plays the first two.
    assert told == [
        ("1-T01", "1", "1", TAKES[0].samples, 1),
        ("1-T02", "1", "2", TAKES[1].samples, 1),
    ]
    assert found[0]["start_timecode"] == "10:00:00:00"


def test_a_search_gives_the_word_and_its_time(api: TestClient) -> None:
    (hit, other) = api.get("/api/v1/search", params={"q": "joy"}).json()
    by_take = {hit["take"]["name"]: hit, other["take"]["name"]: other}
    found = by_take["1-T01"]
    assert found["hit_start"] == (8 + 5) * PER_FRAME
    assert found["hit_timecode"] == "10:00:00:13"
    assert [text for text, on in found["marked"] if on] == ["joy"]
    only = api.get("/api/v1/search", params={"q": "joy", "take": "1-T02"}).json()
    assert [hit["take"]["name"] for hit in only] == ["1-T02"]


def test_a_search_is_narrowed_as_on_the_command_line(api: TestClient) -> None:
    proof = {"X-CSRF-Token": api.get("/api/v1/session").json()["csrf"]}
    tags = f"/api/v1/takes/{take(api, '1-T02')}/tags"
    tagged = api.post(tags, json={"on": ["Good", "late"]}, headers=proof)
    assert tagged.json() == ["good", "late"]

    def found(**narrowed: Any) -> list[str]:
        answer = api.get("/api/v1/search", params={"q": "joy", **narrowed})
        assert answer.status_code == 200, answer.text
        return sorted(hit["take"]["name"] for hit in answer.json())

    assert found(tag="GOOD") == ["1-T02"]
    assert found(tag=["good", "early"]) == []
    assert found(**{"from": "2026-01-01"}) == []
    assert found(gates="uncleaned") == []
    assert found(cut="v1.otio") == ["1-T01", "1-T02"]
    assert found(event="slate") == []
    # As a form sends what was left alone.
    left = {"tag": "", "event": "", "draft": "", "circled": "", "from": "", "to": "", "gates": ""}
    assert found(**left) == ["1-T01", "1-T02"]
    for wrong in ({"from": "then"}, {"gates": "shut"}, {"event": "bang"}, {"tag": "!"}):
        answer = api.get("/api/v1/search", params={"q": "joy", **wrong})
        assert (answer.status_code, set(answer.json())) == (422, {"fault"})
    assert {"tag": "late", "takes": 1} in api.get("/api/v1/tags").json()
    assert api.post(tags, json={"off": ["late"]}, headers=proof).json() == ["good"]
    nobody = api.post(f"/api/v1/takes/{'0' * 64}/tags", json={"on": ["x"]}, headers=proof)
    assert nobody.status_code == 404


def test_lines_have_their_words(api: TestClient) -> None:
    (line,) = api.get(f"/api/v1/takes/{take(api, '1-T01')}/lines").json()
    assert [word["text"] for word in line["words"]] == SAID["1-T01"][0][1].split()
    assert (line["speaker"], line["draft"]) == ("REN", False)


def test_a_copy_is_waited_for_or_asked_after(api: TestClient) -> None:
    address = f"/api/v1/takes/{take(api, '1-T02')}/sound?wait=false"
    for _ in range(500):
        answer = api.get(address)
        told = answer.json()
        if told["ready"]:
            break
        assert (answer.status_code, told["url"]) == (202, "")
        assert 0 <= told["progress"] <= 1
        time.sleep(0.02)
    assert (answer.status_code, told["channels"], told["progress"]) == (200, 2, 1)
    assert told == api.get(address.replace("?wait=false", "")).json()


def test_sound_is_served_by_ranges_of_bytes(api: TestClient) -> None:
    address = f"/api/v1/takes/{take(api, '1-T01')}/audio"
    whole = api.get(address)
    sound, rate = sf.read(io.BytesIO(whole.content))
    assert (whole.headers["content-type"], rate, sound.shape) == (
        "audio/flac", 48_000, (TAKES[0].samples, 2),
    )  # fmt: skip
    part = api.get(address, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    last = api.get(address, headers={"Range": "bytes=-10"})
    assert (last.status_code, last.content) == (206, whole.content[-10:])


@pytest.mark.parametrize(
    "asked", ["bytes=99999999999-", "bytes=5-1", "bytes=a-b", "bytes=" + "0-1," * 400 + "0-1"]
)
def test_ranges_that_are_not_there_are_refused(api: TestClient, asked: str) -> None:
    answer = api.get(f"/api/v1/takes/{take(api, '1-T01')}/audio", headers={"Range": asked})
    assert answer.status_code in (200, 400, 416)
    assert answer.status_code != 200 or "," not in asked


def test_an_excerpt_tells_how_it_is_played(api: TestClient) -> None:
    answer = api.get(
        f"/api/v1/takes/{take(api, '1-T01')}/excerpt", params={"start": 1000, "end": 49_000}
    )
    sound, _ = sf.read(io.BytesIO(answer.content))
    assert sound.shape == (48_000, 2)
    assert answer.headers["x-roomtone-channels"] == "2"
    float(answer.headers["x-roomtone-gain-db"])


def test_pictures_and_peaks_are_of_the_kind_that_is_asked_for(api: TestClient) -> None:
    address = f"/api/v1/takes/{take(api, '1-T01')}"
    pictures = {
        kind: api.get(f"{address}/spectrogram", params={"kind": kind, "width": 64, "height": 32})
        for kind in ("raw", "cleaned", "removed")
    }
    assert all(p.content.startswith(b"\x89PNG") for p in pictures.values())
    assert len({p.content for p in pictures.values()}) == 3
    told = api.get(f"{address}/peaks", params={"points": 40}).json()
    assert told["kinds"] == ["raw", "cleaned", "removed"]
    assert all(np.ptp(row) > 0.01 for row in told["peaks"])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/takes/xyz", 422),
        (f"/api/v1/takes/{'0' * 64}", 404),
        (f"/api/v1/takes/{'0' * 64}/audio", 404),
        ("/api/v1/nothing", 404),
        (f"/api/v1/cuts/{'0' * 64}", 404),
        (f"/api/v1/cuts/{'0' * 64}/audio", 404),
        ("/api/v1/cuts/..%2f..%2fetc", 404),
        ("/api/v1/search", 422),
        ("/api/v1/search?q=joy&limit=0", 422),
        ("/api/v1/search?q=joy&by=smell", 422),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(api: TestClient, path: str, code: int) -> None:
    answer = api.get(path)
    assert answer.status_code == code
    assert set(answer.json()) == {"fault"}


def test_a_channel_or_stretch_that_is_not_there_is_refused(api: TestClient) -> None:
    address = f"/api/v1/takes/{take(api, '1-T01')}"
    assert api.get(f"{address}/audio", params={"channel": 9}).status_code == 422
    for start, end in ((5, 5), (10**9, 10**9 + 1), (7, 2)):
        asked = {"start": start, "end": end}
        assert api.get(f"{address}/excerpt", params=asked).status_code == 422


def test_a_cut_is_told_with_its_events_stems_and_files(api: TestClient) -> None:
    listed = cut(api)
    told = api.get(f"/api/v1/cuts/{listed['id']}").json()
    assert (told["name"], told["state"], told["events"]) == ("v1", "delivered", 5)
    assert told["frames"] == 150 * PER_FRAME
    assert told["start_timecode"] == "01:00:00:00"
    first = told["tracks"][0]["events"][0]
    assert (first["record_in"], first["record_out"]) == ("01:00:00:06", "01:00:02:08")
    assert first["take"] == take(api, "1-T01")
    assert sum(told["counts"].values()) == 5
    roles = {(stem["role"], stem["track"]) for stem in told["stems"]}
    assert {("PROD", "A1 DX"), ("DX", "A1 DX"), ("NR", "A2 LAV"), ("DX", "")} <= roles
    report = next(file for file in told["files"] if file["role"] == "REPORT")
    answer = api.get(f"/api/v1/cuts/{listed['id']}/files/{report['id']}")
    assert len(answer.content) == report["bytes"]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert api.get(f"/api/v1/cuts/{listed['id']}/files/{'0' * 64}").status_code == 404


@pytest.mark.parametrize("part", ["tracks/0/audio", "audio", "stems/0/audio"])
def test_stems_are_served_by_ranges_of_bytes(api: TestClient, part: str) -> None:
    address = f"/api/v1/cuts/{cut(api)['id']}/{part}"
    whole = api.get(address)
    assert whole.headers["content-type"] == "audio/wav"
    assert len(sf.read(io.BytesIO(whole.content))[0]) == 150 * PER_FRAME
    for asked, part_of in (("100-199", slice(100, 200)), ("-10", slice(-10, None))):
        answer = api.get(address, headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content) == (206, whole.content[part_of])
    assert api.get(address, headers={"Range": "bytes=99999999999-"}).status_code == 416
    other = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert api.get(address, headers=other).content == whole.content


def test_a_stem_is_measured_when_it_is_asked_for(api: TestClient) -> None:
    address = f"/api/v1/cuts/{cut(api)['id']}"
    before = {stem["number"]: stem for stem in api.get(address).json()["stems"]}
    (whole,) = (n for n, s in before.items() if (s["role"], s["track"]) == ("DX", ""))
    (track,) = (n for n, s in before.items() if (s["role"], s["track"]) == ("PROD", "A1 DX"))
    # The dialogue was measured when it was delivered; asked again it is the same.
    told = api.get(f"{address}/stems/{whole}/loudness").json()
    assert told["lufs"] == pytest.approx(before[whole]["lufs"], abs=0.01)
    assert before[track]["lufs"] is None
    measured = api.get(f"{address}/stems/{track}/loudness").json()["lufs"]
    sound, rate = sf.read(io.BytesIO(api.get(f"{address}/stems/{track}/audio").content))
    pyloudnorm = pytest.importorskip("pyloudnorm")
    assert measured == pytest.approx(
        pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(sound), abs=0.05
    )
    assert api.get(address).json()["stems"][track]["lufs"] == measured
    assert api.get(f"{address}/stems/9999/loudness").status_code == 404


def test_versions_that_are_not_there_have_no_changes(api: TestClient) -> None:
    known = cut(api)["id"]
    for other, code in ((known, 422), ("0" * 64, 404), ("v1.otio", 422)):
        answer = api.get(f"/api/v1/cuts/{known}/changes", params={"against": other})
        assert answer.status_code == code


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.text(max_size=60))
def test_any_text_is_a_query(api: TestClient, text: str) -> None:
    for path in ("/api/v1/search", "/"):
        assert api.get(path, params={"q": text}).status_code == 200


@pytest.mark.parametrize(
    "said", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "' onmouseover='alert(1)"]
)
def test_markup_is_shown_and_never_meant(api: TestClient, said: str) -> None:
    for name in ("q", "speaker", "scene", "production"):
        page = api.get("/", params={"q": "joy", name: said}).text
        assert said not in page


def test_the_interface_is_what_it_says(api: TestClient) -> None:
    """Every documented call, called in strange ways, answers as documented."""
    schemathesis = pytest.importorskip("schemathesis")
    schema = schemathesis.openapi.from_dict(api.get("/api/v1/openapi.json").json())
    real = take(api, "1-T01")
    known = cut(api)["id"]
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.method.upper() != "GET":
            continue

        @settings(
            max_examples=15, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def called(case: Any) -> None:
            path = case.path.replace("{take}", real).replace("{cut}", known)
            answer = api.request(case.method, path, params=case.query or {})
            assert answer.status_code < 500, (case.method, path, case.query, answer.text)
            documented = {int(code) for code in case.operation.definition.raw["responses"]}
            assert answer.status_code in documented | {404, 414, 422}

        called()
