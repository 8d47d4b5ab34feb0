"""Names as people type them: compared in either case of letters, alike in every database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from db.codec import storable


class lowered(FunctionElement[str]):  # noqa: N801
    """A text in small letters, of every alphabet."""

    name = "lowered"
    type = String()
    inherit_cache = True


@compiles(lowered)
def _plain(element: lowered, compiler: SQLCompiler, **more: Any) -> str:
    # SQLite's connections have the letters of Python; see `db.sqlite`.
    return f"lower({compiler.process(element.clauses, **more)})"


@compiles(lowered, "postgresql")
def _of_postgresql(element: lowered, compiler: SQLCompiler, **more: Any) -> str:
    # The tables' own collation knows the letters of ASCII only.
    version = getattr(compiler.dialect, "server_version_info", None) or (0,)
    letters = "pg_c_utf8" if version >= (17,) else "default"
    return f'lower(({compiler.process(element.clauses, **more)}) COLLATE "{letters}")'


def same_name(column: Any, asked: str) -> ColumnElement[bool]:
    """Whether a name is the one that is asked for, in either case of letters."""
    return lowered(column) == lowered(literal(storable(asked).strip()))
