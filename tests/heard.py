"""A home in which takes were listened to, without a sound file: what was heard is written here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from production import Home

from core.media import MediaFile, SoundNotes
from core.speech import Line, Word
from core.time import RATES
from db.catalogue import store_listening
from db.engine import open_database
from db.memory import remember_media

HOUR = 3600 * 48_048  # samples of an hour of timecode at 23.976
WORD = 9_600


def take_heard(
    home: Home,
    name: str,
    said: Sequence[tuple[str, str]],
    *,
    circled: bool = False,
    confidence: float = 0.9,
    draft: bool = False,
) -> MediaFile:
    """A take (`7A-T02`) of speakers' lines, words of 0.2 s, half a second apart."""
    scene, _, number = name.partition("-T")
    media = MediaFile(
        path=home.folder / "sound" / f"{name}.wav",
        container="WAV",
        subtype="PCM_24",
        sample_rate=48_000,
        channels=2,
        frames=48_000 * 60,
        size=1,
        mtime_ns=1,
        notes=SoundNotes(
            scene=scene,
            take=number.lstrip("0"),
            tape="SR001",
            project="DOCK",
            circled=circled,
            time_reference=10 * HOUR,
            timecode_rate=RATES["23.976"],
        ),
        essence=f"essence {name}",
        sha256=f"sha {name}",
    )
    lines: list[Line] = []
    at = 48_048
    for speaker, text in said:
        words = []
        start = at
        for word in text.split():
            words.append(Word(word, at, at + WORD, confidence))
            at += WORD
        lines.append(Line(speaker, start, at, tuple(words), "hand", draft, confidence))
        at += 24_000
    database = open_database(home.folder / "roomtone.db")
    try:
        with database.write() as session:
            remember_media(session, media)
            store_listening(session, media.essence, name, "hand", draft, None, "en", lines, "DOCK")
    finally:
        database.close()
    return media


SCRIPT = """Title: Dock

INT. DOCK - DAY #7#

Rain.

ANNA
Did you take the old boat, or did Ben sell it?

BEN
(not looking)
I sold it on Monday to Mr. Keller for 27 dollars.

ANNA
You never told me that.

BEN
You never asked, and I don't explain myself.

EXT. SHORE - NIGHT #8#

ANNA
<script>Nobody</script> says this.
"""
SAID = (
    ("ANNA", "did you take the old boat or did ben sell it"),
    ("BEN", "i sold it on monday to mister keller for twenty seven dollars"),
    ("ANNA", "you never told me that"),
    ("BEN", "you never asked and i do not explain myself"),
)


def script_file(folder: Path, text: str = SCRIPT) -> Path:
    """A script on disk."""
    path = folder / "dock.fountain"
    path.write_text(text, "utf-8")
    return path
