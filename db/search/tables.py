"""The tables behind search. The full-text index over the words is made by a migration."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.tables import Table


class LineSearch(Table):
    """A line as it is indexed; see `db.search.analysis`. Every line has one.

    version: of the analysis. sounds_by: what said how the words sound; empty where nobody did.
    """

    __tablename__ = "line_search"

    line: Mapped[int] = mapped_column(ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    sounds_by: Mapped[str]
    words: Mapped[str]
    stems: Mapped[str]
    sounds: Mapped[str]

    __table_args__ = (Index(None, "version", "sounds_by"),)


class VocabularyWord(Table):
    """A word that some line holds.

    lines: that hold it.
    """

    __tablename__ = "vocabulary"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(unique=True)
    lines: Mapped[int]


class Posting(Table):
    """Which rows of a block of row numbers hold a token; see `db.search.postings`.

    rows: counted from the block's first, two bytes each, in order.
    """

    __tablename__ = "postings"

    kind: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(primary_key=True)
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[bytes]
