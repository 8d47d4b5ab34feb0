"""A sidecar tells of its stem what the database knows, and verify holds the two together."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from production import Delivered, Home
from prov.model import ProvDocument


@pytest.fixture(scope="module")
def sided(delivered: Delivered, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """The first cut, delivered with sidecars."""
    folder = tmp_path_factory.mktemp("sided")
    shutil.copytree(delivered.home.folder, folder / "home")
    made = Delivered(delivered.film, Home(folder / "home"), folder / "out")
    words = ("clean", made.film / "v1.otio", "--out", made.out, "--direct", "--sidecar")
    ran = made.home.run(*words)
    assert ran.code == 0, ran.err
    return made


def test_each_stem_has_its_record_beside_it(sided: Delivered) -> None:
    listed = {entry["path"]: entry for entry in sided.list["files"]}
    stems = [path for path, entry in listed.items() if entry["frames"] and "stems/" in path]
    assert stems
    for path in stems:
        assert listed[f"{path}.json"]["role"] == "SIDECAR"
        told = json.loads((sided.out / f"{path}.json").read_text("utf-8"))
        assert told["sha256"] == hashlib.sha256((sided.out / path).read_bytes()).hexdigest()
        assert (told["file"], told["frames"]) == (Path(path).name, listed[path]["frames"])
        assert told["id"]
        assert told["chain"][-1].startswith("A=PCM,F=48000")
        assert f"sha256:{told['sha256']}" in told["prov"]["entity"]
        assert str(sided.film) not in json.dumps(told)
        ProvDocument.deserialize(content=json.dumps(told["prov"]))
    dx = json.loads((sided.out / "stems" / "v1.DX.wav.json").read_text("utf-8"))
    assert [model["name"] for model in dx["models"]] == ["RNNoise"]
    assert dx["recipe"] == "standard"
    names = {facts.get("prov:label") for facts in dx["prov"]["entity"].values()}
    assert {"1-T01.wav", "1-T02.wav"} <= names


def test_a_second_run_leaves_them_alone_and_check_knows_them(sided: Delivered) -> None:
    before = (sided.out / "stems" / "v1.DX.wav.json").read_bytes()
    words = ("clean", sided.film / "v1.otio", "--out", sided.out, "--direct", "--sidecar")
    ran = sided.home.run(*words, "--json")
    assert ran.json["rendered_now"] is False
    assert (sided.out / "stems" / "v1.DX.wav.json").read_bytes() == before
    assert sided.home.run("check").code == 0


def test_verify_says_whether_stem_and_sidecar_belong_together(
    sided: Delivered, tmp_path: Path
) -> None:
    stem = tmp_path / "v1.DX.wav"
    for path in (stem, tmp_path / "v1.DX.wav.json"):
        shutil.copy(sided.out / "stems" / path.name, path)
    ran = sided.home.run("verify", stem)
    assert (ran.code, "its sidecar agrees" in ran.out.replace("\n", " ")) == (0, True)
    other = Home(tmp_path / "elsewhere")
    strange = other.run("verify", stem)
    assert strange.code == 7
    assert "its sidecar agrees" in strange.out.replace("\n", " ")
    shutil.copy(sided.out / "stems" / "v1.A1_DX.DX.wav", stem)
    ran = sided.home.run("verify", stem, "--json")
    assert ran.code == 7
    assert "its sidecar is of other bytes" in ran.json[0]["said"]
    (tmp_path / "v1.DX.wav.json").write_text('{"roomtone_sidecar": 1}')
    assert "its sidecar is broken" in sided.home.run("verify", stem, "--json").json[0]["said"]
