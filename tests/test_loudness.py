"""Loudness, range and true peak agree with other meters; one gain meets a delivery."""

from __future__ import annotations

import json
import math
import re
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
import soundfile as sf
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageColor
from yardstick import libebur128

from adapters.media.write import WaveWriter
from cli.loudness import command
from config.deliveries import delivery_names, load_delivery
from core.errors import ExitCode, UsageError
from core.media import SoundNotes
from core.stems import to_grid
from flows.loudness import judge, measure_files
from flows.loudness_plot import MOMENTARY, SHORT_TERM, TARGET, plot_loudness
from flows.progress import Silent
from models.loudness import LoudnessMeter, SpeechDetector, programme_gain, speech_gated

Floats = NDArray[np.float64]
RATE = 48_000
LINES = Path(__file__).resolve().parents[1] / "config" / "demo" / "lines"


def meter_of(sound: Floats, rate: int = RATE, block: int = 10_007) -> LoudnessMeter:
    meter = LoudnessMeter(rate, 1 if sound.ndim == 1 else sound.shape[1])
    for start in range(0, len(sound), block):
        meter.add(sound[start : start + block])
    return meter


def measured(sound: Floats, rate: int = RATE, block: int = 10_007) -> tuple[float, float]:
    meter = meter_of(sound, rate, block)
    return meter.integrated(), meter.true_peak()


def steady(lufs: float) -> Callable[[float], float]:
    """The loudness of a programme far above the gate."""
    return lambda gain_db: lufs + gain_db


def stereo(*parts: tuple[float, float]) -> Floats:
    """A 1 kHz sine in both channels, in parts of (peak dBFS, seconds)."""
    gains = [np.full(round(seconds * RATE), 10 ** (db / 20)) for db, seconds in parts]
    gain = np.concatenate(gains)
    sine = np.sin(2 * np.pi * 1000 * np.arange(len(gain)) / RATE)
    return np.stack([gain * sine] * 2, axis=1)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_noise_at_any_rate_reads_as_in_libebur128(rate: int, channels: int) -> None:
    random = np.random.default_rng(rate + channels)
    envelope = np.repeat(random.uniform(0.001, 0.2, 12), rate // 3)[:, None]
    sound = random.standard_normal((len(envelope), channels)) * envelope
    lufs, dbtp = measured(sound, rate)
    expected, peak = libebur128(sound, rate)
    assert lufs == pytest.approx(expected, abs=0.01)
    # White noise up to the Nyquist frequency is where two interpolators differ most.
    assert dbtp == pytest.approx(peak, abs=0.5)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["12A-T01", "12A-T03", "14-T02", "14-T04", "27B-T01", "27B-T02"])
def test_real_takes_read_as_in_libebur128(harbour: Path, name: str) -> None:
    sound, rate = soundfile.read(harbour / "sound" / f"{name}.wav")
    for part in (sound[:, :2], sound[:, -1]):
        lufs, dbtp = measured(part, rate, block=65_536)
        expected, peak = libebur128(part, rate)
        assert lufs == pytest.approx(expected, abs=0.01)
        assert dbtp == pytest.approx(peak, abs=0.05)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["cut_v1.A1_DX.prod", "cut_v2.A1_DX.prod"])
def test_range_and_curves_read_as_in_ffmpeg(harbour: Path, name: str) -> None:
    path = harbour / "truth" / f"{name}.flac"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-i", str(path)]
    command += ["-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    meter = meter_of(*soundfile.read(path))
    expected = float(re.findall(r"LRA:\s+([\d.]+) LU", said)[-1])
    # ffmpeg counts the windows of the first three seconds too, which are partly empty.
    assert meter.loudness_range() == pytest.approx(expected, abs=0.25)
    rows = re.findall(r"t: ([\d.]+)\s.*M:\s*(-?[\d.]+) S:\s*(-?[\d.]+)", said)
    curves = np.array(rows, dtype=float)
    for column, first, curve in ((1, 0.4, meter.momentary()), (2, 3.0, meter.short_term())):
        at = np.rint((curves[:, 0] - first) * 10).astype(int)
        known = (at >= 0) & (at < len(curve)) & (curves[:, column] > -70)
        assert np.count_nonzero(known) > 200
        assert np.max(np.abs(curves[known, column] - curve[at[known]])) < 0.11


SAMPLE = np.random.default_rng(9).standard_normal((30_000, 2)) * 0.1


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 30_000), max_size=12))
def test_the_blocks_do_not_matter(cuts: list[int]) -> None:
    meter = LoudnessMeter(RATE, 2)
    for block in np.split(SAMPLE, sorted(cuts)):
        meter.add(block)
    lufs, dbtp = measured(SAMPLE, block=len(SAMPLE))
    assert meter.integrated() == pytest.approx(lufs, abs=1e-9)
    assert meter.true_peak() == pytest.approx(dbtp, abs=1e-9)
    whole = meter_of(SAMPLE, block=len(SAMPLE))
    assert meter.max_momentary() == pytest.approx(whole.max_momentary(), abs=1e-9)
    assert np.allclose(meter.momentary(), whole.momentary(), atol=1e-9, rtol=0)


