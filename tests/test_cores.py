"""As many takes at once as there are cores, as far as memory goes, in a container too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.settings import Settings
from flows import cores as machine
from flows.cores import cores, free_memory, workers_of


def told(root: Path, **files: str) -> Path:
    names = {
        "meminfo": "proc/meminfo",
        "share": "sys/fs/cgroup/cpu.max",
        "most": "sys/fs/cgroup/memory.max",
        "used": "sys/fs/cgroup/memory.current",
    }
    for name, text in files.items():
        path = root / names[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_container_has_its_share_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    assert cores(tmp_path) == 12
    assert cores(told(tmp_path, share="max 100000\n")) == 12
    assert cores(told(tmp_path, share="350000 100000\n")) == 3
    assert cores(told(tmp_path, share="50000 100000\n")) == 1
    assert free_memory(tmp_path) == 1 << 50
    told(tmp_path, meminfo="MemTotal: 99 kB\nMemAvailable:    4000 kB\n")
    assert free_memory(tmp_path) == 4_096_000
    assert free_memory(told(tmp_path, most="max\n", used="7\n")) == 4_096_000
    assert free_memory(told(tmp_path, most="3000000\n", used="1000000\n")) == 2_000_000


@pytest.mark.parametrize(
    ("there", "memory", "set_to", "workers"),
    [(16, 64 << 30, 0, 16), (16, 5 << 30, 0, 5), (16, 1 << 20, 0, 1), (2, 64 << 30, 7, 7)],
)
def test_cores_are_full_and_memory_is_not(
    monkeypatch: pytest.MonkeyPatch, there: int, memory: int, set_to: int, workers: int
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: there)
    monkeypatch.setattr(machine, "free_memory", lambda: memory)
    assert workers_of(Settings(workers=set_to)) == workers
