"""What the container files name exists and is said rightly; no Docker engine is needed for that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import app
from config.settings import Settings
from web.health import healthy

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(
    (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")
)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [
    name for name, service in SERVICES.items() if "build" in service and "entrypoint" not in service
]
# The keys of a service in the Compose specification that are used here.
KEYS = {
    "image", "build", "restart", "stop_grace_period", "depends_on", "environment", "volumes",
    "command", "ports", "healthcheck", "deploy", "profiles", "entrypoint",
}  # fmt: skip


def test_everything_that_is_copied_is_there_and_every_package_is_copied() -> None:
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        copied.update(sources)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= copied
    extras = re.search(r"'\.\[(.+?)\]'", DOCKERFILE)
    assert extras is not None
    assert set(extras[1].split(",")) <= set(project["project"]["optional-dependencies"])


def test_the_container_runs_as_nobody_in_particular_and_is_watched() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    user = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    assert user == ["roomtone"]
    assert "HEALTHCHECK" in last
    module = re.search(r'"-m", "([\w.]+)"', last)
    assert module is not None
    assert (ROOT / f"{module[1].replace('.', '/')}.py").is_file()


def test_services_depend_on_services_and_use_volumes_that_there_are() -> None:
    for name, service in SERVICES.items():
        assert service.keys() <= KEYS, name
        assert set(service.get("depends_on", {})) <= SERVICES.keys(), name
        for volume in service.get("volumes", ()):
            source = re.sub(r"\$\{.*?\}", "/folder", volume).split(":")[0]
            assert source.startswith(("/", ".")) or source in COMPOSE["volumes"], volume
        if "build" in service:
            folder = ROOT / "docker" / service["build"]["context"]
            assert (folder / service["build"]["dockerfile"]).is_file()
    for waiting, condition in SERVICES["page"]["depends_on"].items():
        assert condition["condition"] != "service_healthy" or "healthcheck" in SERVICES[waiting]


def test_no_password_is_written_down_and_every_setting_is_known() -> None:
    known = {f"ROOMTONE_{name.upper()}" for name in Settings.model_fields}
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or str(value).startswith("${"), name
            assert not re.search(r"://\w+:(?!\$\{)", str(value)), f"{name}: {variable}"
            if variable.startswith("ROOMTONE_"):
                assert variable in known


@pytest.mark.parametrize("name", OURS)
def test_every_command_and_option_exists(name: str) -> None:
    words = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word) for word in SERVICES[name]["command"]]
    group: Any = typer.main.get_command(app)
    command = group.commands[words[0]]
    # Parsing alone: unknown options and wrong values are refused, nothing is done.
    command.make_context(words[0], words[1:])


def test_a_server_is_healthy_when_it_answers_and_not_else() -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 503)
            self.end_headers()
            self.wfile.write(json.dumps({}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert healthy(f"{url}/health")
        assert not healthy(f"{url}/else")
        command = [sys.executable, "-m", "web.health"]
        assert subprocess.run([*command, f"{url}/health"], check=False, cwd=ROOT).returncode == 0
        server.shutdown()
    assert not healthy(f"{url}/health")
    assert not healthy("file:///etc/hostname")
