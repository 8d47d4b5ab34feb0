"""The tables, typed. Samples count at the sample rate of the asset or take they belong to.

Times are UTC. What search needs is in `db.search.tables`; how many rows
there should be in `db.tally`.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.speech import HeardIn
from db.codec import PathText, SafeText, UtcText

AssetKind = Literal["original", "clean", "stem", "clip", "timeline", "report", "weights"]
ActivityKind = Literal[
    "clean",
    "listen",
    "render",
    "import",
    "read",
    "tag",
    "privacy",
    "forget",
    "mark",
    "speakers",
    "correct",
    "review",
    "repair",
    "prune",
    "restore",
]
ActivityState = Literal["done", "failed", "superseded"]


class Table(DeclarativeBase):
    """The base of all tables: naming of constraints and column types."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # SQLite gives row numbers of their own accord to INTEGER keys only; its INTEGER holds 64 bits.
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger().with_variant(Integer(), "sqlite"),
        str: SafeText(),
        Path: PathText(),
        datetime: UtcText(),
        dict[str, Any]: JSON(),
        list[int]: JSON(),
        list[str]: JSON(),
        list[float]: JSON(),
        list[list[int]]: JSON(),
        list[list[Any]]: JSON(),
        list[list[dict[str, Any]]]: JSON(),
        AssetKind: String(),
        ActivityKind: String(),
        ActivityState: String(),
        HeardIn: String(),
    }


class Asset(Table):
    """A file by its content: its sha256. frames: samples a channel, for sound.

    sound: sha256 of the samples as they lie in a wave that roomtone wrote (see `sound_sha256`).
    """

    __tablename__ = "assets"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[AssetKind]
    name: Mapped[str]
    bytes: Mapped[int]
    essence: Mapped[str] = mapped_column(index=True)
    container: Mapped[str]
    subtype: Mapped[str]
    sample_rate: Mapped[int | None]
    channels: Mapped[int | None]
    frames: Mapped[int | None]
    first_seen: Mapped[datetime]
    sound: Mapped[str] = mapped_column(index=True, server_default="")


class Location(Table):
    """Where an asset was last seen. A path holds one asset; an asset may lie at many paths."""

    __tablename__ = "locations"

    path: Mapped[Path] = mapped_column(primary_key=True)
    asset: Mapped[str] = mapped_column(ForeignKey("assets.sha256"), index=True)
    size: Mapped[int]
    mtime_ns: Mapped[int]
    seen_at: Mapped[datetime]


class Arrival(Table):
    """When a file was first seen in a watched folder, whole or not."""

    __tablename__ = "arrivals"

    path: Mapped[Path] = mapped_column(primary_key=True)
    first_seen: Mapped[datetime]


class Media(Table):
    """A file that was probed, so that it need not be read again while it is unchanged."""

    __tablename__ = "media"

    path: Mapped[Path] = mapped_column(primary_key=True)
    size: Mapped[int]
    mtime_ns: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("assets.sha256"), index=True)
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"), index=True)
    scene: Mapped[str]
    take: Mapped[str]
    tape: Mapped[str]
    circled: Mapped[bool]
    probe: Mapped[dict[str, Any]]


class Take(Table):
    """A recording by its sound, whatever file holds it. time_reference: samples since midnight.

    recorded: the day (ISO 8601), as its recorder wrote it down; empty where it did not.
    """

    __tablename__ = "takes"

    essence: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    scene: Mapped[str]
    take: Mapped[str]
    tape: Mapped[str]
    project: Mapped[str]
    sample_rate: Mapped[int]
    frames: Mapped[int]
    time_reference: Mapped[int | None]
    timecode_rate: Mapped[str | None]
    recorded: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (Index(None, "scene", "take"),)


class TakeTag(Table):
    """A tag that a person put on a take; see `core.tags`."""

    __tablename__ = "take_tags"

    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True, index=True)
    by: Mapped[str]
    created: Mapped[datetime]


