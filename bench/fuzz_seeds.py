"""What the fuzzer starts from: small whole files of every kind that is read."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.scratch import SHARED

_TIMELINES = (".otio", ".edl", ".xml", ".fcpxml", ".aaf")
_MOST_BYTES = 700_000
_SOUND_BYTES = 24_000
_RATE = 48_000


@dataclass(frozen=True)
class Seed:
    """A whole file. reader: a name of `bench.fuzz_child.READERS`. suffix: with its dot."""

    reader: str
    name: str
    suffix: str
    data: bytes

    @property
    def kind(self) -> str:
        """As the table groups them."""
        return f"{self.reader} {self.suffix.lower()}"


def seeds(scratch: Path) -> tuple[Seed, ...]:
    """The seeds: made here, and those of the shared data where that is there."""
    return (*_made(scratch), *_shared())


def _shared() -> Iterator[Seed]:
    for path in sorted((SHARED / "timelines").rglob("*")):
        reader = "report" if path.suffix == ".ale" else "timeline"
        if path.suffix in (*_TIMELINES, ".ale") and path.stat().st_size < _MOST_BYTES:
            yield Seed(reader, path.name, path.suffix, path.read_bytes())
    for path in sorted((SHARED / "recorders").rglob("*.WAV")):
        yield Seed("media", path.name, ".wav", _shortened(path.read_bytes()))


def _shortened(wave: bytes) -> bytes:
    """A RIFF WAVE file with the first half second or so of its sound, all other chunks whole."""
    out, at = bytearray(wave[:12]), 12
    while at + 8 <= len(wave):
        name, size = wave[at : at + 4], struct.unpack_from("<I", wave, at + 4)[0]
        body = wave[at + 8 : at + 8 + size]
        kept = body[:_SOUND_BYTES] if name == b"data" else body
        out += name + struct.pack("<I", len(kept)) + kept + b"\0" * (len(kept) % 2)
        at += 8 + size + size % 2
    struct.pack_into("<I", out, 4, len(out) - 8)
    return bytes(out)


def _made(scratch: Path) -> Iterator[Seed]:
    folder = scratch / "seeds"
    folder.mkdir()
    yield from _sounds(folder)
    texts = {
        ("report", ".ale"): _ALE,
        ("report", ".csv"): _CSV,
        ("script", ".fountain"): _FOUNTAIN,
        ("script", ".fdx"): _FDX,
        ("settings", ".toml"): _TOML,
        ("timeline", ".edl"): _EDL,
    }
    for (reader, suffix), text in texts.items():
        yield Seed(reader, f"made{suffix}", suffix, text.encode())


def _sounds(folder: Path) -> Iterator[Seed]:
    import imageio_ffmpeg
    import soundfile as sf

    sound = 0.1 * np.random.default_rng(1).normal(size=(4_000, 2))
    for suffix, kind, subtype in (
        (".wav", "WAV", "PCM_24"),
        (".rf64", "RF64", "PCM_16"),
        (".w64", "W64", "FLOAT"),
        (".aiff", "AIFF", "PCM_16"),
        (".caf", "CAF", "PCM_24"),
        (".flac", "FLAC", "PCM_16"),
        (".ogg", "OGG", "VORBIS"),
    ):
        path = folder / f"made{suffix}"
        sf.write(path, sound, _RATE, subtype, format=kind)
        yield Seed("media", path.name, suffix, path.read_bytes())
    source = folder / "made.wav"
    for suffix in (".mov", ".m4a", ".mp3", ".mxf", ".mkv"):
        path = folder / f"made{suffix}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(source)]
        sound_codec = ["-c:a", "pcm_s16le"] if suffix in (".mov", ".mxf", ".mkv") else []
        done = subprocess.run([*command, *sound_codec, str(path)], check=False, capture_output=True)
        if done.returncode == 0:
            yield Seed("media", path.name, suffix, path.read_bytes())
    shutil.rmtree(folder)


_ALE = """Heading
FIELD_DELIM\tTABS
VIDEO_FORMAT\t1080
AUDIO_FORMAT\t48khz
FPS\t24

Column
Name\tTape\tStart\tEnd\tScene\tTake\tCircled\tTracks

Data
12A-T01\tA001\t01:00:00:00\t01:00:20:00\t12A\t1\tYes\tA1A2
12A-T02\tA001\t01:01:00:00\t01:01:20:00\t12A\t2\tNo\tA1A2
"""
_CSV = """File Name,Scene,Take,Roll,Start TC,Circled,Notes,Trk1,Trk2
12A-T01.wav,12A,1,A001,01:00:00:00,x,"a, ""quoted"" note",BOOM,LAV
12A-T02.wav,12A,2,A001,01:01:00:00,,,BOOM,LAV
"""
_FOUNTAIN = """Title: A Film
Author: Somebody

INT. KITCHEN - DAY #12A#

MARA (CONT'D)
(quietly)
You said you'd be home by six.

JON ^
I know what I said.

[[a note]] /* cut */ = synopsis

> FADE OUT
"""
_FDX = """<?xml version="1.0" encoding="UTF-8"?>
<FinalDraft DocumentType="Script" Template="No" Version="4"><Content>
<Paragraph Number="12A" Type="Scene Heading"><Text>INT. KITCHEN - DAY</Text></Paragraph>
<Paragraph Type="Character"><Text>MARA</Text></Paragraph>
<Paragraph Type="Parenthetical"><Text>(quietly)</Text></Paragraph>
<Paragraph Type="Dialogue"><Text Style="Italic">You said </Text><Text>six.</Text></Paragraph>
<Paragraph><DualDialogue><Paragraph Type="Character"><Text>JON</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>I know.</Text></Paragraph></DualDialogue></Paragraph>
</Content></FinalDraft>
"""
_TOML = """project = "HARBOUR"
media = ["/sound", "/more"]
recipe = "standard"
loudness = "none"
handles_s = 2.0
"""
_EDL = """TITLE: A FILM
FCM: NON-DROP FRAME

001  A001     AA/V  C        01:00:00:00 01:00:05:00 01:00:00:00 01:00:05:00
* FROM CLIP NAME: 12A-T01
* AUDIO GAIN IS -3.0 DB
002  A001     A2    D    024 01:01:00:00 01:01:05:00 01:00:05:00 01:00:10:00
M2   A001       012.0                01:01:00:00
* TO CLIP NAME: 12A-T02
"""
