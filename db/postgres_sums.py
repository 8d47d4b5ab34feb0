"""Sums of rows on a PostgreSQL server, by triggers that only our transactions set off.

A trigger adds up all rows that a statement wrote at once and keeps the sum in a setting of the
transaction, which ends with it and goes back with a savepoint. A row's digest is that of its text,
which is the same for the same values whatever a session is set to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from db.seals import sealed, sealed_columns

_WATCHED = "roomtone.watched"
_SUM = "roomtone.sum_"

# What the text of a value depends on.
_SET = (
    "SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET TimeZone = 'UTC'"
    " SET bytea_output = 'hex' SET extra_float_digits = 1"
)

# columns: as SQL lists them; place: where FROM finds the rows.
_ADD = (
    "'SELECT coalesce(sum(hashtextextended(ROW(' || {columns} || ')::text COLLATE \"C\", 0)), 0)"
    " FROM ' || {place}"
)

_FUNCTIONS = (
    f"""
CREATE OR REPLACE FUNCTION roomtone_sum(place regclass, columns text) RETURNS numeric
LANGUAGE plpgsql STABLE {_SET} AS $$
DECLARE total numeric;
BEGIN
    EXECUTE {_ADD.format(columns="columns", place="place::text")} INTO total;
    RETURN total;
END $$
""",
    f"""
CREATE OR REPLACE FUNCTION roomtone_tell() RETURNS trigger
LANGUAGE plpgsql {_SET} AS $$
DECLARE
    kept text := '{_SUM}' || TG_TABLE_NAME;
    gone numeric := 0;
    come numeric := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        EXECUTE {_ADD.format(columns="TG_ARGV[0]", place="'gone_rows'")} INTO gone;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        EXECUTE {_ADD.format(columns="TG_ARGV[0]", place="'come_rows'")} INTO come;
    END IF;
    PERFORM set_config(
        kept,
        (coalesce(nullif(current_setting(kept, true), ''), '0')::numeric + come - gone)::text,
        true
    );
    RETURN NULL;
END $$
""",
)

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
    connection.exec_driver_sql(f"SET LOCAL {_WATCHED} = 'on'")


def told(connection: Connection) -> Mapping[str, int]:
    """What a transaction did to the sums of tables so far, by name."""
    rows = connection.exec_driver_sql(
        f"SELECT name, current_setting('{_SUM}' || name, true) FROM unnest(%s::text[]) AS name",
        (list(sealed()),),
    ).tuples()
    return {name: int(said) for name, said in rows if said}


def total(connection: Connection, name: str) -> int:
    """The sum of a table's rows as they are now; reads all of it."""
    asked = "SELECT roomtone_sum(%s::regclass, %s)"
    return int(connection.exec_driver_sql(asked, (name, sealed_columns(name))).scalar_one())


def _statements() -> Iterator[str]:
    yield from _FUNCTIONS
    for name in sealed():
        columns = sealed_columns(name).replace("'", "''")
        for event, rows in _ROWS.items():
            trigger = f"roomtone_{name}_{event.lower()}"
            yield f'DROP TRIGGER IF EXISTS "{trigger}" ON "{name}"'
            yield (
                f'CREATE TRIGGER "{trigger}" AFTER {event} ON "{name}" REFERENCING {rows}'
                f" FOR EACH STATEMENT WHEN (current_setting('{_WATCHED}', true) = 'on')"
                f" EXECUTE FUNCTION roomtone_tell('{columns}')"
            )
