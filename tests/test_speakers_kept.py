"""What a person says about speakers holds in every take, also when it is heard again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from production import Delivered, Home
from sqlalchemy import func, select

from config.settings import Settings
from core.errors import InputError, UsageError
from core.media import MediaFile, SoundNotes
from core.speech import Line, Word
from db.catalogue import lines_of, search, store_listening
from db.memory import remember_media
from db.tables import Activity, SpeakerDecisionRow, VoiceRow
from db.voices import HeardVoice, forget_voices, store_voices
from flows.settle import settle_speakers
from flows.speakers import (
    chosen_project,
    list_speakers,
    merge_speakers,
    name_speaker,
    split_speaker,
    undo_speakers,
)
from flows.workspace import Workspace, open_workspace

PROJECT = "HARBOUR"
LENGTH = 48_000


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


def print_of(person: int) -> tuple[float, ...]:
    return tuple(np.eye(8)[person].tolist())


def hear(work: Workspace, take: str, turns: Sequence[tuple[str, int]], key: str = "1") -> None:
    """Listen to a take: a line a turn of (label, person); a label of letters is a microphone."""
    media = MediaFile(
        path=Path(f"/dailies/{take}.wav"),
        container="WAV",
        subtype="PCM_24",
        sample_rate=48_000,
        channels=2,
        frames=480_000,
        size=1,
        mtime_ns=1,
        notes=SoundNotes(scene="12A", take=take, project=PROJECT),
        essence=take * 32,
        sha256=take * 32,
    )
    spans = [(index * LENGTH, (index + 1) * LENGTH) for index in range(len(turns))]
    lines = [
        Line(label, start, end, (Word(f"word{take}{index}", start, end),), "engine")
        for index, ((label, _), (start, end)) in enumerate(zip(turns, spans, strict=True))
    ]
    people = dict(turns)
    voices = [
        HeardVoice(
            label,
            "voice" if label.startswith("SPEAKER") else "microphone",
            5.0,
            print_of(person),
            "encoder",
            tuple(span for (one, _), span in zip(turns, spans, strict=True) if one == label),
        )
        for label, person in people.items()
    ]
    with work.database.write() as session:
        remember_media(session, media)
        store_listening(session, media.essence, key, "engine", False, None, "en", lines, PROJECT)
        store_voices(session, PROJECT, media.essence, voices)


def speakers(work: Workspace) -> dict[str, list[str]]:
    """The speakers of each take's lines."""
    found: dict[str, list[str]] = {}
    with work.database.read() as session:
        for item in lines_of(session):
            found.setdefault(item.take, []).append(item.line.speaker)
    return found


TAKES = {
    "01": [("SPEAKER 1", 0), ("SPEAKER 2", 1)],
    "02": [("SPEAKER 1", 1), ("SPEAKER 2", 2)],
    "03": [("STELLA", 3), ("JOHN", 0)],
}


def all_heard(work: Workspace, order: Sequence[str] = ("01", "02", "03")) -> None:
    for take in order:
        hear(work, take, TAKES[take])
    settle_speakers(work, PROJECT)


EXPECTED = {"01": ["JOHN", "SPEAKER 1"], "02": ["SPEAKER 1", "SPEAKER 2"], "03": ["STELLA", "JOHN"]}


@pytest.mark.parametrize("order", list(itertools.permutations(TAKES)))
def test_takes_may_be_heard_in_any_order(work: Workspace, order: tuple[str, ...]) -> None:
    all_heard(work, order)
    assert speakers(work) == EXPECTED


def test_hearing_again_changes_nothing(work: Workspace) -> None:
    all_heard(work)
    hear(work, "01", [("SPEAKER 1", 0), ("SPEAKER 2", 1)], key="2")
    assert settle_speakers(work, PROJECT) >= 0
    assert speakers(work) == EXPECTED
    assert settle_speakers(work, PROJECT) == 0


def test_a_number_stays_when_other_takes_come(work: Workspace) -> None:
    hear(work, "02", TAKES["02"])
    settle_speakers(work, PROJECT)
    assert speakers(work)["02"] == ["SPEAKER 1", "SPEAKER 2"]
    hear(work, "01", TAKES["01"])
    settle_speakers(work, PROJECT)
    assert speakers(work) == {"01": ["SPEAKER 3", "SPEAKER 1"], "02": ["SPEAKER 1", "SPEAKER 2"]}


def test_a_name_holds_in_lines_search_and_later_listening(work: Workspace) -> None:
    all_heard(work)
    assert name_speaker(work, PROJECT, "speaker 1", "MARTA", "me").startswith("speaker 1 is MARTA")
    named = {"01": ["JOHN", "MARTA"], "02": ["MARTA", "SPEAKER 2"], "03": ["STELLA", "JOHN"]}
    assert speakers(work) == named
    with work.database.read() as session:
        assert search(session, "word011")[0].found.line.speaker == "MARTA"
    hear(work, "02", TAKES["02"], key="2")
    hear(work, "04", [("SPEAKER 1", 1)])
    settle_speakers(work, PROJECT)
    assert speakers(work) == {**named, "04": ["MARTA"]}
    undo_speakers(work, PROJECT, "me")
    assert speakers(work) == {**EXPECTED, "04": ["SPEAKER 1"]}


