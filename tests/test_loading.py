"""Models are loaded once, however many takes come to them at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from models.loading import LoadedOnce, loaded_once

LOADED: list[str] = []


@dataclass
class Engine:
    loads: list[int] = field(default_factory=list)

    @LoadedOnce
    def model(self) -> str:
        time.sleep(0.02)  # the others come meanwhile
        self.loads.append(1)
        return "model"


@loaded_once(2)
def load(name: str) -> str:
    time.sleep(0.02)
    LOADED.append(name)
    return name.upper()


def test_threads_that_come_at_once_share_one_model() -> None:
    engine = Engine()
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(lambda _: engine.model, range(8))] == ["model"] * 8
        assert [*pool.map(load, "abab")] == ["A", "B", "A", "B"]
    assert engine.loads == [1]
    assert sorted(LOADED) == ["a", "b"]
    assert load("c") == "C"  # and the one that nobody asked for longest goes
    LOADED.clear()
    load("c")
    assert LOADED == []