def test_a_meter_keeps_its_steps_and_no_sound() -> None:
    meter = LoudnessMeter(RATE, 1)
    second = np.full(RATE, 0.1)
    meter.add(second)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(30):
        meter.add(second)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # Half a minute of sound is 11 MB; what stays of it are 8 bytes for every 100 ms.
    assert grown < 30_000


def test_speech_alone_counts_in_the_speech_gated_estimate() -> None:
    # A loud hiss without speech, then two lines: the estimate is the lines' loudness.
    lines = [soundfile.read(LINES / f"{name}.flac") for name in ("murray-1-a", "victor-2-a")]
    rate = lines[0][1]
    speech = np.concatenate([line for line, _ in lines])
    hiss = np.random.default_rng(3).standard_normal(4 * rate) * 0.2
    sound = np.concatenate([hiss, np.zeros(rate), speech, np.zeros(rate), hiss])
    detector = SpeechDetector(rate, 1)
    for start in range(0, len(sound), 30_011):
        detector.add(sound[start : start + 30_011])
    spoken = speech_gated(meter_of(sound, rate), detector.finish())
    assert spoken.lufs == pytest.approx(libebur128(speech, rate)[0], abs=1.5)
    assert meter_of(sound, rate).integrated() > spoken.lufs + 3
    assert 0.5 * len(speech) <= spoken.share * len(sound) <= 1.2 * len(speech)


def test_a_programme_without_speech_has_no_speech_gated_estimate() -> None:
    detector = SpeechDetector(RATE, 2)
    detector.add(np.zeros((2 * RATE, 2)))
    spoken = speech_gated(meter_of(np.zeros((2 * RATE, 2))), detector.finish())
    assert (spoken.lufs, spoken.share) == (-math.inf, 0.0)


def test_silence_and_short_sound_are_minus_infinity_not_an_error() -> None:
    assert measured(np.zeros(RATE)) == (-math.inf, -math.inf)
    assert LoudnessMeter(RATE, 2).integrated() == -math.inf
    assert LoudnessMeter(RATE, 2).true_peak() == -math.inf
    silent = meter_of(np.zeros(4 * RATE))
    assert silent.max_momentary() == silent.max_short_term() == -math.inf
    assert silent.loudness_range() == 0.0
    assert np.all(silent.short_term() == -math.inf)
    lufs, dbtp = measured(np.full(1_000, 0.5))
    assert lufs == -math.inf
    assert dbtp > -6.1
    spoiled = np.full(RATE, 0.1)
    spoiled[5] = np.nan
    assert math.isfinite(measured(spoiled)[0])


def test_a_layout_without_a_loudness_is_refused() -> None:
    with pytest.raises(UsageError, match="1 to 6 channels"):
        LoudnessMeter(RATE, 7)
    with pytest.raises(UsageError, match="set up for 2 channels and given 1"):
        LoudnessMeter(RATE, 2).add(np.zeros(10))


def test_one_gain_brings_a_programme_to_its_delivery() -> None:
    sound = stereo((-30, 5))
    spec = load_delivery("r128")
    decision = programme_gain(meter_of(sound).integrated, measured(sound)[1], spec)
    assert not decision.limited_by_peak
    assert measured(sound * 10 ** (decision.gain_db / 20))[0] == pytest.approx(-23, abs=0.1)


def test_a_quiet_programme_reaches_its_delivery_past_the_absolute_gate() -> None:
    # Most of it lies under -70 LUFS, where the meter does not look until it is raised.
    sound = np.concatenate([stereo((-62, 4)), stereo((-74, 20))])
    decision = programme_gain(meter_of(sound).integrated, -50.0, load_delivery("r128"))
    raised = sound * 10 ** (decision.gain_db / 20)
    assert libebur128(raised, RATE)[0] == pytest.approx(-23, abs=0.1)
    assert decision.delivered_lufs == pytest.approx(libebur128(raised, RATE)[0], abs=0.05)


