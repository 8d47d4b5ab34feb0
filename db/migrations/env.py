"""Alembic's entry: runs in the transaction that `db.engine` has opened."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from db.tables import Table


def _of_metadata(_: Any, name: str | None, kind: str, *__: Any) -> bool:
    virtual = name is not None and ("_fts" in name or name.endswith("_terms"))
    return not (kind == "table" and virtual)


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
