"""Settings: what is in force, and where each value comes from.

A value given on the command line wins over an environment variable (`ROOMTONE_…`), that over
`roomtone.toml` in the working folder, that over `roomtone.toml` in the home, that over the
default.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.addresses import endpoint_address, store_address
from config.toml_file import read_table
from core.errors import InputError, UsageError
from core.time import FrameRate, parse_rate

FILE_NAME = "roomtone.toml"
TIMELINES = ("otio", "aaf", "edl", "xml", "rpp")
TRANSCRIPTS = (
    "srt",
    "vtt",
    "ttml",
    "json",
    "csv",
    "rttm",
    "ctm",
    "avid",
    "resolve",
    "otio",
    "ale",
    "midi",
    "protools",
)
CLIP_FIELDS = ("scene", "take", "track", "event", "cut", "reel", "name", "timecode")
DATABASES = ("postgresql+psycopg", "postgresql", "postgres", "sqlite")
SECRETS = ("database", "nightly_webhook")
"""Settings that nothing shows, keeps or passes on."""
DEFAULT_HOME = Path("~/.roomtone")


class Settings(BaseSettings):
    """Everything a person may set. Descriptions are shown by `roomtone config show`."""

    model_config = SettingsConfigDict(env_prefix="ROOMTONE_", extra="forbid", frozen=True)

    home: Path = Field(DEFAULT_HOME, description="database, store and weights lie in here")
    database: SecretStr = Field(
        SecretStr(""),
        description="URL of a PostgreSQL database for a team; empty: SQLite, in the home",
    )
    store: str = Field(
        "",
        description="where cleaned takes are kept: a folder, which may be shared, or "
        "s3://bucket/prefix (credentials as for AWS's own tools); empty: in the home",
    )
    store_endpoint: str = Field(
        "", description="URL of an object store that is not Amazon's, for a store on s3://"
    )
    store_local_gb: float = Field(
        50.0,
        ge=0,
        le=1_000_000,
        description="what the home keeps of a store on s3://, in GB: what was used last",
    )
    project: str = Field("", description="name of the production; speakers are kept by it")
    media: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="folders in which media are looked for"
    )
    watched: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="folders that dailies arrive in; empty: those of media"
    )
    nightly_at: str = Field(
        "", description="HH:MM at which workers begin a night each evening; empty: they don't"
    )
    nightly_until: str = Field(
        "", description="HH:MM from which a night begins no new take; empty: until all is done"
    )
    nightly_settle_s: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="seconds between two looks at new files, which must be alike at both",
    )
    nightly_webhook: SecretStr = Field(
        SecretStr(""),
        description="URL that is told the counts of a night, by POST; empty: nobody is told",
    )
    cut_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="folders of cuts: a cut saved there is cleaned by a worker that watches"
    )
    saved_cuts: Literal["run", "event"] = Field(
        "run",
        description="what becomes of a cut saved in cut_folders: run, by a worker of roomtone, or "
        "event, for the deployment clean-cut of the Prefect server that PREFECT_API_URL names",
    )
    deliveries: Path | None = Field(
        None, description="folder for what workers deliver; empty: beside the cut"
    )
    recipe: str = Field("standard", description="cleaning recipe: a name or a TOML file")
    loudness: str = Field("none", description="delivery spec: r128, atsc-a85, netflix or none")
    sample_rate: int = Field(48000, ge=8000, le=384000, description="of the session, in Hz")
    edl_rate: str = Field("", description="frame rate of EDLs; empty: as the media say")
    tracks: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="names of the tracks that are dialogue; empty: by role and name"
    )
    timelines: Annotated[tuple[str, ...], NoDecode] = Field(
        ("otio",), description="formats the cut is written back in: otio, aaf, edl, xml, rpp"
    )
    transcripts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="formats of the transcripts in a delivery: " + ", ".join(TRANSCRIPTS)
    )
    handles_s: float = Field(1.0, ge=0, le=60, description="handles of the clips, in seconds")
    room_tone: bool = Field(True, description="fill the holes between clips of a scene (RT stem)")
    room_tone_most_s: float = Field(
        10.0, ge=0, le=600, description="a longer hole is not filled, in seconds"
    )
    embed_aaf: bool = Field(False, description="put the cleaned sound into the AAF itself")
    reel: int = Field(
        0, ge=0, le=23, description="reel number: its timecode starts at that hour; 0: as the cut"
    )
    clip_pattern: str = Field(
        "{scene}_{take}_{track}", description="names of the clips: " + ", ".join(CLIP_FIELDS)
    )
    leader_s: float = Field(
        0.0, ge=0, le=600, description="leader of the stems before the cut, in seconds of timecode"
    )
    pops: bool = Field(
        False, description="pops two seconds before the first and after the last frame"
    )
    listening_mix: bool = Field(
        False, description="a mix to listen to beside the stems, finished and limited"
    )
    c2pa_certificate: Path | None = Field(
        None, description="certificates (PEM) that deliveries are signed with, as C2PA has it"
    )
    c2pa_key: Path | None = Field(None, description="private key (PEM) of that certificate")
    sidecar: bool = Field(
        False, description="write a record (JSON) beside each stem: hash, chain, models, PROV-JSON"
    )
    ai_mark: bool = Field(True, description="files that a model touched say so, in their iXML")
    denoiser: str = Field("deepfilternet3", description="deepfilternet3 or rnnoise")
    allow_stand_in: bool = Field(
        False, description="clean with rnnoise where deepfilternet3 is not installed"
    )
    clean_again: bool = Field(
        False, description="clean what went through roomtone before once more"
    )
    recogniser: str = Field(
        "auto", description="auto, faster-whisper:NAME, whisper:NAME, pocketsphinx or none"
    )
    allow_draft: bool = Field(
        True, description="let auto fall back to PocketSphinx drafts, marked as such"
    )
    language: str = Field("", description="spoken language (en, de, …); empty: detected")
    prompt: str = Field("", description="a sentence the recogniser starts from")
    glossary: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="names and terms of the production that the recogniser should expect"
    )
    diarizer: str = Field(
        "auto", description="tells voices apart: auto, voices, pyannote or pyannote:FOLDER"
    )
    speakers: int = Field(0, ge=0, le=50, description="speakers a take; 0: found")
    script: Path | None = Field(
        None, description="the film's script (.fdx, .fountain): how many speak in a scene"
    )
    no_transcription: bool = Field(
        False, description="write down no words, whatever a production's marks allow"
    )
    no_voice_profile: bool = Field(
        False, description="tell nobody by the voice, whatever a production's marks allow"
    )
    no_export: bool = Field(
        False, description="let neither words nor sound leave, whatever a production's marks allow"
    )
    forbidden_licences: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="licences that no model may have: SPDX names, CC-BY-NC* for all that begin "
        "so, copyleft, restricted, unknown",
    )
    require_disclosure: Literal["", "described", "named"] = Field(
        "",
        description="what a model was trained on must be described by its authors, or its data "
        "sets named; empty: models may be silent on it",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where models run: auto takes a GPU where there is one"
    )
    threads: int = Field(0, ge=0, le=256, description="of Whisper on a CPU; 0: as it likes")
    workers: int = Field(0, ge=0, le=64, description="takes at once in a run; 0: one a core")
    scheduler: str = Field(
        "", description="Dask scheduler (tcp://HOST:8786) whose workers do the takes of runs"
    )
    runs_at_once: int = Field(1, ge=1, le=64, description="runs that a worker does at once")
    run_most_h: float = Field(
        24.0, gt=0, le=720, description="a run that takes longer is ended, in hours"
    )
    run_silent_min: float = Field(
        120.0,
        gt=0,
        le=10_000,
        description="a run with no progress for so long is ended, in minutes",
    )

    @field_validator("media", "watched", "cut_folders", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """One folder, or several as a PATH has them (`a:b`; `a;b` on Windows)."""
        if not isinstance(value, str):
            return value
        return tuple(part for part in value.split(os.pathsep) if part)

    @field_validator(
        "tracks", "timelines", "transcripts", "glossary", "forbidden_licences", mode="before"
    )
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Names with commas between them, or a list."""
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("timelines")
    @classmethod
    def _are_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in TIMELINES:
                raise ValueError(f"{name!r} is none of {', '.join(TIMELINES)}")
        return value

    @field_validator("transcripts")
    @classmethod
    def _are_transcripts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in TRANSCRIPTS:
                raise ValueError(f"{name!r} is none of {', '.join(TRANSCRIPTS)}")
        return tuple(dict.fromkeys(value))

    @field_validator("clip_pattern")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            parts = [part[1:] for part in string.Formatter().parse(value) if part[1] is not None]
        except ValueError as fault:
            raise ValueError("a brace is open: write fields as {scene}") from fault
        if not parts:
            raise ValueError("it names no field; write for example {scene}_{take}_{track}")
        for name, form, conversion in parts:
            if name not in CLIP_FIELDS or form or conversion:
                field = "{" + str(name) + (f"!{conversion}" if conversion else "")
                field += (f":{form}" if form else "") + "}"
                raise ValueError(f"{field} is none of {', '.join(CLIP_FIELDS)}")
        return value

    @field_validator(
        "home",
        "media",
        "watched",
        "script",
        "cut_folders",
        "deliveries",
        "c2pa_certificate",
        "c2pa_key",
    )
    @classmethod
    def _expand(cls, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, Path):
            return value.expanduser().absolute()
        return tuple(path.expanduser().absolute() for path in value)

    @field_validator("database")
    @classmethod
    def _is_database(cls, value: SecretStr) -> SecretStr:
        kind, parted, _ = value.get_secret_value().partition(":")
        if parted and kind == "sqlite" and "sqlite:////" not in value.get_secret_value():
            raise ValueError("SQLite needs an absolute path: sqlite:////folder/roomtone.db")
        if value.get_secret_value() and kind not in DATABASES:
            raise ValueError("write postgresql+psycopg://user@host/name, or leave it empty")
        return value

    @field_validator("store")
    @classmethod
    def _is_store(cls, value: str) -> str:
        return store_address(value)

    @field_validator("store_endpoint")
    @classmethod
    def _is_endpoint(cls, value: str) -> str:
        return endpoint_address(value)

    @field_validator("nightly_at", "nightly_until")
    @classmethod
    def _is_time(cls, value: str) -> str:
        if value and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError("write a time of day as 06:00, or leave it empty")
        return value

    @field_validator("nightly_webhook")
    @classmethod
    def _is_address(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not re.match(r"https?://[^/]", value.get_secret_value()):
            raise ValueError("write https://server/path, or leave it empty")
        return value

    @field_validator("scheduler")
    @classmethod
    def _is_scheduler(cls, value: str) -> str:
        if value and not re.fullmatch(r"(tcp|tls|ws|wss|ucx)://[^/\s]+:\d+", value):
            raise ValueError("write tcp://HOST:8786 or tls://HOST:8786, or leave it empty")
        return value

    @field_validator("edl_rate")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        try:
            if value:
                parse_rate(value)
        except InputError as fault:
            raise ValueError(str(fault).rstrip(".")) from fault
        return value

    @property
    def edl_frame_rate(self) -> FrameRate | None:
        """The frame rate set for EDLs, or None."""
        return parse_rate(self.edl_rate) if self.edl_rate else None


@dataclass(frozen=True)
class Origin:
    """A setting as it is in force: its name, value, and where the value comes from."""

    name: str
    value: object
    source: str
    description: str


def load_settings(overrides: dict[str, Any], folder: Path) -> tuple[Settings, tuple[Origin, ...]]:
    """The settings in force, and where each comes from.

    overrides: what the command line gives. folder: the working folder, in which a
    `roomtone.toml` is looked for. Raises UsageError with one sentence naming what is wrong.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    here = _file(folder / FILE_NAME)
    set_home = given.get("home") or os.environ.get("ROOMTONE_HOME") or here.get("home")
    home = Path(str(set_home or DEFAULT_HOME)).expanduser()
    at_home = _file(home / FILE_NAME)
    environment = {
        name for name in Settings.model_fields if f"ROOMTONE_{name.upper()}" in os.environ
    }
    from_files = {**at_home, **here}
    values = {
        name: value
        for name, value in from_files.items()
        if name not in environment and name not in given
    }

    def source(name: str) -> str:
        if name in given:
            return "command line"
        if name in environment:
            return f"ROOMTONE_{name.upper()}"
        if name in here:
            return str(folder / FILE_NAME)
        return str(home / FILE_NAME) if name in at_home else "default"

    try:
        settings = Settings(**{**values, **given})
    except ValidationError as fault:
        raise _told(fault, source) from fault
    return settings, tuple(
        Origin(name, _shown(name, getattr(settings, name)), source(name), field.description or "")
        for name, field in Settings.model_fields.items()
    )


def _told(fault: ValidationError, source: Callable[[str], str]) -> UsageError:
    """The first fault of the settings in one sentence that says where it was set."""
    first = fault.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    if first["type"] == "extra_forbidden":
        return UsageError(
            f"There is no setting {name!r}, which {source(name)} gives; `roomtone config show` "
            "lists those that there are."
        )
    said = first["msg"].removeprefix("Value error, ")
    said = said[:1].lower() + said[1:]
    value = first["input"]
    if name in SECRETS:
        value = _shown(name, SecretStr(str(value)))
    elif name.startswith("store") and "@" in str(value):
        value = "***"  # Somebody wrote credentials where they don't belong.
    return UsageError(f"The setting {name} = {value!r} of {source(name)} is wrong: {said}.")


def _shown(name: str, value: object) -> object:
    """A setting as it may be shown: a database without its password, other secrets not at all."""
    if not isinstance(value, SecretStr):
        return value
    text = value.get_secret_value()
    if name != "database":
        return "***" if text else ""
    address = re.fullmatch(r"([\w+]+://)(?:([^:@/?]*)(:.*)?@)?([^@?]*)(\?.*)?", text, re.DOTALL)
    if address is None:
        return "***" if text else ""
    scheme, user, password, place, query = address.groups()
    who = "" if user is None else f"{user}{':***' if password else ''}@"
    return f"{scheme}{who}{place}{'?***' if query else ''}"


def _file(path: Path) -> dict[str, Any]:
    try:
        return read_table(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as fault:
        raise UsageError(f"{path} can't be read as TOML ({fault}).") from fault