class Activity(Table):
    """Something that was done: when, by which tool and model, on whose behalf."""

    __tablename__ = "activities"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[ActivityKind]
    key: Mapped[str] = mapped_column(index=True)
    tool: Mapped[str]
    card: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    parameters: Mapped[dict[str, Any]]
    code_version: Mapped[str]
    machine: Mapped[str]
    agent: Mapped[str]
    started: Mapped[datetime]
    ended: Mapped[datetime]
    state: Mapped[ActivityState]

    __table_args__ = (
        Index(
            "uq_activities_done",
            "kind",
            "key",
            unique=True,
            sqlite_where=text("state = 'done'"),
            postgresql_where=text("state = 'done'"),
        ),
    )


class Edge(Table):
    """Between an activity and an asset. No start and end: the whole asset."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    activity: Mapped[str] = mapped_column(ForeignKey("activities.id"), index=True)
    asset: Mapped[str] = mapped_column(ForeignKey("assets.sha256"), index=True)
    role: Mapped[str]
    start_sample: Mapped[int | None]
    end_sample: Mapped[int | None]


class Used(Edge):
    """What an activity read.

    made_start, made_end: the samples of what was made in which these lie, where that is known.
    event: of the cut that plays them. channels: of the asset, from 0; none: all of them.
    """

    __tablename__ = "used"

    made_start: Mapped[int | None]
    made_end: Mapped[int | None]
    event: Mapped[str] = mapped_column(server_default="")
    channels: Mapped[list[int]] = mapped_column(server_default="[]")


class Generated(Edge):
    """What an activity made."""

    __tablename__ = "generated"


class CutRow(Table):
    """A cut that was read. rate: `24000/1001`; start: frames since midnight; length: frames."""

    __tablename__ = "cuts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    digest: Mapped[str]
    path: Mapped[Path]
    rate: Mapped[str]
    start: Mapped[int]
    length: Mapped[str]
    read_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("digest", "path"),)


class CutEvent(Table):
    """An event of a cut as it was linked. asset: none where its media are offline.

    source_start, source_end: samples of the asset; no end where it was linked by an older program.
    """

    __tablename__ = "cut_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    cut: Mapped[int] = mapped_column(ForeignKey("cuts.id", ondelete="CASCADE"), index=True)
    event: Mapped[str]
    track: Mapped[str]
    record_start: Mapped[int]
    record_length: Mapped[int]
    asset: Mapped[str | None] = mapped_column(ForeignKey("assets.sha256"), index=True)
    source_start: Mapped[int | None]
    source_end: Mapped[int | None]
    channels: Mapped[list[int]]
    linked: Mapped[str]
    take_key: Mapped[str] = mapped_column(index=True)


class Speaker(Table):
    """A voice with a name, within a project. heard_as: its name before a person changed it."""

    __tablename__ = "speakers"

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str]
    name: Mapped[str]
    heard_as: Mapped[str] = mapped_column(server_default="")

    __table_args__ = (UniqueConstraint("project", "name"),)


class VoiceRow(Table):
    """A speaker's voice in a take, or as it was enrolled (then without essence).

    label: the speaker as heard in that take. source: `microphone`, `voice` or `enrolled`.
    print: the mean voiceprint, empty where too little was heard; encoder: sha256 of its weights.
    spans: where the voice speaks, [start, end] in source samples. fixed: whose it is was said by
    a person. decision: the enrolment, which may be undone.
    """

    __tablename__ = "voices"

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(index=True)
    essence: Mapped[str | None] = mapped_column(ForeignKey("takes.essence"), index=True)
    label: Mapped[str]
    source: Mapped[str]
    seconds: Mapped[float]
    print: Mapped[list[float]]
    encoder: Mapped[str]
    spans: Mapped[list[list[int]]]
    speaker: Mapped[int | None] = mapped_column(ForeignKey("speakers.id"), index=True)
    fixed: Mapped[bool]
    decision: Mapped[int | None] = mapped_column(ForeignKey("speaker_decisions.id"))


class SpeakerDecisionRow(Table):
    """What a person said about speakers, in force until it is undone; see `core.speakers`."""

    __tablename__ = "speaker_decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    speaker: Mapped[int] = mapped_column(ForeignKey("speakers.id"))
    other: Mapped[int | None] = mapped_column(ForeignKey("speakers.id"))
    name: Mapped[str]
    stretches: Mapped[list[list[Any]]]
    by: Mapped[str]
    created: Mapped[datetime]
    undone: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(server_default="")


class Listening(Table):
    """A take was listened to by an engine. A draft that gave way to better has no lines."""

    __tablename__ = "listenings"

    id: Mapped[int] = mapped_column(primary_key=True)
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"))
    key: Mapped[str]
    engine: Mapped[str]
    draft: Mapped[bool]
    card: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    language: Mapped[str]
    created: Mapped[datetime]

    __table_args__ = (UniqueConstraint("essence", "key"),)


class LineRow(Table):
    """A line as it was heard. text: its words with single spaces between them.

    heard_as: the speaker as heard in this take. overlap: share in which others speak as well.
    """

    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"), index=True)
    listening: Mapped[int] = mapped_column(ForeignKey("listenings.id"), index=True)
    speaker: Mapped[int | None] = mapped_column(ForeignKey("speakers.id"), index=True)
    position: Mapped[int]
    start_sample: Mapped[int]
    end_sample: Mapped[int]
    text: Mapped[str]
    confidence: Mapped[float]
    draft: Mapped[bool]
    engine: Mapped[str]
    language: Mapped[str]
    heard_in: Mapped[HeardIn] = mapped_column(server_default="original")
    heard_as: Mapped[str] = mapped_column(server_default="")
    overlap: Mapped[float] = mapped_column(server_default="0")


class WordRow(Table):
    """A word of a line. position: counted from 0 within the line."""

    __tablename__ = "words"

    line: Mapped[int] = mapped_column(ForeignKey("lines.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    start_sample: Mapped[int]
    end_sample: Mapped[int]
    confidence: Mapped[float]


class LineCorrection(Table):
    """What a stretch of a take says, as a person has it, in force until it is undone."""

    __tablename__ = "line_corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"), index=True)
    start_sample: Mapped[int]
    end_sample: Mapped[int]
    text: Mapped[str]
    by: Mapped[str]
    created: Mapped[datetime]
    undone: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(server_default="")


class OverrideRow(Table):
    """What a person decided for a stretch of a take, in force until it is revoked."""

    __tablename__ = "overrides"

    id: Mapped[int] = mapped_column(primary_key=True)
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"), index=True)
    channels: Mapped[list[int]]
    start_sample: Mapped[int]
    end_sample: Mapped[int]
    recipe: Mapped[str]
    amount_db: Mapped[float | None]
    locked: Mapped[str]
    note: Mapped[str]
    by: Mapped[str]
    created: Mapped[datetime]
    revoked: Mapped[datetime | None]
    revoked_by: Mapped[str] = mapped_column(server_default="")


class SetupDecision(Table):
    """That a whole setup is cleaned with a gentler recipe than was asked for.

    key: names setup, recipe and engine. reasons: what the gates held back, a sentence each.
    """

    __tablename__ = "setup_decisions"

    key: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    scene: Mapped[str] = mapped_column(index=True)
    microphone: Mapped[str]
    asked: Mapped[str]
    recipe: Mapped[str]
    reasons: Mapped[list[str]]
    created: Mapped[datetime]


class SetupRow(Table):
    """A scene and a microphone whose takes were judged; see `core.setup`.

    key: names it.
    """

    __tablename__ = "setups"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    project: Mapped[str]
    scene: Mapped[str]
    microphone: Mapped[str]
    file: Mapped[str]
    essence: Mapped[str]


class ReviewRow(Table):
    """What a person decided for a setup or some of its takes; see `core.review`."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    setup: Mapped[int] = mapped_column(ForeignKey("setups.id"), index=True)
    kind: Mapped[str]
    recipe: Mapped[str]
    amount_db: Mapped[float | None]
    text: Mapped[str]
    whole: Mapped[bool]
    by: Mapped[str]
    created: Mapped[datetime]
    undone: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(server_default="")


