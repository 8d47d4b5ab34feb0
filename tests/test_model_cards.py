"""A model's card says what is known, and a production can forbid what it does not want to run."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from production import ROOT, Delivered, Home

from core.licences import forbidden_by
from flows.model_cards import card_of
from models import dereverb
from models.denoise import rnnoise
from models.described import DESCRIBED, Disclosure, described
from models.known_weights import KNOWN
from models.speech.voiceprint import installed_weights
from models.weights import WeightsFolder


def test_every_model_that_can_be_fetched_or_is_built_in_has_a_card(tmp_path: Path) -> None:
    built_in = {"rnnoise", "nara-wpe", "silero-vad", "pocketsphinx", "resemblyzer"}
    assert set(KNOWN) | built_in <= set(DESCRIBED)
    for name, model in DESCRIBED.items():
        assert model.licence, name
        assert model.trained_on, name
        assert model.source.startswith("https://"), name
        assert card_of(name, WeightsFolder(tmp_path)).terms in ("permissive",), name


def test_the_card_of_what_runs_is_the_card_that_is_shown(tmp_path: Path) -> None:
    ran = rnnoise.load().card
    shown = card_of("rnnoise", WeightsFolder(tmp_path))
    assert shown.weights_sha256 == ran.weights_sha256
    assert (shown.model.title, shown.model.version) == (ran.name, ran.version)
    assert (shown.model.licence, shown.model.trained_on) == (ran.licence, ran.trained_on)
    assert dereverb.card().name == described("nara-wpe").title
    encoder = card_of("resemblyzer", WeightsFolder(tmp_path))
    weights = installed_weights()
    assert encoder.place == weights
    assert encoder.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_measured_numbers_are_those_of_the_benchmarks(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "BENCHMARKS.md").read_text("utf-8")
    told = 0
    for name, model in DESCRIBED.items():
        for item in card_of(name, WeightsFolder(tmp_path)).measured:
            assert item.rows, (name, item.section)
            for row in item.rows:
                assert len(row) == len(item.heading)
                written = r"\s*\|\s*".join(re.escape(cell) for cell in row)
                assert re.search(rf"^\|\s*{written}\s*\|$", page, re.MULTILINE), row
                told += 1
        assert len(model.measured) <= told
    assert told > 5


def test_a_page_without_the_rows_tells_nothing(tmp_path: Path) -> None:
    other = tmp_path / "BENCHMARKS.md"
    other.write_text("# Benchmarks\n\n## Denoising\n\n| means | SIG |\n| - | - |\n| noisy | 1 |\n")
    shown = card_of("rnnoise", WeightsFolder(tmp_path), other)
    assert [item.rows for item in shown.measured] == [()]
    assert [item.rows for item in card_of("rnnoise", WeightsFolder(tmp_path), tmp_path).measured]


def test_a_card_is_printed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    told = home.run("models", "show", "deepfilternet3")
    assert told.code == 0, told.err
    for said in ("DeepFilterNet3 0.5.6", "MIT OR Apache-2.0", "data sets named", "SI-SDR dB 14.3"):
        assert said in told.out
    assert "roomtone models fetch deepfilternet3" in told.out
    shown = home.run("models", "show", "rnnoise", "--json").json
    assert shown["disclosure"] == "data sets named"
    assert len(shown["weights_sha256"]) == 64
    unknown = home.run("models", "show", "nonesuch")
    assert unknown.code == 2
    assert "rnnoise" in unknown.err


@pytest.mark.shared
def test_installed_weights_are_shown_with_their_hash(shared: Path, tmp_path: Path) -> None:
    folder = WeightsFolder(tmp_path / "weights")
    folder.import_from(shared / "weights" / "deepfilternet3")
    shown = card_of("deepfilternet3", folder)
    assert shown.place == tmp_path / "weights" / "deepfilternet3"
    lines = sorted(
        f"{file.name} {hashlib.sha256((shown.place / file.name).read_bytes()).hexdigest()}\n"
        for file in KNOWN["deepfilternet3"].files
    )
    assert shown.weights_sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize(
    ("expression", "forbidden", "is_forbidden"),
    [
        ("MIT", (), False),
        ("MIT", ("MIT",), True),
        ("MIT", ("mit",), True),
        ("MIT", ("GPL*",), False),
        ("MIT OR Apache-2.0", ("MIT",), False),
        ("MIT OR Apache-2.0", ("MIT", "Apache-2.0"), True),
        ("MIT AND CC-BY-NC-4.0", ("CC-BY-NC*",), True),
        ("CC-BY-NC-4.0", ("restricted",), True),
        ("GPL-3.0-only WITH GCC-exception-3.1", ("copyleft",), True),
        ("(MIT OR GPL-2.0-only) AND BSD-3-Clause", ("copyleft",), False),
        ("", ("unknown",), True),
        ("", ("MIT",), False),
        ("Something-Odd", ("unknown",), True),
    ],
)
def test_a_licence_is_forbidden_where_no_choice_avoids_it(
    expression: str, forbidden: tuple[str, ...], is_forbidden: bool
) -> None:
    assert forbidden_by(expression, forbidden) is is_forbidden


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ROOMTONE_FORBIDDEN_LICENCES", "GPL*,BSD-3-Clause", "RNNoise may not run here"),
        ("ROOMTONE_REQUIRE_DISCLOSURE", "named", "Silero VAD may not run here"),
    ],
)
def test_what_is_forbidden_stops_the_run_before_any_work(
    delivered: Delivered, tmp_path: Path, name: str, value: str, said: str
) -> None:
    home, out = Home(tmp_path / "home", {name: value}), tmp_path / "out"
    ran = home.run("clean", delivered.film / "v1.otio", "--out", out, "--direct")
    assert ran.code == 5
    assert said in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert not out.exists()
    assert not list((tmp_path / "home" / "store").iterdir())
    audio = home.run("clean", delivered.film / "sound" / "1-T01.wav", "--out", out)
    assert (audio.code, said in audio.err) == (5, True)


def test_a_model_that_is_told_less_of_than_asked_is_refused(
    delivered: Delivered, tmp_path: Path
) -> None:
    assert described("whisper-small").disclosure is Disclosure.DESCRIBED
    assert described("pocketsphinx").disclosure is Disclosure.NONE
    assert described("of-our-own").disclosure is Disclosure.NONE
    assert described("of-our-own").licence == ""
    environment = {
        "ROOMTONE_REQUIRE_DISCLOSURE": "described",
        "ROOMTONE_RECOGNISER": "pocketsphinx",
    }
    home = Home(tmp_path / "home", environment)
    cut = delivered.film / "v1.otio"
    ran = home.run("clean", cut, "--out", tmp_path / "out", "--direct")
    assert ran.code == 5
    assert "pocketsphinx en-us may not run here" in ran.err
    assert "not disclosed by its authors" in ran.err
