"""Takes done by the workers of a Dask scheduler: the same bytes, once each, and faults told."""

from __future__ import annotations

import pickle
import shutil
import socket
import sys
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from operator import add
from pathlib import Path

import pytest
from production import Delivered, Home, sound_of

from config.settings import Settings
from core.errors import EngineError, InputError, UsageError
from flows import workspace
from flows.spread import OnDask, known_elsewhere, runner_for, sent
from flows.workspace import Workspace, open_workspace

distributed = pytest.importorskip("distributed", reason="needs the extra dask")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A scheduler with two workers, all in this process; what is sent to them is packed alike."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


def store_of(home: Home) -> dict[str, str]:
    """What lies in a store, by name: the sha256 of each file."""
    return {
        path.name: sha256(path.read_bytes()).hexdigest()
        for path in sorted((home.folder / "store").rglob("*.wav"))
    }


def test_a_night_and_a_cut_on_dask_are_the_same_bytes_and_done_once(
    scheduler: str, delivered: Delivered, tmp_path: Path
) -> None:
    dailies = tmp_path / "in"
    dailies.mkdir()
    for name in ("1-T01", "copy"):  # a card and its copy: one sound, cleaned once
        shutil.copy(delivered.film / "sound" / "1-T01.wav", dailies / f"{name}.wav")
    here = Home(tmp_path / "here", {"ROOMTONE_RECIPE": "bypass"})
    there = Home(tmp_path / "there", {"ROOMTONE_SCHEDULER": scheduler})
    alone = here.run("nightly", dailies, "--json")
    spread, again = (there.run("nightly", dailies, "--recipe", "bypass", "--json") for _ in "ab")
    assert (alone.code, spread.code, again.code) == (0, 0, 0), spread.err
    assert spread.json["counts"] == alone.json["counts"]
    assert (spread.json["counts"]["done"], spread.json["counts"]["known"]) == (1, 1)
    assert again.json["counts"]["known"] == 2
    assert len(store_of(there)) == 3
    assert store_of(there) == store_of(here)
    words = ("clean", delivered.film / "v1.otio", "--direct", "--json", "--out")
    cleaned, known = (there.run(*words, tmp_path / "out") for _ in "ab")
    assert (cleaned.code, known.code) == (0, 0), cleaned.err
    assert sound_of(tmp_path / "out") == sound_of(delivered.out)
    assert (cleaned.json["takes_cleaned"], known.json["takes_cleaned"]) == (4, 0)


def test_results_come_in_order_and_a_fault_is_the_one_that_was_raised(
    scheduler: str, tmp_path: Path
) -> None:
    with distributed.Client(scheduler, set_as_default=False) as client:
        told: list[int] = []
        assert OnDask(client).each("sums", partial(add, 1), [3, 1, 2], told.append) == [4, 2, 3]
        assert sorted(told) == [2, 3, 4]
        with pytest.raises(InputError, match=r"no\.wav can't"):
            OnDask(client).each("faults", refuse, [tmp_path / "no.wav"])


def refuse(path: Path) -> None:
    raise InputError(f"{path} can't be read.")


def test_a_scheduler_that_is_not_there_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr("flows.spread.CONNECT_S", 0.2)
        ran = Home(tmp_path / "home", {"ROOMTONE_SCHEDULER": address}).run("nightly", tmp_path)
    assert ran.code == 6
    assert ran.err.strip().endswith(
        f"No Dask scheduler answers at {address}: start one (`dask scheduler`), or leave the "
        "setting scheduler empty."
    )
    wrong = Home(tmp_path / "home", {"ROOMTONE_SCHEDULER": "farm:8786"}).run("nightly", tmp_path)
    assert wrong.code == 2
    assert "write tcp://HOST:8786" in wrong.err
    monkeypatch.setitem(sys.modules, "distributed", None)
    lacks = Home(tmp_path / "home", {"ROOMTONE_SCHEDULER": address}).run("nightly", tmp_path)
    assert lacks.code == 2
    assert 'pip install "roomtone[dask]"' in lacks.err


def test_nothing_secret_is_sent_and_another_database_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = f"sqlite:///{tmp_path}/hush.db"
    settings = Settings(
        home=tmp_path / "home",
        database=secret,
        nightly_webhook="https://hush.example/x",  # type: ignore[arg-type]
    )
    with open_workspace(settings) as work:
        packed = sent(partial(home_of, work), None)
        assert b"hush" not in pickle.dumps(packed)
        monkeypatch.setenv("ROOMTONE_DATABASE", f"sqlite:///{tmp_path}/other.db")
        with known_elsewhere(work), pytest.raises(UsageError, match="another database"):
            packed()
        monkeypatch.setenv("ROOMTONE_DATABASE", secret)
        with known_elsewhere(work):
            assert packed() == work.settings.home
        monkeypatch.setattr(workspace, "code_version", lambda: "9.9")
        with pytest.raises(EngineError, match=r"has roomtone 9\.9"):
            sent(partial(home_of, work), 1).__class__(packed.do + b"\n", packed.item)()


def home_of(work: Workspace, item: object) -> Path:
    with work.database.read():
        return work.settings.home


def test_without_a_scheduler_takes_are_done_in_this_process(tmp_path: Path) -> None:
    with open_workspace(Settings(home=tmp_path)) as work, runner_for(work) as run:
        assert run.each("sums", partial(add, 1), [1, 2]) == [2, 3]
        assert run.one("seven", lambda: 7) == 7


def test_what_prefect_sends_to_dask_can_be_sent() -> None:
    import cloudpickle

    from flows.prefect_clean import clean_cut_flow, piece

    # Prefect sends the functions themselves, with all that they name.
    cloudpickle.dumps((clean_cut_flow.fn, piece.fn))
