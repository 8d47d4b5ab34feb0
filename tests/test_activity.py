"""Speech is found where it is, at any level and length, and nowhere else."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from synthetic_voice import placed, synthetic_voice

from models.speech.activity import (
    ActivityOptions,
    spans_of,
    speech_probabilities,
    speech_spans,
    speech_spans_in,
)
from models.speech.rate import rescale, to_16k

FRAME = 512


def frames(*runs: tuple[int, float]) -> np.ndarray:
    return np.concatenate([np.full(count, p, dtype=np.float32) for count, p in runs])


def test_a_voice_is_found_where_it_starts_and_ends() -> None:
    spans = speech_spans(placed(synthetic_voice(3, 120), 1, 6), ActivityOptions())
    assert len(spans) == 1
    assert spans[0] == pytest.approx((16_000, 64_000), abs=4_000)


@pytest.mark.parametrize("level_db", [-120, -60, -20])
def test_noise_is_no_speech(level_db: int) -> None:
    noise = np.random.default_rng(3).normal(size=160_000) * 10 ** (level_db / 20)
    assert speech_spans(noise.astype(np.float32), ActivityOptions()) == ()


def test_silence_hum_and_no_samples_are_no_speech() -> None:
    hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(80_000) / 16_000)
    for sound in (np.zeros(80_000), hum, np.zeros(0)):
        assert speech_spans(sound.astype(np.float32), ActivityOptions()) == ()


def test_a_voice_is_found_60_db_too_low() -> None:
    sound = placed(synthetic_voice(3, 120), 1, 6)
    for low_db in (-20, -40, -60):
        spans = speech_spans((sound * 10 ** (low_db / 20)).astype(np.float32), ActivityOptions())
        assert spans[0][0] == pytest.approx(16_000, abs=6_000)
        assert spans[-1][1] == pytest.approx(64_000, abs=6_000)
        assert sum(end - start for start, end in spans) > 0.8 * 48_000


def test_blocks_give_what_the_whole_sound_gives_the_library() -> None:
    from faster_whisper.vad import get_vad_model

    voice = np.tile(placed(synthetic_voice(3, 150), 1, 5), 29)[: 140 * 16_000 - 100]
    whole = np.asarray(get_vad_model()(np.pad(voice, (0, -len(voice) % FRAME)))).reshape(-1)
    ours = speech_probabilities(voice)
    assert ours.shape == whole.shape == (-(-len(voice) // FRAME),)
    # The library blanks the end of its last frame; all others are the same numbers.
    np.testing.assert_allclose(ours[:-1], whole[:-1], atol=1e-5)


@pytest.mark.parametrize("cut", [1_000, 320_000, 320_001, 777_777])
def test_parts_of_any_length_give_what_the_whole_sound_gives(cut: int) -> None:
    voice = np.tile(placed(synthetic_voice(3, 150), 1, 5), 10) * np.float32(0.001)
    parts = [voice[at : at + cut] for at in range(0, len(voice), cut)]
    options = ActivityOptions()
    spans = speech_spans(voice, options)
    assert len(spans) > 5
    assert speech_spans_in(lambda: iter(parts), options) == spans
    assert speech_spans_in(lambda: (), options) == ()


def test_memory_does_not_grow_with_length() -> None:
    minute = np.zeros(60 * 16_000, dtype=np.float32)
    minute[::7] = 1e-3
    speech_probabilities(minute[:32_000])
    tracemalloc.start()
    speech_spans_in(lambda: (minute.copy() for _ in range(10)), ActivityOptions())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * minute.nbytes / 2


def test_a_dip_below_threshold_holds_and_one_below_release_ends() -> None:
    options = ActivityOptions(min_speech_ms=0, min_silence_ms=0, pad_ms=0)
    speech = frames((4, 0.0), (4, 0.9), (4, 0.4), (4, 0.9), (4, 0.1), (4, 0.4), (4, 0.9))
    assert spans_of(speech, 28 * FRAME, options) == (
        (4 * FRAME, 16 * FRAME),
        (24 * FRAME, 28 * FRAME),
    )


def test_short_silence_joins_and_short_speech_is_dropped() -> None:
    options = ActivityOptions(min_speech_ms=100, min_silence_ms=200, pad_ms=0)
    speech = frames((9, 0.9), (5, 0.0), (9, 0.9), (20, 0.0), (3, 0.9), (20, 0.0))
    assert spans_of(speech, 66 * FRAME, options) == ((0, 23 * FRAME),)


def test_padding_meets_in_the_middle_of_a_gap_and_ends_with_the_sound() -> None:
    options = ActivityOptions(min_speech_ms=0, min_silence_ms=0, pad_ms=1000)
    speech = frames((10, 0.9), (10, 0.0), (10, 0.9))
    assert spans_of(speech, 30 * FRAME - 7, options) == (
        (0, 15 * FRAME),
        (15 * FRAME, 30 * FRAME - 7),
    )


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=80),
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(0, FRAME - 1),
)
def test_spans_are_in_order_and_inside(
    speech: list[float], shortest: int, silence: int, pad: int, missing: int
) -> None:
    length = len(speech) * FRAME - missing
    options = ActivityOptions(0.5, 0.35, shortest, silence, pad)
    spans = spans_of(np.array(speech, dtype=np.float32), length, options)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)
    assert all(0 <= edge <= length for edge in edges)


def test_positions_are_rescaled_to_the_nearest_sample_halves_up() -> None:
    assert [rescale(v, 16_000, 48_000) for v in (0, 1, 5)] == [0, 3, 15]
    assert rescale(1, 16_000, 44_100) == 3  # 2.756
    assert rescale(1, 32_000, 16_000) == 1  # 0.5
    assert rescale(10**12 + 1, 48_000, 16_000) == 333_333_333_334  # ….67


def test_resampling_has_no_lag() -> None:
    click = np.zeros(48_000, dtype=np.float32)
    click[24_000] = 1.0
    at_16k = to_16k(click, 48_000)
    assert at_16k.dtype == np.float32
    assert len(at_16k) == 16_000
    assert np.argmax(at_16k) == 8_000
    assert to_16k(click, 16_000) is click


@pytest.mark.shared
def test_every_line_of_a_take_recorded_24_db_too_low_is_heard(harbour: Path) -> None:
    take = json.loads((harbour / "truth/takes.json").read_text())["takes"]["27B-T01"]
    sound, rate = sf.read(harbour / "sound/27B-T01.wav", dtype="float32")
    spans = speech_spans(to_16k(np.ascontiguousarray(sound[:, 1]), rate), ActivityOptions())
    for turn in take["turns"]:
        start, end = turn["start"] / 3, turn["end"] / 3
        heard = sum(max(0, min(end, b) - max(start, a)) for a, b in spans)
        assert heard > 0.8 * (end - start)


@pytest.mark.shared
def test_spans_agree_with_the_librarys_own(shared: Path) -> None:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    sound, rate = sf.read(shared / "speech/diarized/sample.wav", dtype="float32")
    sound = to_16k(sound, rate)
    options = ActivityOptions(0.5, 0.35, 100, 100, 0)
    library = get_speech_timestamps(sound, VadOptions(0.5, 0.35, 100, float("inf"), 100, 0), 16_000)
    ours = speech_spans(sound, options)
    assert len(ours) == len(library) > 1
    for (start, end), span in zip(ours, library, strict=True):
        assert (start, end) == pytest.approx((span["start"], span["end"]), abs=FRAME)
