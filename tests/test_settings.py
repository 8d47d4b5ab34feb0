"""Every setting has one value in force, and it is known where it comes from."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from production import Home, Ran, standing_in

from config.deliveries import delivery_names, load_delivery
from config.recipes import load_recipe, recipe_names
from config.settings import Settings, load_settings
from core.errors import UsageError


def test_the_nearer_place_wins(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = bare / "home"
    home.mkdir()
    monkeypatch.setenv("ROOMTONE_HOME", str(home))
    (home / "roomtone.toml").write_text('recipe = "rescue"\nspeakers = 2\nprompt = "home"\n')
    (bare / "roomtone.toml").write_text('recipe = "gentle"\nspeakers = 3\n')
    monkeypatch.setenv("ROOMTONE_SPEAKERS", "4")
    settings, origins = load_settings({"recipe": "bypass", "loudness": None}, bare)
    source = {origin.name: (origin.value, origin.source) for origin in origins}
    assert source["recipe"] == ("bypass", "command line")
    assert source["speakers"] == (4, "ROOMTONE_SPEAKERS")
    assert source["prompt"] == ("home", str(home / "roomtone.toml"))
    assert source["loudness"] == ("none", "default")
    assert source["home"] == (home, "ROOMTONE_HOME")
    assert (settings.recipe, settings.speakers, settings.prompt) == ("bypass", 4, "home")
    nearer, _ = load_settings({}, bare)
    assert nearer.recipe == "gentle"


def test_every_setting_is_described(bare: Path) -> None:
    _, origins = load_settings({}, bare)
    assert {origin.name for origin in origins} == set(Settings.model_fields)
    assert all(len(origin.description) > 10 for origin in origins)
    assert {origin.source for origin in origins} == {"default"}


def test_the_home_defaults_to_one_below_the_persons_own(bare: Path) -> None:
    assert load_settings({}, bare)[0].home == bare / ".roomtone"


def test_media_folders_are_given_like_a_search_path(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOMTONE_MEDIA", os.pathsep.join([str(bare / "a b"), "~/c"]))
    assert load_settings({}, bare)[0].media == (bare / "a b", bare / "c")
    (bare / "roomtone.toml").write_text('media = ["/one", "/two"]\n')
    monkeypatch.delenv("ROOMTONE_MEDIA")
    assert load_settings({}, bare)[0].media == (Path("/one"), Path("/two"))


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("recipe = ", ["can't be read as TOML"]),
        ("recipy = 'full'", ["There is no setting 'recipy'", "config show"]),
        ("speakers = 'two'", ["speakers = 'two'", "integer"]),
        ("handles_s = -1", ["handles_s = -1", "greater than or equal to 0"]),
        ("sample_rate = 12", ["sample_rate = 12", "8000"]),
        ("media = 5", ["media = 5"]),
        ("home = 5\nrecipe = 1", ["roomtone.toml"]),
        ("recipe = " + "[" * 100_000, ["nested too deeply"]),
        ("recipe = " + "1" * 5_000, ["can't be read as TOML"]),
        ("a" + ". 'a'" * 20_000 + " = 1", ["more than 16 parts"]),
        ("# " + "x" * 300_000, ["over 256 kB"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(bare: Path, line: str, parts: list[str]) -> None:
    (bare / "roomtone.toml").write_text(line)
    with pytest.raises(UsageError) as caught:
        load_settings({}, bare)
    for part in [*parts, str(bare / "roomtone.toml")]:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("WORKERS", "many"), ("EDL_RATE", "quick"), ("THREADS", "-1")]
)
def test_a_wrong_variable_is_named(
    bare: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ROOMTONE_{name}", value)
    with pytest.raises(UsageError, match=f"{value}"):
        load_settings({}, bare)


def shown(folder: Path, *words: str) -> Ran:
    with standing_in(folder):
        return Home(folder / "home").run("config", "show", *words)


def test_config_show_says_where_each_value_comes_from(tmp_path: Path) -> None:
    (tmp_path / "roomtone.toml").write_text('recipe = "gentle"\n')
    found = shown(tmp_path, "--json").json
    assert found["recipe"] == {"value": "gentle", "source": str(tmp_path / "roomtone.toml")}
    assert found["denoiser"] == {"value": "rnnoise", "source": "ROOMTONE_DENOISER"}
    assert found["loudness"] == {"value": "none", "source": "default"}
    table = shown(tmp_path)
    assert table.code == 0
    assert all(name in table.out for name in Settings.model_fields)
    assert "\x1b" not in table.out


def test_a_recipe_file_is_read_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('limit_db = 8\ngentler = "gentle"\n[gates]\nair_loss_db = 2\n')
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.limit_db, recipe.limits.air_loss_db) == ("mine", 8.0, 2.0)
    assert recipe.limits.level_change_db == load_recipe("standard").limits.level_change_db
    for wrong in (
        "limit_db = 'much'",
        "limit_bd = 8",
        "gates = 3",
        "[gates]\nhiss = 1",
        "limit_db =",
        "room = 3",
        "[room]\namount_db = 41",
        "[room]\nsize = 3",
        'gentler = "gentel"',
        'gentler = "gone.toml"',
        "limit_db = " + "{a = " * 10_000,
        "limit_db = 1e400",
        "limit_db = nan",
    ):
        path.write_text(wrong)
        with pytest.raises(UsageError, match=r"mine\.toml"):
            load_recipe(str(path))


def test_what_a_recipe_file_leaves_out_is_as_in_the_everyday_recipe(tmp_path: Path) -> None:
    path, standard = tmp_path / "mine.toml", load_recipe("standard")
    path.write_text("[finishing]\nhigh_pass_hz = 80\n")
    found = load_recipe(str(path))
    assert found.finishing.high_pass_hz == 80
    assert replace(found, name="standard", finishing=standard.finishing) == standard
    path.write_text("[room]\namount_db = 6\n")
    assert replace(load_recipe(str(path)), name="standard", room_db=0.0) == standard


def test_the_room_is_left_alone_unless_asked() -> None:
    assert {load_recipe(name).room_db for name in recipe_names()} == {0.0}


def test_the_recipes_and_specifications_are_what_their_documents_say() -> None:
    assert recipe_names() == ("bypass", "gentle", "rescue", "standard")
    limits = {name: load_recipe(name).limit_db for name in recipe_names()}
    assert limits == {"bypass": 0.0, "gentle": 12.0, "rescue": None, "standard": 26.0}
    specs = {name: load_delivery(name) for name in delivery_names()}
    assert {name: (spec.integrated_lufs, spec.true_peak_dbtp) for name, spec in specs.items()} == {
        "atsc-a85": (-24.0, -2.0),
        "netflix": (-27.0, -2.0),
        "none": (None, None),
        "r128": (-23.0, -1.0),
    }
