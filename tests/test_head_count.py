"""How many are expected to speak follows from the person, the recorder's notes and the script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from production import Home

from adapters.media.bwf import read_notes
from adapters.media.probe import probe
from adapters.media.write import WaveWriter
from config.settings import Settings
from core.errors import InputError
from core.media import MediaFile, SoundNotes
from flows.head_count import check_script, expected_speakers
from flows.turnover import hash_media
from flows.who_speaks import speaking_key
from flows.workspace import Workspace, open_workspace
from models.speech.grouping import cluster

SCRIPT = """INT. HARBOUR - NIGHT #1#

REN
Wait for the lights.

MARA
And then?

THE PILOT (V.O.)
All ships to anchor.

REN (CONT'D)
Then we go.

EXT. QUAY - DAY #2#

MARA
Alone at last.
"""


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


def take(scene: str, here: tuple[str, ...], absent: tuple[str, ...] = ()) -> MediaFile:
    notes = SoundNotes(scene=scene, track_names=tuple(enumerate(here)), absent_tracks=absent)
    return MediaFile(Path("/x.wav"), "WAV", "PCM_24", 48_000, len(here), 48_000, 1, 1, notes)


def scripted(work: Workspace, path: Path, speakers: int = 0) -> Workspace:
    settings = work.settings.model_copy(update={"script": path, "speakers": speakers})
    return replace(work, settings=settings)


def test_nothing_is_expected_where_nothing_tells(work: Workspace) -> None:
    assert expected_speakers(work, take("1", ("BOOM",))) is None
    # One microphone of an actor's own says nothing of who else is on the boom.
    assert expected_speakers(work, take("1", ("BOOM", "REN"))) is None


def test_the_recorder_names_who_wears_a_microphone_also_in_other_files(work: Workspace) -> None:
    assert expected_speakers(work, take("1", ("BOOM",), ("REN", "MARA", "ren", "LAV 4"))) == 2
    assert expected_speakers(work, take("1", ("BOOM", "REN"), ("MARA",))) == 2


def test_the_script_names_the_characters_of_the_scene(work: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "film.fountain"
    path.write_text(SCRIPT)
    told = scripted(work, path)
    assert expected_speakers(told, take("1", ("BOOM",))) == 3
    assert expected_speakers(told, take("1B", ("BOOM",))) == 3
    assert expected_speakers(told, take("2", ("BOOM",))) == 1
    assert expected_speakers(told, take("9", ("BOOM",))) is None
    # Each may lack somebody: the larger number counts, and the person's wins over both.
    assert expected_speakers(told, take("2", ("BOOM",), ("REN", "MARA"))) == 2
    assert expected_speakers(scripted(work, path, speakers=2), take("1", ("BOOM",))) is None


def test_another_draft_of_the_script_asks_for_the_work_again(
    work: Workspace, film: Path, tmp_path: Path
) -> None:
    media = hash_media(work, probe(film / "sound" / "1-T01.wav"))
    path = tmp_path / "film.fountain"
    path.write_text(SCRIPT.replace("1#", "7#"))
    told = scripted(work, path)
    before = speaking_key(told, media)
    path.write_text(SCRIPT)
    assert speaking_key(told, media) != before


def test_a_script_that_is_missing_stops_the_job_with_a_sentence(
    work: Workspace, tmp_path: Path, film: Path
) -> None:
    gone = tmp_path / "gone.fountain"
    with pytest.raises(InputError, match=r"gone\.fountain"):
        check_script(scripted(work, gone))
    home = Home(tmp_path / "home", {"ROOMTONE_SCRIPT": str(gone)})
    ran = home.run("clean", film / "v2.otio", "--out", tmp_path / "out", "--direct")
    assert ran.code == 3
    assert "gone.fountain" in ran.err


def test_a_file_of_one_channel_tells_of_the_tracks_beside_it(tmp_path: Path) -> None:
    notes = SoundNotes(
        description="sSCENE=1\r\nsTRK1=BOOM\r\nsTRK2=REN\r\nsTRK3=MARA", time_reference=0
    )
    with WaveWriter(tmp_path / "a.wav", 48_000, 1, "PCM_24", notes, {}) as writer:
        writer.write(np.zeros((480, 1), dtype=np.int32))
    assert read_notes(tmp_path / "a.wav").absent_tracks == ("BOOM", "REN", "MARA")


@pytest.mark.parametrize(("cosine", "beyond"), [(0.76, False), (0.5, True)])
def test_more_voices_than_expected_must_be_clearly_others(cosine: float, beyond: bool) -> None:
    """Three voices, each pair of which has this cosine."""
    voices = np.zeros((3, 256))
    voices[:, 0] = np.sqrt(cosine)
    voices[[0, 1, 2], [1, 2, 3]] = np.sqrt(1 - cosine)
    noise = 0.005 * np.random.default_rng(7).normal(size=(90, 256))
    made = voices[np.repeat([0, 1, 2], 30)] + noise
    prints = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    assert len(set(cluster(prints, None))) == 3
    assert len(set(cluster(prints, None, expected=3))) == 3
    assert (len(set(cluster(prints, None, expected=2))) == 3) is beyond
