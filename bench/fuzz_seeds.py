"""What the fuzzer starts from: small whole files of every kind that is read."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import zipfile
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


def _zipped(otio: bytes) -> bytes:
    """A timeline as an OpenTimelineIO bundle."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("version.txt", "1.0.0")
        bundle.writestr("content.otio", otio)
        bundle.writestr("media/take.wav", bytes(2_000))
    return out.getvalue()


def _shared() -> Iterator[Seed]:
    for path in sorted((SHARED / "timelines").rglob("*")):
        reader = "report" if path.suffix == ".ale" else "timeline"
        if path.suffix in (*_TIMELINES, ".ale") and path.stat().st_size < _MOST_BYTES:
            yield Seed(reader, path.name, path.suffix, path.read_bytes())
            if path.suffix == ".otio":
                yield Seed(reader, f"{path.stem}.otioz", ".otioz", _zipped(path.read_bytes()))
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
        ("recipe", ".toml"): _RECIPE,
        ("manifest", ".mhl"): _MHL,
        ("manifest", ".ascmhl"): _ASC_MHL,
        ("manifest", ".md5"): _MD5,
        ("manifest", ".xxh64"): _XXH64,
        ("backup", ".json"): _BACKUP,
        ("delivery", ".json"): _DELIVERY,
    }
    for (reader, suffix), text in texts.items():
        yield Seed(reader, f"made{suffix}", suffix, text.encode())
    yield from _remembered(folder)


def _remembered(folder: Path) -> Iterator[Seed]:
    """Requests of the page, and a database, as a file and as rows."""
    from bench.fuzz_http import recorded, requests
    from db.engine import open_database
    from db.memory import remember_media
    from db.portable import dump_rows

    folder.mkdir()
    media = recorded(folder / "1-T01.wav")
    for number, data in enumerate(requests(media.essence)):
        yield Seed("request", f"{number}.http", ".http", data)
    path = folder / "roomtone.db"
    database = open_database(path)
    with database.write() as session:
        remember_media(session, media)
    with database.read() as session:
        rows = "".join(dump_rows(session))
    database.close()
    yield Seed("rows", "made.rows", ".rows", rows.encode("ascii"))
    yield Seed("database", "roomtone.db", ".db", path.read_bytes())
    shutil.rmtree(folder)


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
_RECIPE = """limit_db = 20
gentler = "gentle"
repair = true
target_level_dbfs = -26.0
[gates]
level_change_db = 1.5
air_loss_db = 4.0
"""
_MHL = """<?xml version="1.0" encoding="UTF-8"?>
<hashlist version="1.1"><creatorinfo><name>DIT</name></creatorinfo>
<hash><file>sound/12A-T01.wav</file><size>1234</size><md5>d41d8cd98f00b204e9800998ecf8427e</md5>
<xxhash64>0123456789abcdef</xxhash64><xxhash>305419896</xxhash></hash>
</hashlist>
"""
_ASC_MHL = """<?xml version="1.0" encoding="UTF-8"?>
<hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0"><creatorinfo><tool>t</tool></creatorinfo>
<hashes><hash><path size="1234">sound/12A-T01.wav</path>
<xxh64 action="original">0123456789abcdef</xxh64></hash>
<hash><path size="9">b.wav</path><previousPath>a.wav</previousPath>
<md5 action="verified">d41d8cd98f00b204e9800998ecf8427e</md5></hash></hashes></hashlist>
"""
_MD5 = """# made by md5sum
d41d8cd98f00b204e9800998ecf8427e *sound/12A-T01.wav
\\d41d8cd98f00b204e9800998ecf8427e  a\\nb.wav
MD5 (12A-T02.wav) = d41d8cd98f00b204e9800998ecf8427e
"""
_XXH64 = "0123456789abcdef  sound/12A-T01.wav\n"
_SHA = "0123456789abcdef" * 4
_BACKUP = json.dumps(
    {
        "roomtone": "1",
        "backup": 1,
        "made": "2026-11-28T04:00:00+00:00",
        "home": "/home/mara/.roomtone",
        "database": {"kind": "sqlite", "sha256": _SHA, "bytes": 4096},
        "files": [{"path": f"store/{name}", "sha256": _SHA, "bytes": 9} for name in "ab"],
    },
    indent=1,
)
_DELIVERY = json.dumps(
    {
        "roomtone": "1",
        "state": "complete",
        "key": "made",
        "cut": {"name": "reel1"},
        "recipe": {"name": "standard", "gentler": "gentle"},
        "loudness": {"measured_lufs": -27.5, "measured_dbtp": -3.0, "gain_db": 0.0},
        "offline": [{"event": "A1/003", "reason": "no file", "candidates": []}],
        "notes": ["a note"],
        "files": [
            {
                "path": f"stems/reel1.{role}.wav",
                "role": role,
                "sha256": _SHA,
                "bytes": 9,
                "track": "A1",
                "start_timecode": "01:00:00:00",
                "frames": 3,
                "sound_sha256": _SHA,
            }
            for role in ("DX", "NR")
        ],
    },
    indent=1,
)
