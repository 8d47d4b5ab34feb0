"""A setup is cleaned with one recipe: where one of its takes fails, all get a gentler one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from production import Delivered, Home, files_of, sound_of

from config.recipes import Recipe, load_recipe
from config.settings import Settings
from core.media import MediaFile, SoundNotes
from core.plan import Take
from flows.engines import DenoiserChoice
from flows.setups import Setups, in_force, setup_of
from flows.takes import CleanedTake, left_alone, microphone_groups
from flows.workspace import Workspace, open_workspace
from models.card import ModelCard
from models.quality import Gate

STANDARD = load_recipe("standard")
ENGINE = DenoiserChoice("engine", "1", False, "")
CARD = ModelCard("engine", "1", "", "", "", "", "")


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(Settings(home=tmp_path / "home")) as opened:
        yield opened


def recorded(name: str, scene: str, project: str = "FILM") -> MediaFile:
    names = ((0, "BOOM"), (1, "REN"))
    notes = SoundNotes(scene=scene, project=project, track_names=names)
    path = Path(f"{name}.wav")
    return MediaFile(path, "WAV", "PCM_24", 48_000, 2, 48_000, 1, 1, notes, essence=name)


T01, T02, OTHER = recorded("27B-T01", "27B"), recorded("27B-T02", "27B"), recorded("9-T01", "9")


def boom(media: MediaFile, variant: str = "") -> Take:
    return Take(media.essence, (0,), variant)


def setups(work: Workspace, *media: MediaFile, recipe: Recipe = STANDARD) -> Setups:
    return Setups(work, recipe, ENGINE, [(boom(one), one, recipe) for one in media])


def cleaned(media: MediaFile, take: Take | None = None, *, passed: bool = True) -> CleanedTake:
    gate = Gate("air", 1.0 if passed else 12.0, "dB", 4.0, passed, "")
    here = take or boom(media)
    return CleanedTake(here, media, "", media.path, "", CARD, ((gate,),), (), (), True)


def test_one_take_that_fails_makes_its_whole_setup_gentler_and_no_other(work: Workspace) -> None:
    run = setups(work, T01, T02, OTHER)
    again = run.decide([cleaned(T01), cleaned(T02, passed=False), cleaned(OTHER)])
    assert again == (boom(T01), boom(T02))
    assert [run.recipe_of(boom(one)).name for one in (T01, T02)] == ["gentle", "gentle"]
    assert run.recipe_of(boom(OTHER)) == STANDARD
    assert run.notes == (
        "Scene 27B BOOM: cleaned with recipe gentle, because 27B-T02.wav BOOM: "
        "air 12.00 dB (limit 4).",
    )


def test_it_is_judged_by_the_limits_that_were_asked_for_and_only_once(work: Workspace) -> None:
    run = setups(work, T01)
    assert run.decide([cleaned(T01, passed=False)]) == (boom(T01),)
    assert run.recipe_of(boom(T01)).limits == STANDARD.limits
    assert run.decide([cleaned(T01, passed=False)]) == ()


def test_where_nothing_fails_nothing_is_decided(work: Workspace) -> None:
    run = setups(work, T01, T02)
    assert run.decide([cleaned(T01), cleaned(T02)]) == ()
    assert run.notes == ()


def test_a_later_cut_hears_the_decision_though_it_plays_only_what_passed(work: Workspace) -> None:
    setups(work, T01, T02).decide([cleaned(T01), cleaned(T02, passed=False)])
    later = setups(work, T01)
    assert later.recipe_of(boom(T01)).name == "gentle"
    assert len(later.notes) == 1
    assert in_force(work, T01, boom(T01), STANDARD, ENGINE).name == "gentle"


def test_another_recipe_engine_or_project_is_decided_anew(work: Workspace) -> None:
    setups(work, T01).decide([cleaned(T01, passed=False)])
    milder = replace(STANDARD, limit_db=9.0)
    looser = replace(STANDARD, limits=replace(STANDARD.limits, air_loss_db=20.0))
    for recipe in (milder, looser):
        assert setups(work, T01, recipe=recipe).recipe_of(boom(T01)) == recipe
    newer = replace(ENGINE, weights="2")
    assert in_force(work, T01, boom(T01), STANDARD, newer) == STANDARD
    elsewhere = recorded("27B-T01", "27B", project="ANOTHER FILM")
    assert in_force(work, elsewhere, boom(elsewhere), STANDARD, ENGINE) == STANDARD


def test_another_microphone_of_the_scene_is_another_setup(work: Workspace) -> None:
    setups(work, T01).decide([cleaned(T01, passed=False)])
    assert in_force(work, T01, Take(T01.essence, (1,)), STANDARD, ENGINE) == STANDARD


def test_a_file_without_a_scene_stands_for_itself(work: Workspace) -> None:
    one, two = recorded("a", ""), recorded("b", "")
    run = setups(work, one, two)
    assert run.decide([cleaned(one, passed=False), cleaned(two)]) == (boom(one),)
    assert run.recipe_of(boom(two)) == STANDARD
    assert setup_of(work, one, boom(one)).name == "a.wav BOOM"


def test_a_persons_decision_neither_follows_nor_makes_one(work: Workspace) -> None:
    mine = boom(T01, "amount=9")
    asked = replace(STANDARD, limit_db=9.0)
    run = Setups(work, STANDARD, ENGINE, [(mine, T01, asked), (boom(T02), T02, STANDARD)])
    assert run.decide([cleaned(T01, mine, passed=False), cleaned(T02)]) == ()
    run.decide([cleaned(T01, mine), cleaned(T02, passed=False)])
    assert run.recipe_of(mine) == asked
    assert run.recipe_of(boom(T02)).name == "gentle"


def test_a_recipe_without_a_gentler_one_decides_nothing(work: Workspace) -> None:
    gentle = load_recipe("gentle")
    run = setups(work, T01, recipe=gentle)
    assert run.decide([cleaned(T01, passed=False)]) == ()


def test_a_delivery_says_it_and_a_second_run_does_no_work(
    delivered: Delivered, own_home: Home, tmp_path: Path
) -> None:
    """No cleaning keeps limits of 0: the setups get the gentler recipe, and are flagged still."""
    recipe = tmp_path / "harsh.toml"
    recipe.write_text('limit_db = 20\ngentler = "gentle"\n[gates]\nlevel_change_db = 0\n')
    words = ("--recipe", recipe, "--direct", "--json", "--out")
    first = own_home.run("clean", delivered.film / "v1.otio", *words, tmp_path / "one").json
    told = [note for note in first["notes"] if note.startswith("Scene 1 ")]
    assert [note.split(":")[0] for note in told] == ["Scene 1 BOOM", "Scene 1 REN", "Scene 1 MARA"]
    assert "cleaned with recipe gentle, because 1-T01.wav BOOM: speech level" in told[0]
    listed = json.loads((tmp_path / "one" / "delivery.json").read_text("utf-8"))
    assert set(told) <= set(listed["notes"])
    assert any(text.startswith("1-T02.wav REN: speech level") for text in listed["flagged"])
    store = files_of(own_home.folder / "store")
    again = own_home.run("clean", delivered.film / "v1.otio", *words, tmp_path / "two").json
    assert (again["takes_cleaned"], again["notes"]) == (0, first["notes"])
    assert files_of(own_home.folder / "store") == store
    assert sound_of(tmp_path / "two") == sound_of(tmp_path / "one")


@pytest.mark.parametrize(
    ("history", "by"),
    [
        ("A=PCM,F=48000,W=24,M=mono,T=iZotope RX 10 Audio Editor;\r\n", "iZotope RX"),
        ("A=PCM,F=48000,W=24,M=mono,T=CEDAR DNS One\r\n", "CEDAR"),
        ("A=PCM,T=Waves Clarity Vx Pro\r\n", "Waves"),
        ("A=PCM,T=Pro Tools; Dialogue Denoise\r\n", "Denoise"),
        ("A=PCM,T=NR pass 2\r\n", "NR"),
        ("A=PCM,T=Supertone Clear\r\n", "Supertone"),
        ("A=PCM,T=Accentize dxRevive\r\n", "Accentize"),
        ("A=PCM,T=noise reduction\r\n", "noise reduc"),
    ],
)
def test_what_others_denoised_is_left_alone_unless_asked(
    work: Workspace, tmp_path: Path, history: str, by: str
) -> None:
    media = replace(T01, notes=replace(T01.notes, coding_history=history))
    said = left_alone(work, media)
    assert said.startswith("27B-T01.wav says in its CodingHistory that it was denoised before (")
    assert by in said
    with open_workspace(Settings(home=tmp_path / "again", clean_again=True)) as again:
        assert left_alone(again, media) == ""


@pytest.mark.parametrize(
    "history",
    [
        "",
        "A=PCM,F=48000,W=24,M=poly,T=Sound Devices 888;\r\n",
        "A=PCM,F=48000,W=24,M=mono,T=Lectrosonics RX;NRK Oslo;rx1\r\n",
        "A=PCM,F=48000,W=24,M=mono,T=Pro Tools; clip gain, nr 4\r\n",
    ],
)
def test_other_histories_are_cleaned(work: Workspace, history: str) -> None:
    assert left_alone(work, replace(T01, notes=replace(T01.notes, coding_history=history))) == ""


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (("MIX", "BOOM", "REN"), ((0,), (1,), (2,))),
        (("MIX L", "MIX R", "REN"), ((0, 1), (2,))),
        (("BOOM L", "REN", "BOOM R"), ((0, 2), (1,))),
        (("Boom M", "Boom S"), ((0, 1),)),
        (("JOHN M", "JOHN S"), ((0,), (1,))),
        (("LAV 1", "LAV 2"), ((0,), (1,))),
        ((), ((0, 1),)),
    ],
)
def test_only_the_two_channels_of_one_microphone_belong_together(
    names: tuple[str, ...], groups: tuple[tuple[int, ...], ...]
) -> None:
    count = max(2, len(names))
    notes = replace(T01.notes, track_names=tuple(enumerate(names)))
    media = replace(T01, notes=notes, channels=count)
    assert microphone_groups(media, range(count)) == groups
