"""Sums of rows on a PostgreSQL server, by triggers that only our transactions set off.

A trigger adds up all rows that a statement wrote at once and keeps the sum in a setting of the
transaction, which ends with it and goes back with a savepoint. A row's digest is that of its text;
what that depends on besides the values is set the same in every transaction that adds up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from db.seals import sealed, sealed_columns

_WATCHED = "roomtone.watched"
_SUM = "roomtone.sum_"

# What the text of a value depends on.
_SETTINGS = {
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
_DIGESTS = 'coalesce(sum(hashtextextended(ROW({columns})::text COLLATE "C", 0)), 0)'

# A function a table and event, so that the server plans its statements once a connection.
_FUNCTION = """
CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config(
        '{kept}',
        (coalesce(nullif(current_setting('{kept}', true), ''), '0')::numeric + ({change}))::text,
        true
    );
    RETURN NULL;
END $$
"""

_ROWS = {
    "INSERT": "NEW TABLE AS come_rows",
    "DELETE": "OLD TABLE AS gone_rows",
    "UPDATE": "OLD TABLE AS gone_rows NEW TABLE AS come_rows",
}


def install(connection: Connection) -> None:
    """Gives the tables their triggers anew, after a migration and in its transaction."""
    for statement in _statements():
        connection.exec_driver_sql(statement)


def begin(connection: Connection) -> None:
    """Have the triggers tell, to the end of the transaction."""
    _set(connection, {_WATCHED: "on", **_SETTINGS})


def told(connection: Connection) -> Mapping[str, int]:
    """What a transaction did to the sums of tables so far, by name."""
    rows = connection.exec_driver_sql(
        f"SELECT name, current_setting('{_SUM}' || name, true) FROM unnest(%s::text[]) AS name",
        (list(sealed()),),
    ).tuples()
    return {name: int(said) for name, said in rows if said}


def total(connection: Connection, name: str) -> int:
    """The sum of a table's rows as they are now; reads all of it."""
    _set(connection, _SETTINGS)
    digests = _DIGESTS.format(columns=sealed_columns(name))
    return int(connection.exec_driver_sql(f'SELECT {digests} FROM "{name}"').scalar_one())


def _set(connection: Connection, settings: Mapping[str, str]) -> None:
    """Settings to the end of the transaction."""
    sets = ", ".join("set_config(%s, %s, true)" for _ in settings)
    words = tuple(word for setting in settings.items() for word in setting)
    connection.exec_driver_sql(f"SELECT {sets}", words)


def _statements() -> Iterator[str]:
    for name in sealed():
        digests = _DIGESTS.format(columns=sealed_columns(name))
        for event, rows in _ROWS.items():
            trigger = f"roomtone_{name}_{event.lower()}"
            change = " ".join(
                f"{sign} (SELECT {digests} FROM {place})"
                for sign, place in (("+", "come_rows"), ("-", "gone_rows"))
                if place in rows
            )
            yield _FUNCTION.format(name=trigger, kept=_SUM + name, change=change)
            yield f'DROP TRIGGER IF EXISTS "{trigger}" ON "{name}"'
            yield (
                f'CREATE TRIGGER "{trigger}" AFTER {event} ON "{name}" REFERENCING {rows}'
                f" FOR EACH STATEMENT WHEN (current_setting('{_WATCHED}', true) = 'on')"
                f' EXECUTE FUNCTION "{trigger}"()'
            )