def test_the_gain_is_lowered_where_the_true_peak_would_pass_the_ceiling() -> None:
    decision = programme_gain(steady(-35.0), -8.0, load_delivery("netflix"))
    assert decision.limited_by_peak
    assert decision.gain_db == pytest.approx(6.0)
    assert "2.0 LU below" in decision.reason
    exact = programme_gain(steady(-33.0), -8.0, load_delivery("netflix"))
    assert (exact.gain_db, exact.limited_by_peak) == (pytest.approx(6.0), False)
    hot = programme_gain(steady(-23.0), 0.5, load_delivery("r128"))
    assert hot.gain_db == pytest.approx(-1.5)


def test_none_and_silence_get_no_gain() -> None:
    assert programme_gain(steady(-12.0), 3.0, load_delivery("none")).gain_db == 0.0
    assert programme_gain(steady(-math.inf), -math.inf, load_delivery("r128")).gain_db == 0.0


def test_the_specifications_are_those_of_their_documents() -> None:
    assert delivery_names() == ("atsc-a85", "netflix", "none", "r128")
    targets = {n: load_delivery(n).integrated_lufs for n in delivery_names()}
    peaks = {n: load_delivery(n).true_peak_dbtp for n in delivery_names()}
    assert targets == {"atsc-a85": -24.0, "netflix": -27.0, "none": None, "r128": -23.0}
    assert peaks == {"atsc-a85": -2.0, "netflix": -2.0, "none": None, "r128": -1.0}
    assert all(load_delivery(n).source and load_delivery(n).date for n in delivery_names())
    assert load_delivery("netflix").gate == "dialogue"
    assert load_delivery("r128").tolerance_lu == 0.2
    with pytest.raises(UsageError, match="atsc-a85, netflix, none, r128"):
        load_delivery("cinema")


def measured_by_command(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command)
    with pytest.raises(SystemExit) as end:
        app([str(word) for word in words])
    return int(end.value.code or 0), capsys.readouterr().out


def test_the_command_holds_files_against_a_specification(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right, quiet = tmp_path / "right.wav", tmp_path / "quiet.wav"
    soundfile.write(right, stereo((-23, 5)), RATE, "PCM_24")
    soundfile.write(quiet, stereo((-30, 5)), RATE, "PCM_24")
    words = ("--no-speech", "--loudness", "r128", "--json")
    code, said = measured_by_command(capsys, right, *words)
    assert code == 0
    (row,) = json.loads(said)
    assert row["integrated_lufs"] == pytest.approx(libebur128(stereo((-23, 5)), RATE)[0], abs=0.01)
    assert row["verdict"]["passes"] is True
    code, said = measured_by_command(capsys, right, quiet, *words)
    assert code == ExitCode.CHECK
    assert [row["verdict"]["passes"] for row in json.loads(said)] == [True, False]
    assert json.loads(said)[1]["verdict"]["said"] == "7.0 LU too quiet"


def test_microphones_are_measured_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    names = SoundNotes(track_names=((0, "BOOM"), (1, "ANNA")))
    with WaveWriter(path, RATE, 2, "PCM_24", names) as writer:
        writer.write(to_grid(stereo((-23, 2)) * [1.0, 0.5]))
    boom, anna = measure_files([path], Silent(), speech=False)
    assert (boom.name, anna.name) == ("take.wav BOOM", "take.wav ANNA")
    assert boom.integrated - anna.integrated == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_loudness_over_time_is_drawn(tmp_path: Path, ending: str) -> None:
    path, picture = tmp_path / "tone.wav", tmp_path / f"plot.{ending}"
    soundfile.write(path, stereo((-23, 4), (-40, 4)), RATE, "PCM_24")
    measured = measure_files([path], Silent(), speech=False)
    plot_loudness(measured, load_delivery("r128"), picture)
    if ending == "png":
        image = Image.open(picture).convert("RGB")
        # Both curves and the target are there, in their colours.
        colours = {colour for _, colour in image.getcolors(1 << 20) or ()}
        assert {ImageColor.getrgb(name) for name in (MOMENTARY, SHORT_TERM, TARGET)} <= colours
    else:
        text = picture.read_text("utf-8")
        assert "tone.wav" in text
        assert text.count("<polyline") > 10


def test_a_picture_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"plot\.gif can't be drawn; name a file that ends in"):
        plot_loudness([], None, tmp_path / "plot.gif")


def test_what_is_too_short_for_a_loudness_is_not_called_silent(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    for name, sound in (("short", tone[: RATE // 3]), ("silent", 0 * tone)):
        sf.write(tmp_path / f"{name}.wav", sound, RATE, "PCM_24")
    paths = [tmp_path / "short.wav", tmp_path / "silent.wav"]
    measured = measure_files(paths, Silent(), speech=False)
    said = [judge(item, load_delivery("r128")).said for item in measured]
    assert said == ["too short to measure (0.4 s at least)", "silent"]