def test_a_microphones_owner_can_be_renamed(work: Workspace) -> None:
    all_heard(work)
    name_speaker(work, PROJECT, "JOHN", "JACK", "me")
    hear(work, "05", [("JOHN", 0), ("STELLA", 3)])
    settle_speakers(work, PROJECT)
    assert speakers(work)["05"] == ["JACK", "STELLA"]
    assert speakers(work)["01"] == ["JACK", "SPEAKER 1"]


def test_two_that_are_one_are_merged_and_apart_again(work: Workspace) -> None:
    all_heard(work)
    merge_speakers(work, PROJECT, "STELLA", "SPEAKER 2", "me")
    merged = {**EXPECTED, "02": ["SPEAKER 1", "STELLA"]}
    assert speakers(work) == merged
    hear(work, "02", TAKES["02"], key="2")
    settle_speakers(work, PROJECT)
    assert speakers(work) == merged
    undo_speakers(work, PROJECT, "me")
    assert speakers(work) == EXPECTED


def test_one_that_is_two_is_split_by_take_and_by_line(work: Workspace) -> None:
    all_heard(work)
    split_speaker(work, PROJECT, "SPEAKER 1", "02", (), "", "me")
    assert speakers(work) == {**EXPECTED, "02": ["SPEAKER 3", "SPEAKER 2"]}
    hear(work, "02", TAKES["02"], key="2")
    settle_speakers(work, PROJECT)
    assert speakers(work) == {**EXPECTED, "02": ["SPEAKER 3", "SPEAKER 2"]}
    undo_speakers(work, PROJECT, "me")
    assert speakers(work) == EXPECTED
    hear(work, "04", [("JOHN", 0), ("STELLA", 3), ("JOHN", 0)])
    settle_speakers(work, PROJECT)
    split_speaker(work, PROJECT, "JOHN", "04", (3,), "REN", "me")
    assert speakers(work)["04"] == ["JOHN", "STELLA", "REN"]
    hear(work, "04", [("JOHN", 0), ("STELLA", 3), ("JOHN", 0)], key="2")
    settle_speakers(work, PROJECT)
    assert speakers(work)["04"] == ["JOHN", "STELLA", "REN"]


def test_mistakes_are_told(work: Workspace) -> None:
    with pytest.raises(InputError, match="no decision"):
        undo_speakers(work, PROJECT, "me")
    all_heard(work)
    with pytest.raises(InputError, match="speakers list"):
        name_speaker(work, PROJECT, "NOBODY", "X", "me")
    with pytest.raises(UsageError, match="speakers merge STELLA"):
        name_speaker(work, PROJECT, "SPEAKER 1", "STELLA", "me")
    with pytest.raises(UsageError, match="one speaker already"):
        merge_speakers(work, PROJECT, "JOHN", "john", "me")
    with pytest.raises(InputError, match="does not speak"):
        split_speaker(work, PROJECT, "JOHN", "02", (), "", "me")
    assert speakers(work) == EXPECTED


def test_who_said_it_is_recorded(work: Workspace) -> None:
    all_heard(work)
    name_speaker(work, PROJECT, "SPEAKER 1", "MARTA", "editor")
    undo_speakers(work, PROJECT, "assistant")
    with work.database.read() as session:
        query = select(Activity.agent).where(Activity.kind == "speakers").order_by(Activity.started)
        assert session.scalars(query).all() == ["editor", "assistant"]


def test_the_list_says_how_each_is_known(work: Workspace) -> None:
    all_heard(work)
    assert chosen_project(work, None) == PROJECT
    found = {item.name: item for item in list_speakers(work, PROJECT)}
    assert found["JOHN"].known == "microphone, voice"
    assert (found["JOHN"].lines, found["JOHN"].seconds) == (2, 2.0)
    assert found["SPEAKER 2"].known == "voice"
    assert set(found) == {"JOHN", "STELLA", "SPEAKER 1", "SPEAKER 2"}


def test_forgotten_voices_leave_no_print_and_no_decision(work: Workspace) -> None:
    all_heard(work)
    name_speaker(work, PROJECT, "SPEAKER 1", "MARTA", "me")
    with work.database.write() as session:
        assert forget_voices(session, PROJECT) == 6
    with work.database.read() as session:
        for table in (VoiceRow, SpeakerDecisionRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_the_commands_name_undo_and_list(delivered: Delivered, own_home: Home) -> None:
    listed = own_home.run("speakers", "list")
    assert listed.code == 0, listed.err
    assert "MARA" in listed.out
    assert own_home.run("speakers", "name", "MARA", "MARA LIND").code == 0
    assert "MARA LIND" in own_home.run("lines").out
    undone = own_home.run("speakers", "undo", "--json")
    assert undone.code == 0, undone.err
    assert "MARA LIND" not in own_home.run("lines").out
    assert own_home.run("speakers", "name", "NOBODY", "X").code != 0
