"""What the README tells people to type works, and what it lists is what there is."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
from production import ROOT, V1, V2, Delivered, Home, standing_in, stems, tell, write_otio

from cli.main import app
from config.deliveries import delivery_names
from config.recipes import recipe_names
from config.settings import load_settings
from core.errors import ExitCode
from models.known_weights import KNOWN

README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("$ "))
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ roomtone ")
]
OPTIONS = re.findall(r"^\| (`--.*?) \| ", README, re.MULTILINE)


def own_words(words: list[str]) -> list[str]:
    """A command of the README with the places that it makes up put where they are here."""
    places = {
        ("--media", "DIR"): "sound",
        ("--media", "/Volumes/SOUND"): "sound",
        ("nightly", "/Volumes/SOUND"): "sound",
        ("--folder", "/Volumes/TURNOVER"): "cuts",
        ("--take", "14-T02"): "1-T02",
        ("--scene", "14"): "1",
        ("tag", "14-T02"): "1-T02",
        ("clean", "CUT"): "cuts/reel1_v3.otio",
        ("lines", "14-T02"): "1-T02",
        ("correct", "14-T02"): "1-T02",
        ("relink", "CUT"): "cuts/reel1_v3.otio",
        ("override", "CUT"): "cuts/reel1_v3.otio",
        ("sync", "CUT"): "cuts/reel1_v3.otio",
        ("export", "CUT"): "cuts/reel1_v3.otio",
        ("adr", "CUT"): "cuts/reel1_v3.otio",
        ("reconform", "OLD"): "cuts/reel1_v3.otio",
        ("OLD", "NEW"): "cuts/reel1_v4.otio",
    }
    return [places.get((before, word), word) for before, word in itertools.pairwise(words)]


@pytest.fixture
def desk(delivered: Delivered, own_home: Home, tmp_path: Path) -> Path:
    """A working folder that has the files which the README speaks of."""
    shutil.copytree(delivered.film / "sound", tmp_path / "sound")
    (tmp_path / "cuts").mkdir()
    write_otio(tmp_path / "cuts" / "reel1_v3.otio", V1, sound="../sound")
    write_otio(tmp_path / "cuts" / "reel1_v4.otio", V2, sound="../sound")
    shutil.copy(stems(delivered.out)["DX"], tmp_path / "my_edit.wav")
    shutil.copy(stems(delivered.out)["A1_DX.PROD"], tmp_path / "MIXDOWN.wav")
    shutil.copy(delivered.film / "sound" / "1-T01.wav", tmp_path / "INTERVIEW.wav")
    shutil.copy(delivered.film / "sound" / "1-T01.wav", tmp_path / "SOUND.wav")
    shutil.copy(stems(delivered.out)["DX"], tmp_path / "SOMETHING.wav")
    (tmp_path / "SCRIPT.fdx").write_text(a_script(12), "utf-8")
    return tmp_path


def a_script(lines: int) -> str:
    """A Final Draft script of so many lines."""
    speech = (
        '<Paragraph Type="Character"><Text>REN</Text></Paragraph>'
        '<Paragraph Type="Dialogue"><Text>Bring the blue suitcase, number {}.</Text></Paragraph>'
    )
    said = "".join(speech.format(number) for number in range(1, lines + 1))
    return f'<FinalDraft DocumentType="Script"><Content>{said}</Content></FinalDraft>'


def test_every_command_runs(desk: Path, own_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(desk))
    assert len(COMMANDS) > 8
    for words in COMMANDS:
        if words[1:3] == ["models", "fetch"]:  # needs the network
            assert words[3] in KNOWN
            continue
        if words[1:3] == ["models", "import"]:  # needs weights
            assert own_home.run("models", "import", "--help").code == 0
            continue
        if words[1] == "serve":  # never ends; tests/test_page.py opens what it serves
            continue
        if words[1] in ("correct", "pull"):
            tell(own_home, {"1-T02": [(30, "what joy there is in living")]})
        mine = own_words(words)
        direct = ["--direct"] if mine[0] == "clean" else []
        with standing_in(desk):
            ran = own_home.run(*mine, *direct)
        assert (ran.code, ran.err) == (0, ""), words
    assert (desk / "reel1_v3_clean" / "stems" / "reel1_v3.A1_DX.DX.wav").is_file()
    assert (desk / "cleaned" / "INTERVIEW.wav").is_file()


def test_every_command_and_option_exists(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    known = {command.name for command in app.registered_commands} | {
        group.name for group in app.registered_groups
    }
    named = set(re.findall(r"`roomtone ([a-z]+)", README)) | {words[1] for words in COMMANDS}
    assert named <= known
    asked = {option for cell in OPTIONS for option in re.findall(r"--[a-z-]+", cell)}
    assert len(asked) > 5
    help_text = home.run("clean", "--help").out
    for option in sorted(asked):
        assert option in help_text, option
    helps = help_text + "".join(
        home.run(command.name or "", "--help").out for command in app.registered_commands
    )
    helps += home.run("resolve", "install", "--help").out
    for option in sorted(set(re.findall(r"`(--[a-z-]+)", README))):
        assert option in helps, option


def test_recipes_specifications_and_codes_are_those_that_there_are() -> None:
    rows = dict(re.findall(r"^\| `(--[a-z]+)` \| (.*) \|$", README, re.MULTILINE))
    assert set(re.findall(r"`([a-z0-9-]+)`", rows["--recipe"])) == set(recipe_names())
    assert set(re.findall(r"`([a-z0-9-]+)`", rows["--loudness"])) == set(delivery_names())
    codes = [int(code) for code in re.findall(r"^\| (\d) \| ", README, re.MULTILINE)]
    assert codes == [code.value for code in ExitCode]


def test_the_settings_file_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "roomtone.toml").write_text(block)
    settings, _ = load_settings({"home": tmp_path / "home"}, tmp_path)
    for name, value in tomllib.loads(block).items():
        found = getattr(settings, name)
        assert found == (tuple(map(Path, value)) if isinstance(value, list) else value)


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    asked = re.findall(
        r"make ((?:[a-z]+ ?)+)", " ".join(re.findall(r"[`$] ?(make [^`\n]*)", README))
    )
    assert {word for words in asked for word in words.split() if word != "make"} <= targets


def test_every_file_it_names_is_there() -> None:
    for name in re.findall(r"`((?:docs|\.ci)/[A-Za-z./]+)`", README):
        assert (ROOT / name).exists(), name
