"""A store in a bucket: the same bytes, whole or not at all, through a network that goes away."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import time
from pathlib import Path

import pytest
from object_storage import ACCESS, Bucket, ObjectStorage
from production import Delivered, Home, sound_of

from adapters.storage import objects
from adapters.storage.objects import ObjectStore
from config.settings import Settings
from core.errors import ExitCode, InputError, OutputError, PassingError
from flows.workspace import open_store

DAY_S = 24 * 3600


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a network that is away at the first try, as tests have no time."""
    monkeypatch.setattr(objects, "TRIES", 1)
    monkeypatch.setattr(objects, "AGAIN", 1)


@pytest.fixture
def store(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A store in the bucket, that may keep 1000 bytes here."""
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    opened = open_store(
        Settings(
            home=tmp_path / "home",
            store=bucket.address,
            store_endpoint=bucket.storage.endpoint,
            store_local_gb=1e-6,
        )
    )
    assert isinstance(opened, ObjectStore)
    return opened


def keep(store: ObjectStore, key: str, data: bytes) -> Path:
    path = store.place(key)
    with store.making(path) as made:
        made.write_bytes(data)
        store.keep(made, path, hashlib.sha256(data).hexdigest())
    return path


def make_old(path: Path) -> None:
    os.utime(path, (time.time() - DAY_S, time.time() - DAY_S))


def test_what_is_kept_is_in_the_bucket_and_comes_back(store: ObjectStore, bucket: Bucket) -> None:
    path = keep(store, "abcd", b"sound")
    assert bucket.objects == {"ab/abcd.wav": b"sound"}
    assert path.read_bytes() == b"sound"
    path.unlink()
    assert store.here(path).read_bytes() == b"sound"
    found = store.look(path)
    assert found is not None
    assert (found.bytes, found.regular) == (5, True)
    assert [at for at, _ in store.files()] == [path]
    assert store.placed(store.shown(path)) == path
    assert store.shown(path) == f"{bucket.address}/ab/abcd.wav"


def test_what_is_given_up_is_nowhere(store: ObjectStore, bucket: Bucket) -> None:
    path = store.place("abcd")

    def give_up() -> None:
        with store.making(path) as made:
            made.write_bytes(b"half")
            raise ValueError("oh")

    with pytest.raises(ValueError, match="oh"):
        give_up()
    assert bucket.objects == {}
    assert not list(path.parent.iterdir())
    assert store.look(path) is None


def test_other_bytes_than_were_kept_are_refused(store: ObjectStore, bucket: Bucket) -> None:
    path = keep(store, "abcd", b"sound")
    kept = bucket.storage.client.head_object(Bucket=bucket.name, Key="takes/ab/abcd.wav")
    bucket.storage.client.put_object(
        Bucket=bucket.name, Key="takes/ab/abcd.wav", Body=b"noise", Metadata=kept["Metadata"]
    )
    path.unlink()
    with pytest.raises(InputError, match=r"ab/abcd\.wav has other bytes .* roomtone repair"):
        store.here(path)
    assert not path.exists()
    assert store.sha256(path, lambda _: None) == hashlib.sha256(b"noise").hexdigest()


def test_copies_here_are_bounded_and_the_one_not_used_for_longest_goes(store: ObjectStore) -> None:
    first, second = keep(store, "aa1", bytes(400)), keep(store, "bb2", bytes(400))
    make_old(first)
    make_old(second)
    assert store.here(first) == first  # used again
    third = keep(store, "cc3", bytes(400))
    assert [path.exists() for path in (first, second, third)] == [True, False, True]
    assert store.here(second).read_bytes() == bytes(400)
    # What was asked for just now is about to be read, whatever the bound.
    assert [path.exists() for path in (first, second, third)] == [True, True, True]


def test_copies_of_what_no_row_speaks_of_are_cleared_away(
    store: ObjectStore, bucket: Bucket
) -> None:
    known, forgotten = keep(store, "aa1", b"1"), keep(store, "bb2", b"2")
    make_old(known)
    make_old(forgotten)
    store.tidy(lambda keys: {key for key in keys if key == "aa1"})
    assert (known.exists(), forgotten.exists()) == (True, False)
    assert len(bucket.objects) == 2


def test_it_goes_to_another_process(store: ObjectStore) -> None:
    path = keep(store, "abcd", b"sound")
    path.unlink()
    assert pickle.loads(pickle.dumps(store)).here(path).read_bytes() == b"sound"


def test_faults_are_sentences(
    store: ObjectStore, bucket: Bucket, hasty: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = store.place("abcd")
    with pytest.raises(InputError, match="is not in the store any more: run roomtone repair"):
        store.here(path)
    bucket.storage.go()
    try:
        with pytest.raises(PassingError, match=r"can't be reached now .* what was done is kept\.$"):
            store.look(path)
    finally:
        bucket.storage.come()
    other = Settings(
        home=tmp_path / "home", store="s3://no-such/place", store_endpoint=bucket.storage.endpoint
    )
    with pytest.raises(OutputError, match="There is no bucket 'no-such' for s3://no-such"):
        open_store(other).look(path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(tmp_path))
    fresh = pickle.loads(pickle.dumps(store))
    with pytest.raises(OutputError, match="without credentials: set AWS_ACCESS_KEY_ID"):
        fresh.look(path)


@pytest.fixture(scope="module")
def cleaned(
    delivered: Delivered, storage: ObjectStorage, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Bucket, Delivered]:
    """The first cut with a bucket as the store; the network was lost on the way.

    What was cleaned before lies in the bucket, as a person would copy it there.
    """
    bucket, folder = storage.bucket(), tmp_path_factory.mktemp("bucket")
    shutil.copytree(delivered.home.folder, folder / "home")
    files = sorted((folder / "home" / "store").rglob("*.wav"))
    for path in files[1:]:
        bucket.put(f"{path.parent.name}/{path.name}", path.read_bytes())
    shutil.rmtree(folder / "home" / "store")
    made = Delivered(delivered.film, Home(folder / "home", bucket.variables), folder / "out")
    keeping = ObjectStore.keep

    def lost(self: ObjectStore, made: Path, path: Path, sha256: str) -> None:
        storage.go()
        keeping(self, made, path, sha256)

    words = ("clean", made.film / "v1.otio", "--out", made.out, "--direct", "--json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "TRIES", 1)
        patch.setattr(objects, "AGAIN", 1)
        patch.setattr(ObjectStore, "keep", lost)
        first = made.home.run(*words)
    storage.come()
    assert (first.code, first.out) == (6, "")
    assert first.err.startswith(f"roomtone: {bucket.address}/")
    assert first.err.count("\n") == 1
    assert "can't be reached now" in first.err
    assert len(bucket.objects) == 3
    second = made.home.run(*words)
    assert (second.code, second.json["takes_cleaned"]) == (0, 1), second.err
    return bucket, made


def test_a_lost_network_ends_in_a_sentence_and_the_next_run_gives_the_same_bytes(
    cleaned: tuple[Bucket, Delivered], delivered: Delivered
) -> None:
    bucket, made = cleaned
    assert sound_of(made.out) == sound_of(delivered.out)
    local = {
        path.relative_to(delivered.home.folder / "store").as_posix(): path.read_bytes()
        for path in (delivered.home.folder / "store").rglob("*.wav")
    }
    assert bucket.objects == local
    told = {item["check"]: item for item in made.home.run("doctor", "--json").json}
    assert (told["store"]["ok"], told["store"]["found"]) == (True, bucket.address)
    ran = made.home.run("check", "--read", "--json")
    assert (ran.code, ran.json["findings"]) == (0, []), ran.out


def test_a_machine_without_copies_conforms_from_the_bucket(
    cleaned: tuple[Bucket, Delivered], delivered: Delivered, tmp_path: Path
) -> None:
    bucket, made = cleaned
    shutil.copytree(made.home.folder, tmp_path / "home")
    shutil.rmtree(tmp_path / "home" / "store")
    home = Home(tmp_path / "home", bucket.variables)
    words = ("clean", made.film / "v1.otio", "--out", tmp_path / "out", "--direct", "--json")
    ran = home.run(*words)
    assert (ran.code, ran.json["takes_cleaned"]) == (0, 0), ran.err
    assert sound_of(tmp_path / "out") == sound_of(delivered.out)
    before = bucket.objects
    name, other = list(before)[:2]
    bucket.delete(name)
    bucket.put("zz/stranger.wav", b"?")
    bucket.put(other, before[other][:-3] + b"XYZ")
    findings = home.run("check", "--read", "--json").json["findings"]
    assert {(item["kind"], item["where"]) for item in findings} == {
        ("missing", f"{bucket.address}/{name}"),
        ("changed", f"{bucket.address}/{other}"),
    }
    ran = home.run("repair", "--yes", "--json")
    assert ran.json["failed"] == [], ran.out
    bucket.delete("zz/stranger.wav")
    assert bucket.objects == before
    assert (home.folder / "aside" / Path(other).name).read_bytes().endswith(b"XYZ")


def test_a_backup_holds_the_bucket_and_fills_another(
    cleaned: tuple[Bucket, Delivered], storage: ObjectStorage, tmp_path: Path
) -> None:
    bucket, made = cleaned
    ran = made.home.run("backup", tmp_path / "backups", "--json")
    assert ran.code == 0, ran.err
    there = storage.bucket()
    home = Home(tmp_path / "home", there.variables)
    ran = home.run("restore", tmp_path / "backups")
    assert ran.code == 0, ran.err
    assert there.objects == bucket.objects
    assert home.run("check", "--read").code == 0
    ran = made.home.run("backup", "s3://no-such/backups")
    assert (ran.code, ran.err.count("\n")) == (ExitCode.OUTPUT, 1)
    elsewhere = f"s3://{there.name}/backups"
    assert made.home.run("backup", elsewhere).code == 0
    third = Home(tmp_path / "third", {**made.home.environment, "ROOMTONE_STORE": ""})
    assert third.run("restore", elsewhere).code == 0
    assert third.run("check", "--read").code == 0


def test_what_is_pruned_leaves_the_bucket(
    cleaned: tuple[Bucket, Delivered], tmp_path: Path
) -> None:
    bucket, made = cleaned
    shutil.copytree(made.home.folder, tmp_path / "home")
    home = Home(tmp_path / "home", bucket.variables)
    ran = home.run("prune", "--dry-run", "--json")
    assert (ran.code, ran.json["going"], len(ran.json["kept"])) == (0, [], 4), ran.out
    ran = home.run("forget", "--take", "1-T01", "--yes")
    assert ran.code == 0, ran.err
    assert len(bucket.objects) < 4
    assert home.run("check").code == 0


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("STORE", "s3://key:secret@bucket/takes", "with no credentials in it"),
        ("STORE", "gs://bucket/takes", "write a folder or s3://bucket/prefix"),
        ("STORE_ENDPOINT", "http://me:secret@nas:9000", "with no credentials in it"),
    ],
)
def test_credentials_are_no_settings(tmp_path: Path, name: str, value: str, told: str) -> None:
    ran = Home(tmp_path / "home", {f"ROOMTONE_{name}": value}).run("config", "show")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert told in ran.err
    assert "secret" not in ran.out + ran.err


def test_a_store_in_another_folder_is_shared(delivered: Delivered, tmp_path: Path) -> None:
    shutil.copytree(delivered.home.folder, tmp_path / "home")
    (tmp_path / "nas").mkdir()
    (tmp_path / "home" / "store").rename(tmp_path / "nas" / "takes")
    home = Home(tmp_path / "home", {"ROOMTONE_STORE": str(tmp_path / "nas" / "takes")})
    lost = next((tmp_path / "nas" / "takes").rglob("*.wav"))
    content = lost.read_bytes()
    lost.unlink()
    words = ("clean", delivered.film / "v1.otio", "--out", tmp_path / "out", "--direct", "--json")
    ran = home.run(*words)
    assert (ran.code, ran.json["takes_cleaned"]) == (0, 1), ran.err
    assert lost.read_bytes() == content
    assert not (home.folder / "store").exists()
    assert home.run("check", "--read").code == 0
    assert home.run("backup", tmp_path / "backups").code == 0
    again = Home(tmp_path / "again", {"ROOMTONE_STORE": str(tmp_path / "nas2")})
    ran = again.run("restore", tmp_path / "backups")
    assert ran.code == 0, ran.err
    assert sound_of(tmp_path / "nas2") == sound_of(tmp_path / "nas" / "takes")
