"""Nobody comes in without a token, and no foreign page makes a change."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from production import Home
from starlette.testclient import TestClient

from config.settings import Settings
from core.errors import InputError
from flows.workspace import Workspace, open_workspace
from web import access
from web.access import Access, Role, add_token, remove_token, tokens_of
from web.app import create_app
from web.guard import MOST_BODY

HERE = "http://127.0.0.1"
FAR = "http://post.example"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")


@pytest.fixture
def work(home: Home) -> Iterator[Workspace]:
    """That home, open."""
    with open_workspace(Settings(home=home.folder)) as found:
        yield found


def client(work: Workspace, address: str = HERE, *, alone: bool = True, **more: Any) -> TestClient:
    """A browser at the page; alone: as the loopback is served, with no login."""
    access = Access(work.settings.home, open_to_all=alone)
    app = create_app(work, access, ["post.example"])
    return TestClient(app, address, follow_redirects=False, **more)


def csrf(browser: TestClient) -> str:
    """What a page of this browser sends along with changes."""
    return str(browser.get("/api/v1/session").json()["csrf"])


def test_on_this_machine_nobody_logs_in(work: Workspace) -> None:
    told = client(work).get("/api/v1/session").json()
    assert told["role"] == "admin"
    assert len(told["csrf"]) == 64


@pytest.mark.parametrize("path", ["/", "/takes", f"/takes/{'0' * 64}"])
def test_elsewhere_pages_lead_to_the_login(work: Workspace, path: str) -> None:
    answer = client(work, FAR, alone=False).get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("token", ["", "wrong", "x" * 43])
def test_elsewhere_programs_need_a_token(work: Workspace, token: str) -> None:
    asked = client(work, FAR, alone=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for path in ("/api/v1/search?q=joy", "/api/v1/takes", "/api/v1/openapi.json"):
        answer = asked.get(path, headers=headers)
        assert answer.status_code == 401
        assert set(answer.json()) == {"fault"}


def test_a_token_is_entered_once_and_works_until_it_is_taken_back(work: Workspace) -> None:
    token = add_token(work.settings.home, "Mara", Role.EDITOR)
    browser = client(work, FAR, alone=False)
    entered = browser.post("/login", data={"token": token}, headers={"Origin": FAR})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/"))
    told = browser.get("/api/v1/session").json()
    assert (told["name"], told["role"]) == ("Mara", "editor")
    remove_token(work.settings.home, "Mara")
    assert browser.get("/api/v1/session").status_code == 401


def test_who_may_only_look_corrects_nothing(work: Workspace) -> None:
    for role, code in ((Role.VIEWER, 403), (Role.EDITOR, 404)):
        token = add_token(work.settings.home, role.name, role)
        asked = client(work, FAR, alone=False, headers={"Authorization": f"Bearer {token}"})
        # There is no such line, which only who may change it is told.
        answer = asked.put("/api/v1/lines/1/correction", json={"text": "joy"})
        assert answer.status_code == code
        tagged = asked.post(f"/api/v1/takes/{'0' * 64}/tags", json={"on": ["joy"]})
        assert tagged.status_code == code


def test_a_fault_of_ours_is_a_page_for_people_and_json_for_programs(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("<secret>")

    monkeypatch.setattr("web.pages.takes.take_list", broken)
    monkeypatch.setattr("web.api.takes.take_list", broken)
    shown = client(work).get("/takes")
    assert shown.status_code == 500
    assert shown.headers["content-type"].startswith("text/html")
    assert "An internal fault (ZeroDivisionError); the details are in the log." in shown.text
    assert "secret" not in shown.text
    assert client(work).get("/api/v1/takes").json() == {
        "fault": "An internal fault (ZeroDivisionError); the details are in the log."
    }
    swapped = client(work).get("/takes", headers={"HX-Request": "true"})
    assert set(swapped.json()) == {"fault"}


def test_a_bare_token_serves_programs(work: Workspace) -> None:
    token = add_token(work.settings.home, "night", Role.VIEWER)
    asked = client(work, FAR, alone=False, headers={"Authorization": f"Bearer {token}"})
    assert asked.get("/api/v1/takes").json() == []


def test_cookies_of_others_are_worthless(work: Workspace, tmp_path: Path) -> None:
    token = add_token(work.settings.home, "Mara", Role.ADMIN)
    mine = Access(work.settings.home, open_to_all=False)
    who = mine.by_token(token)
    assert who is not None
    cookie = mine.signed_in(who)[1]
    forged = Access(tmp_path, open_to_all=False).cookie(who)
    # A cookie of the days when the page was open on this machine names no token.
    open_days = Access(work.settings.home, open_to_all=True).cookie(who)
    signature = cookie.rindex(".") + 1
    changed = "B" if cookie[signature] == "A" else "A"
    altered = cookie[:signature] + changed + cookie[signature + 1 :]
    for bad in (altered, forged, open_days, "x.y.z", "", "W10.x.y"):
        browser = client(work, FAR, alone=False, cookies={"roomtone": bad})
        assert browser.get("/api/v1/session").status_code == 401


def test_guessing_is_slow(work: Workspace) -> None:
    token = add_token(work.settings.home, "Mara", Role.VIEWER)
    browser = client(work, FAR, alone=False)
    codes = [browser.post("/login", data={"token": f"guess {n}"}).status_code for n in range(7)]
    assert codes == [403] * 5 + [429] * 2
    late = browser.post("/login", data={"token": token})
    assert (late.status_code, int(late.headers["retry-after"]) > 0) == (429, True)


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:81"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_foreign_page_changes_nothing(work: Workspace, headers: dict[str, str]) -> None:
    browser = client(work)
    proof = {"X-CSRF-Token": csrf(browser)}
    assert browser.post("/logout", headers=proof).status_code == 200
    proof = {"X-CSRF-Token": csrf(browser)}
    assert browser.post("/logout", headers=headers | proof).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_change_needs_the_proof_of_its_own_session(work: Workspace, method: str) -> None:
    browser = client(work)
    other = csrf(client(work))
    own = csrf(browser)
    for proof in ("", "0" * 64, other):
        answer = browser.request(method, "/logout", headers={"X-CSRF-Token": proof})
        assert answer.status_code == 403
    assert browser.post("/logout", headers={"X-CSRF-Token": own}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "*"])
def test_a_name_that_is_not_ours_is_not_answered(work: Workspace, host: str) -> None:
    """So that a page elsewhere, whose name is pointed at this machine, reads nothing."""
    answer = client(work).get("/api/v1/takes", headers={"Host": host})
    assert answer.status_code == 421


def test_bodies_have_a_limit_whatever_they_say_of_themselves(work: Workspace) -> None:
    browser = client(work)
    proof = {"X-CSRF-Token": csrf(browser)}
    for length in (str(MOST_BODY + 1), "-1", "1e3", "9" * 400):
        answer = browser.post("/login", headers=proof | {"Content-Length": length}, content=b"x")
        assert answer.status_code == 413
    drip = (b"x" * 65536 for _ in range(40))
    answer = browser.post("/login", headers=proof, content=drip)
    assert answer.status_code in (400, 403, 413, 500)


def test_every_answer_forbids_what_no_page_needs(work: Workspace) -> None:
    browser = client(work)
    for path in ("/", "/nowhere", "/api/v1/nowhere", "/health", "/static/js/page.js"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "path",
    ["/static/../access.json", "/static/%2e%2e/access.py", "/static/..%2f..%2faccess.json",
     "/takes/..%2f..%2faccess.json", "/api/v1/takes/../../../etc/passwd", "/static//etc/passwd"],
)  # fmt: skip
def test_no_address_leads_to_a_file_of_ours(work: Workspace, path: str) -> None:
    answer = client(work).get(path)
    assert answer.status_code in (404, 405, 422)
    assert "secret" not in answer.text


def test_the_access_file_is_for_its_owner(home: Home) -> None:
    ran = home.run("tokens", "add", "Mara", "--role", "editor")
    token = ran.out.strip()
    path = home.folder / access.FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token not in path.read_text()
    (kept,) = tokens_of(home.folder)
    assert (kept.name, kept.role) == ("Mara", Role.EDITOR)
    assert home.run("tokens", "add", "Mara").code == 2
    assert home.run("tokens", "list", "--json").json == [{"name": "Mara", "role": "editor"}]
    assert home.run("tokens", "remove", "Mara").code == 0
    assert home.run("tokens", "remove", "Mara").code == 2


@pytest.mark.parametrize("text", ["", "[]", '{"secret": 1}', '{"secret": "a", "tokens": [{}]}'])
def test_a_spoilt_access_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / access.FILE_NAME).write_text(text)
    with pytest.raises(InputError, match=access.FILE_NAME):
        tokens_of(tmp_path)


def test_the_network_is_served_only_with_tokens(home: Home) -> None:
    ran = home.run("serve", "--host", "0.0.0.0", "--port", "0")
    assert ran.code == 2
    assert "roomtone tokens add" in ran.err


@pytest.mark.parametrize("body", [b"[" * 500_000, b'{"a":' * 100_000, b"1" * 10_000, b"1e400"])
def test_a_body_that_is_nested_without_end_is_a_wrong_request(work: Workspace, body: bytes) -> None:
    browser = client(work)
    headers = {"X-CSRF-Token": csrf(browser), "Content-Type": "application/json"}
    answer = browser.post("/api/v1/runs", headers=headers, content=body)
    assert answer.status_code in (400, 422)
