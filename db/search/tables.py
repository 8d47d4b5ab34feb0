"""The tables behind search. The full-text indexes over them are made by a migration."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.tables import Table


class LineSearch(Table):
    """A line as it is indexed; see `db.search.analysis`.

    version: of the analysis. sounds_by: what said how the words sound; empty where nobody did.
    """

    __tablename__ = "line_search"

    line: Mapped[int] = mapped_column(ForeignKey("lines.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    sounds_by: Mapped[str]
    words: Mapped[str]
    stems: Mapped[str]
    sounds: Mapped[str]


class VocabularyWord(Table):
    """A word that some line holds.

    lines: that hold it. grams: its runs of letters, with spaces between them.
    """

    __tablename__ = "vocabulary"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(unique=True)
    lines: Mapped[int]
    grams: Mapped[str]
