"""Nothing leaves the machine: a run opens no connection to anywhere but the machine itself."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest
from production import Home


def is_local(address: Any) -> bool:
    """Whether a socket's address is on this machine: a path, loopback or its name."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses beyond this machine that were asked for, none of which is reached."""
    asked: list[Any] = []

    def guarded(name: str) -> None:
        real = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if not is_local(address):
                asked.append(address)
                raise OSError("no network in this test")
            return real(self, address)

        monkeypatch.setattr(socket.socket, name, connect)

    def looked_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in (None, "", "localhost") and not is_local((host,)):
            asked.append(host)
            raise socket.gaierror("no network in this test")
        return lookup(host, *rest, **more)

    lookup = socket.getaddrinfo
    guarded("connect")
    guarded("connect_ex")
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return asked


def test_the_guard_sees_what_would_go_out(reached: list[Any]) -> None:
    with socket.socket() as outside, pytest.raises(OSError, match="no network"):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("example.org", 80), timeout=1)
    assert reached == [("192.0.2.1", 80), "example.org"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
    assert len(reached) == 2


def test_a_run_and_what_follows_it_stay_on_this_machine(
    film: Path, tmp_path: Path, reached: list[Any]
) -> None:
    home = Home(tmp_path / "home", {"ROOMTONE_RECOGNISER": "auto"})
    cut = film / "v2.otio"
    ran = home.run("clean", cut, "--out", tmp_path / "out", "--direct")
    assert ran.code == 0, ran.err
    for words in (
        ("lines", "--json"),
        ("events", "--json"),
        ("search", "anything"),
        ("microphones", film / "sound" / "1-T01.wav"),
        ("privacy", "SMALL FILM", "--no-transcription", "--purge"),
        ("forget", "--take", "1-T01", "--yes"),
        ("doctor",),
    ):
        home.run(*words)
    assert reached == []
