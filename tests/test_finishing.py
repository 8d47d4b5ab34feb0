"""Finishing is off unless asked, does what its numbers say, and stays on the listening mix."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from turnovers import event, media_of, stems_of, turnover_of
from wavinfo import WavInfoReader
from yardstick import libebur128

from config.deliveries import load_delivery
from config.finishing import Finishing, parse_finishing
from core.errors import UsageError
from core.reels import laid_out
from flows.listening_mix import folded, write_listening_mix
from flows.progress import Silent
from flows.turnover import Turnover
from models.finishing import Finisher

Floats = NDArray[np.float64]
RATE = 48_000
RECIPE = Path("film.toml")


def finished(
    sound: Floats, finishing: Finishing, lufs: float = -23.0, block: int = 10_007
) -> Floats:
    finisher = Finisher(RATE, sound.shape[1], finishing, lufs)
    parts = [finisher.add(sound[at : at + block]) for at in range(0, len(sound), block)]
    return np.concatenate([*parts, finisher.finish()])


def response_db(finishing: Finishing, hertz: float) -> float:
    """Gain in dB of a filter at a frequency, from its impulse response."""
    impulse = np.zeros((RATE, 1))
    impulse[0] = 1.0
    out = finished(impulse, finishing)[:, 0]
    turn = np.exp(-2j * math.pi * hertz * np.arange(RATE) / RATE)
    return 20 * math.log10(abs(np.sum(out * turn)))


def tone(dbfs_rms: float, seconds: float, hertz: float = 1000.0) -> Floats:
    at = np.arange(round(seconds * RATE))
    return (10 ** (dbfs_rms / 20) * math.sqrt(2) * np.sin(2 * math.pi * hertz * at / RATE))[:, None]


def level_db(sound: Floats) -> float:
    return 10 * math.log10(float(np.mean(np.square(sound))))


NOISE = np.random.default_rng(4).standard_normal((30_000, 2)) * 0.1


def test_everything_off_is_the_same_to_the_bit() -> None:
    assert Finishing().is_off
    assert np.array_equal(finished(NOISE, Finishing()), NOISE)


def test_the_high_pass_is_3_db_down_at_its_corner_and_24_db_an_octave_below() -> None:
    high_pass = Finishing(high_pass_hz=80)
    assert response_db(high_pass, 80) == pytest.approx(-3.01, abs=0.05)
    assert response_db(high_pass, 20) - response_db(high_pass, 40) == pytest.approx(-24, abs=0.3)
    assert response_db(high_pass, 300) == pytest.approx(0, abs=0.05)


def test_mud_is_cut_and_presence_raised_by_their_db_at_their_centre() -> None:
    both = Finishing(mud_cut_db=3, mud_hz=280, presence_db=2.5, presence_hz=3500, presence_q=1)
    assert response_db(both, 280) == pytest.approx(-3, abs=0.1)
    assert response_db(both, 3500) == pytest.approx(2.5, abs=0.1)
    assert response_db(both, 20) == pytest.approx(0, abs=0.1)
    assert response_db(both, 15_000) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize(("over_lu", "expected"), [(-10, 0.0), (0, 0.375), (3, 1.5), (12, 6.0)])
def test_the_compressor_follows_its_ratio_with_a_soft_knee(over_lu: float, expected: float) -> None:
    # Ratio 2 with a knee of 6 dB: half of what is over, from 3 dB above on; at it knee / 16.
    sound = tone(-23 + over_lu, 3)
    settled = slice(2 * RATE, 3 * RATE)
    out = finished(sound, Finishing(ratio=2))
    assert level_db(sound[settled]) - level_db(out[settled]) == pytest.approx(expected, abs=0.05)


def test_the_compressor_takes_its_time_as_it_is_told() -> None:
    sound = np.concatenate([tone(-43, 1), tone(-11, 1), tone(-43, 1)])
    out = finished(sound, Finishing(ratio=2, attack_ms=50))
    heard = np.abs(sound[:, 0]) > 1e-4
    down = np.zeros(len(sound))
    down[heard] = 20 * np.log10(out[heard, 0] / sound[heard, 0])

    def at(second: float) -> float:
        near = slice(round(second * RATE), round((second + 0.002) * RATE))
        return float(np.median(down[near][heard[near]]))

    assert at(0.9) == pytest.approx(0, abs=0.01)
    # 63 % of 6 dB after the time constant, within what the level's own 10 ms add.
    assert at(1.05) == pytest.approx(-0.58 * 6, abs=0.4)
    assert at(1.9) == pytest.approx(-6, abs=0.05)
    assert at(2.9) == pytest.approx(0, abs=0.1)


def test_it_compresses_alike_at_any_recording_level() -> None:
    voice = np.concatenate([tone(-30, 0.5), tone(-14, 0.5), tone(-25, 0.5)])
    compressing = Finishing(ratio=2.5)
    loud = finished(voice, compressing, lufs=-20)
    soft = finished(voice * 10 ** (-20 / 20), compressing, lufs=-40)
    assert np.allclose(soft * 10, loud, atol=1e-6)


def test_both_channels_keep_their_balance() -> None:
    sound = np.concatenate([tone(-10, 1), tone(-30, 1)], axis=1)
    out = finished(sound, Finishing(ratio=3))
    assert level_db(out[:, :1]) - level_db(out[:, 1:]) == pytest.approx(20, abs=1e-6)


def test_a_programme_without_dialogue_is_not_compressed() -> None:
    assert np.array_equal(finished(NOISE, Finishing(ratio=3), lufs=-math.inf), NOISE)


FULL = Finishing(high_pass_hz=80, mud_cut_db=2, presence_db=2, ratio=2)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=8))
def test_any_blocks_give_the_same_samples(cuts: list[int]) -> None:
    finisher = Finisher(RATE, 2, FULL, -23.0)
    parts = [finisher.add(block) for block in np.split(NOISE, sorted(cuts))]
    whole = finished(NOISE, FULL, block=len(NOISE))
    assert np.array_equal(np.concatenate([*parts, finisher.finish()]), whole)


def test_a_recipe_gives_its_finishing() -> None:
    table = {"high_pass_hz": 80, "mud_cut_db": 2, "ratio": 1.5}
    expected = replace(Finishing(), high_pass_hz=80.0, mud_cut_db=2.0, ratio=1.5)
    assert parse_finishing(table, RECIPE) == expected
    assert parse_finishing({}, RECIPE).is_off
    assert parse_finishing({"high_pass_hz": 0}, RECIPE).is_off


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"ratio": 4}, "ratio = 4 must be a number from 1 to 3"),
        ({"ratio": True}, "ratio = True"),
        ({"mud_hz": 900}, "from 200 to 400"),
        ({"high_pass_hz": 5}, r"from 20 to 200 \(0 is off\)"),
        ({"warmth": 3}, "no 'warmth'"),
        ("loud", r"heading \[finishing\]"),
    ],
)
def test_a_wrong_finishing_is_refused_in_one_sentence(table: object, said: str) -> None:
    with pytest.raises(UsageError, match=said) as fault:
        parse_finishing(table, RECIPE)
    assert str(fault.value).startswith("film.toml")


def test_stems_fold_to_the_mix_at_their_level() -> None:
    voice = tone(-20, 0.1)
    assert folded(voice, 1) is voice
    centred = folded(voice, 2)
    assert level_db(np.sum(centred, axis=1)) == pytest.approx(level_db(voice) + 3.01, abs=0.01)
    assert np.array_equal(centred[:, 0], centred[:, 1])
    surround = np.zeros((len(voice), 6))
    surround[:, 3] = 1.0
    assert not np.any(folded(surround, 2))
    surround[:, 5] = voice[:, 0]
    left, right = folded(surround, 2).T
    assert not np.any(left)
    assert level_db(right[:, None]) == pytest.approx(-23.01, abs=0.01)
    assert np.allclose(folded(np.repeat(voice, 4, axis=1), 1), voice)


def a_cut(folder: Path) -> Turnover:
    """Two seconds of dialogue, and music that passes through, with one peak far too high."""
    voice = tone(-30, 3) * (1 + 0.5 * np.sin(np.arange(3 * RATE) / 4_000))[:, None]
    music = np.concatenate([tone(-36, 3, 300), tone(-36, 3, 500)], axis=1)
    music[RATE] = 0.9
    dialogue, through = media_of(folder, "voice", voice, RATE), media_of(folder, "mx", music, RATE)
    return turnover_of(
        {
            "A1": [(event("A1/001", 0, 50), dialogue, 0, (0,))],
            "M1": [(event("M1/001", 0, 50), through, 0, (0, 1))],
        },
        through=["M1/001"],
        no_dialogue=["M1"],
    )


@pytest.mark.parametrize("spec", ["r128", "netflix"])
def test_the_listening_mix_meets_its_delivery_and_the_stems_stay(tmp_path: Path, spec: str) -> None:
    turnover = a_cut(tmp_path)
    rendered, stems = stems_of(turnover, tmp_path, leader_s=1, pops=True)
    delivery = load_delivery(spec)
    finishing = Finishing(high_pass_hz=80, ratio=1.5)
    mix = write_listening_mix(turnover, rendered, delivery, finishing, tmp_path, Silent())
    sound, rate = soundfile.read(mix.path)
    head = laid_out(turnover.cut, rendered.leader, RATE).head
    inside = sound[head : head + 2 * RATE]
    assert delivery.integrated_lufs is not None
    assert delivery.true_peak_dbtp is not None
    lufs, dbtp = libebur128(inside, rate)
    assert dbtp <= delivery.true_peak_dbtp
    assert (mix.loudness, mix.true_peak) == pytest.approx((lufs, dbtp), abs=0.05)
    assert mix.limited_db > 1
    if delivery.gate == "programme":
        assert lufs == pytest.approx(delivery.integrated_lufs, abs=0.1)
    assert soundfile.info(mix.path).subtype == "PCM_24"
    assert mix.frames == len(sound) == rendered.frames
    assert WavInfoReader(str(mix.path)).bext.time_reference == rendered.start
    # The pop of the leader is that of the stems.
    assert np.array_equal(np.rint(sound[:head, 0] * 2**23), stems["DX"][:head, 0])
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_a_mix_of_mono_dialogue_alone_is_the_dialogue_with_a_gain(tmp_path: Path) -> None:
    media = media_of(tmp_path, "voice", tone(-30, 3), RATE)
    turnover = turnover_of({"A1": [(event("A1/001", 0, 50), media, 0, (0,))]})
    rendered, stems = stems_of(turnover, tmp_path)
    args = turnover, rendered, load_delivery("none"), Finishing(), tmp_path, Silent()
    mix = write_listening_mix(*args)
    first = mix.path.read_bytes()
    assert (mix.channels, mix.gain_db, mix.limited_db) == (1, 0.0, 0.0)
    grid = np.rint(soundfile.read(mix.path, always_2d=True)[0] * 2**23)
    assert np.array_equal(grid, stems["DX"])
    assert write_listening_mix(*args).path.read_bytes() == first
