"""Alembic's entry: runs in the transaction that `db.engine` has opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from db.tables import Table


def _of_metadata(_: Any, name: str | None, kind: str, *__: Any) -> bool:
    """Not what only one database has: FTS5's tables, the words as a tsvector."""
    if kind == "table":
        return name is None or ("_fts" not in name and not name.endswith("_terms"))
    return name is None or not name.endswith("_vector")


def _rendered(kind: str, thing: Any, _: Any) -> str | Literal[False]:
    """Columns are written by what the database sees: a migration must not change with the code."""
    if kind == "type" and type(thing).__module__ == "db.codec":
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    include_object=_of_metadata,
    render_item=_rendered,
    render_as_batch=True,
)
context.run_migrations()
