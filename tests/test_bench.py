"""The benchmarks' own arithmetic: what a table says is what was measured."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.job import Timed
from bench.made_lines import made_lines
from bench.mixes import mixed
from bench.scores import si_sdr
from bench.table import Table, figures, ratio, render
from bench.wer import nearest_sentence, word_errors, words_of


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0123449, "0.0123"),
        (1.0, "1.00"),
        (9.996, "10.0"),
        (41.72, "41.7"),
        (417.2, "417"),
        (41_720.0, "41700"),
        (-2.5, "-2.50"),
        (0.0, "0"),
        (float("nan"), "-"),
        (float("inf"), "-"),
    ],
)
def test_figures_keep_three_digits_and_no_exponent(value: float, written: str) -> None:
    assert figures(value) == written


def test_a_ratio_to_nothing_is_no_number() -> None:
    assert ratio(3.0, 4.0) == "0.750"
    assert ratio(3.0, 0.0) == "-"


def test_a_table_is_markdown_of_one_width_with_numbers_to_the_right() -> None:
    table = Table("Title", ("what", "s"), (("long name", "1.5"), ("b", "-")), ("A note.",))
    assert render(table) == (
        "### Title\n"
        "\n"
        "| what      |   s |\n"
        "| --------- | --: |\n"
        "| long name | 1.5 |\n"
        "| b         |   - |\n"
        "\n"
        "- A note.\n"
    )


@pytest.mark.parametrize("snr_db", [0.0, 5.0, 20.0])
def test_si_sdr_of_orthogonal_noise_is_its_snr_at_any_scale(snr_db: float) -> None:
    at = 2 * np.pi * np.arange(48_000) / 48_000
    speech, noise = np.sin(100 * at), np.sin(333 * at)
    noisy = mixed(speech, 7 * noise, snr_db)
    assert si_sdr(speech, noisy) == pytest.approx(snr_db, abs=1e-6)
    assert si_sdr(speech, 0.01 * noisy + 0.3) == pytest.approx(snr_db, abs=1e-6)


def test_what_runs_beside_a_step_is_not_counted_as_the_job() -> None:
    runner = Timed({"clean": lambda item: (time.sleep(0.05), float(item))[1]})
    assert runner.each("clean", str, [2, 3]) == ["2", "3"]
    assert runner.one("read", lambda: 7) == 7
    assert runner.bare == {"clean": 5.0}
    assert runner.aside >= 0.1
    assert set(runner.seconds) == {"clean", "read"}
    assert sum(runner.seconds.values()) < runner.aside


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no peak")
def test_peak_memory_counts_what_a_process_gave_back_and_not_what_its_parent_held() -> None:
    held = np.ones(800_000_000 // 8)
    program = (
        "import numpy; from bench.peak import peak_memory; before = peak_memory();"
        "held = numpy.ones(300_000_000 // 8); del held; print(before, peak_memory())"
    )
    root = Path(__file__).resolve().parents[1]
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    before, after = map(int, told.stdout.split())
    assert 0 < before < held.nbytes
    assert 280_000_000 < after - before < 330_000_000


def test_made_lines_are_the_same_every_time_and_as_uneven_as_a_language() -> None:
    lines = made_lines(np.random.default_rng(1), 2_000)
    assert lines == made_lines(np.random.default_rng(1), 2_000)
    assert {len(line) for line in lines} == set(range(1, 16))
    counted = Counter(word for line in lines for word in line)
    assert 0.05 < counted.most_common(1)[0][1] / counted.total() < 0.15
    assert len(counted) > 3_000


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("please call stella", "please call stella", 0),
        ("please call stella", "these calls stella", 2),
        ("please call stella", "please stella", 1),
        ("please call stella", "oh please do call stella", 2),
        ("please call stella", "", 3),
        ("", "oh", 1),
    ],
)
def test_word_errors_are_the_fewest_edits(said: str, heard: str, errors: int) -> None:
    assert word_errors(said.split(), heard.split()) == errors


def test_words_are_compared_without_capitals_and_punctuation() -> None:
    assert words_of("Don\u2019t, she said - STOP!") == ["don't", "she", "said", "stop"]


def test_a_file_holds_the_nearest_sentence_or_none() -> None:
    sentences = ("please call stella", "what joy there is in living")
    assert nearest_sentence(words_of("what joy there isn't living"), sentences) == sentences[1]
    assert nearest_sentence(words_of("the rest is silence my lord"), sentences) == ""
    assert nearest_sentence([], ()) == ""