class ReviewTake(Table):
    """A take that a decision names. channels: `0,1`. key: of its cleaned sound then."""

    __tablename__ = "review_takes"

    id: Mapped[int] = mapped_column(primary_key=True)
    review: Mapped[int] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"), index=True)
    essence: Mapped[str] = mapped_column(index=True)
    channels: Mapped[str]
    key: Mapped[str] = mapped_column(index=True)


class JudgedTake(Table):
    """A take of a setup as the last run that needed it found it; see `db.judged.Judgement`.

    channels: `0,1`, so that they can be compared in SQL.
    """

    __tablename__ = "judged_takes"

    id: Mapped[int] = mapped_column(primary_key=True)
    setup: Mapped[int] = mapped_column(ForeignKey("setups.id"), index=True)
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"), index=True)
    channels: Mapped[str]
    key: Mapped[str]
    in_cut: Mapped[bool]
    recipe: Mapped[str]
    gentler: Mapped[str]
    limit_db: Mapped[float | None]
    gates: Mapped[list[list[dict[str, Any]]]]
    failed: Mapped[bool]
    review: Mapped[int | None]
    judged: Mapped[datetime]


class EventPass(Table):
    """A detector has been over a take. version: of the detector, with what else shaped its work."""

    __tablename__ = "event_passes"

    id: Mapped[int] = mapped_column(primary_key=True)
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"))
    detector: Mapped[str]
    version: Mapped[str]
    created: Mapped[datetime]

    __table_args__ = (UniqueConstraint("essence", "detector"),)


