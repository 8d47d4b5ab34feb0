"""A file at which FFmpeg's libraries hang, die or lose their heads costs that file and no run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf

from adapters.media import confined
from adapters.media.confined import StuckError
from adapters.media.decode import sound_file
from adapters.media.decoder import from_json, to_json
from adapters.media.probe import probe
from core.errors import InputError

RATE = 48_000


def write_mka(path: Path) -> Path:
    """Half a second of a tone in Matroska."""
    tone = (8000 * np.sin(np.arange(RATE // 2) * 0.05)).astype(np.int16)
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        stream.time_base = Fraction(1, RATE)
        for number, part in enumerate(np.split(tone, 2)):
            frame = av.AudioFrame.from_ndarray(part[None], "s16", "mono")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
            frame.pts = number * len(part)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def decoder_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Has another program stand where the decoder is, which does what is said."""
    monkeypatch.setattr(confined, "_idle", [])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def stand(does: str) -> None:
        begin = "import json, os, sys, time\nline = sys.stdin.readline()\n"
        (tmp_path / "standing_in_decoder.py").write_text(begin + does + "\n")
        monkeypatch.setattr(confined, "_MODULE", "standing_in_decoder")

    yield stand
    for one in confined._idle:
        one.end()


def test_a_file_that_hangs_the_decoder_is_given_up_and_the_next_is_read(
    tmp_path: Path, decoder_that: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mka(tmp_path / "a.mka")
    module = confined._MODULE
    decoder_that("time.sleep(600)")
    monkeypatch.setattr(confined, "SILENT_S", 1.0)
    began = time.monotonic()
    with pytest.raises(StuckError, match=r"a\.mka keeps FFmpeg busy"):
        probe(path)
    assert time.monotonic() - began < 30
    assert confined._idle == []
    monkeypatch.setattr(confined, "_MODULE", module)
    monkeypatch.setattr(confined, "SILENT_S", 120.0)
    assert probe(path).frames == RATE // 2


@pytest.mark.parametrize(
    "does",
    [
        "os.abort()",
        "print('[1]', flush=True); time.sleep(600)",
        "print('{}', flush=True); time.sleep(600)",
        'print(\'{"sound": {"name": 3}}\', flush=True); time.sleep(600)',
        "print('x' * (1 << 21), flush=True); time.sleep(600)",
    ],
)
def test_a_decoder_that_dies_or_talks_nonsense_is_a_sentence_about_the_file(
    tmp_path: Path, decoder_that: Callable[[str], None], does: str
) -> None:
    path = write_mka(tmp_path / "a.mka")
    decoder_that(does)
    with pytest.raises(InputError, match=r"a\.mka makes FFmpeg"):
        probe(path)


def test_a_decoder_goes_on_while_it_tells_of_sound(
    tmp_path: Path, decoder_that: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mka(tmp_path / "a.mka")
    decoder_that(
        "for n in range(8):\n    print(json.dumps({'at': n}), flush=True)\n    time.sleep(0.5)\n"
        "print(json.dumps({'fault': 'It is over.', 'output': False}), flush=True)"
    )
    monkeypatch.setattr(confined, "SILENT_S", 3.0)
    with pytest.raises(InputError, match="It is over"):
        probe(path)


def test_the_decoder_knows_no_secrets(
    tmp_path: Path, decoder_that: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mka(tmp_path / "a.mka")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "whatever")
    monkeypatch.setenv("ROOMTONE_DATABASE", "postgresql://me:secret@server/films")
    told = "' '.join(sorted(os.environ))"
    decoder_that(f"print(json.dumps({{'fault': {told}, 'output': False}}), flush=True)")
    with pytest.raises(InputError) as fault:
        probe(path)
    assert "PYTHONPATH" in str(fault.value)
    assert not [name for name in str(fault.value).split() if name.startswith(("AWS", "ROOMTONE"))]


def test_a_decoder_is_kept_and_not_shared_with_a_forked_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mka(tmp_path / "a.mka")
    probe(path)
    kept = list(confined._idle)
    assert kept
    probe(path)
    assert confined._idle == kept
    assert all(one.is_alive() for one in kept)
    monkeypatch.setattr(os, "getpid", lambda: 0)
    assert not any(one.is_alive() for one in kept)


def test_a_decoder_that_died_unasked_is_no_file_s_fault(tmp_path: Path) -> None:
    path = write_mka(tmp_path / "a.mka")
    probe(path)
    for one in confined._idle:
        one._process.kill()
        one._process.wait()
    assert probe(path).frames == RATE // 2


def test_what_is_told_of_a_container_is_what_there_is(tmp_path: Path) -> None:
    sound = confined.describe(write_mka(tmp_path / "a.mka"))
    assert from_json(to_json(sound)) == sound
    media = probe(tmp_path / "a.mka")
    samples, rate = sf.read(sound_file(media, tmp_path / "cache"), dtype="int16")
    assert rate == RATE
    assert np.array_equal(samples, (8000 * np.sin(np.arange(RATE // 2) * 0.05)).astype(np.int16))