class EventRow(Table):
    """Something that a detector found in a take. channel: from 0; none: all are meant."""

    __tablename__ = "sound_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_pass: Mapped[int] = mapped_column(
        ForeignKey("event_passes.id", ondelete="CASCADE"), index=True
    )
    essence: Mapped[str] = mapped_column(ForeignKey("takes.essence"), index=True)
    kind: Mapped[str] = mapped_column(index=True)
    start_sample: Mapped[int]
    end_sample: Mapped[int]
    channel: Mapped[int | None]
    confidence: Mapped[float]
    note: Mapped[str]


class ConsentRow(Table):
    """What may be done or not, see `core.privacy.Consent`; what was said before stays, ended.

    key, speaker_key: the production and the speaker as they are compared; no speaker: everybody.
    """

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    speaker_key: Mapped[str]
    project: Mapped[str]
    speaker: Mapped[str]
    mark: Mapped[str]
    allowed: Mapped[bool]
    by: Mapped[str]
    since: Mapped[datetime]
    note: Mapped[str]
    ended: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(server_default="")


class RetentionRule(Table):
    """For how many days something of a production is kept; see `core.retention`."""

    __tablename__ = "retention_rules"

    key: Mapped[str] = mapped_column(primary_key=True)
    kept: Mapped[str] = mapped_column(primary_key=True)
    project: Mapped[str]
    days: Mapped[int]
    by: Mapped[str]
    since: Mapped[datetime]


class Forgotten(Table):
    """That somebody or a take was forgotten, so that the next run does not learn it again.

    salt, token: the speaker's name as a salted hash, by which only who knows the name can tell
    that it is meant; empty for a take. no_export: export was not allowed then, so no delivery may
    hold the stretches.
    """

    __tablename__ = "forgotten"

    id: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[str]
    token: Mapped[str]
    by: Mapped[str]
    created: Mapped[datetime]
    no_export: Mapped[bool] = mapped_column(server_default=false())


class ForgottenStretch(Table):
    """A stretch of a take in which nothing is learned.

    alone: nobody else spoke there, so that whatever is heard there is the forgotten one's.
    """

    __tablename__ = "forgotten_stretches"

    id: Mapped[int] = mapped_column(primary_key=True)
    forgotten: Mapped[int] = mapped_column(
        ForeignKey("forgotten.id", ondelete="CASCADE"), index=True
    )
    essence: Mapped[str] = mapped_column(index=True)
    start_sample: Mapped[int]
    end_sample: Mapped[int]
    alone: Mapped[bool]


class ScriptMark(Table):
    """What a person decided for a line of a script in a take, in force until it is revoked.

    key, scene, character, text: of the line when it was marked. No start and end: the state only.
    """

    __tablename__ = "script_marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    scene: Mapped[str]
    character: Mapped[str]
    text: Mapped[str]
    essence: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    start_sample: Mapped[int]
    end_sample: Mapped[int]
    note: Mapped[str]
    by: Mapped[str]
    created: Mapped[datetime]
    revoked: Mapped[datetime | None]
    revoked_by: Mapped[str] = mapped_column(server_default="")
