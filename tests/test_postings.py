"""Lists of rows by token hold what was put in, over blocks and changes, in either database."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from db.engine import Database
from db.search.postings import BLOCK, Index, add, append, by_token, holding, remove
from db.search.tables import Posting

DONE = {"add": add, "append": append, "remove": remove}
rows = st.one_of(
    st.integers(0, 5), st.integers(BLOCK - 2, BLOCK + 2), st.integers(2**40, 2**40 + 3)
)
steps = st.sampled_from(["add", "append", "remove"])
changes = st.dictionaries(st.sampled_from("abc"), st.lists(rows, min_size=1, max_size=5))


@given(st.lists(st.tuples(steps, changes), max_size=6))
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_was_added_and_not_removed_is_held(
    database: Database, steps: list[tuple[str, Mapping[str, list[int]]]]
) -> None:
    held: dict[str, set[int]] = {}
    with database.write() as session:
        session.execute(delete(Posting))
        for step, change in steps:
            if step == "append":
                last = max((max(numbers) for numbers in held.values() if numbers), default=-1)
                made = {
                    token: sorted({last + 1 + number for number in numbers})
                    for token, numbers in change.items()
                }
            else:
                made = dict(change)
            DONE[step](session, Index.WORDS, made)
            for token, numbers in made.items():
                before = held.setdefault(token, set())
                rest = before - set(numbers)
                held[token] = rest if step == "remove" else before | set(numbers)
        found = holding(session, Index.WORDS, "abcd")
        assert {token: list(ids) for token, ids in found.items()} == {
            token: sorted(numbers) for token, numbers in held.items() if numbers
        }
        if not any(held.values()):
            assert session.scalar(select(func.count()).select_from(Posting)) == 0


def test_indexes_are_kept_apart(database: Database) -> None:
    with database.write() as session:
        add(session, Index.WORDS, {"go": [1]})
        add(session, Index.STEMS, {"go": [2]})
        assert holding(session, Index.WORDS, ["go"])["go"].tolist() == [1]
        remove(session, Index.WORDS, {"go": [1, 2]})
        assert holding(session, Index.WORDS, ["go"]) == {}
        assert holding(session, Index.STEMS, ["go"])["go"].tolist() == [2]


@pytest.mark.parametrize(
    ("lines", "tokens"),
    [([(1, "ab"), (2, "b")], {"a": [1], "b": [1, 2]}), ([(1, "")], {})],
)
def test_rows_are_listed_by_token(
    lines: list[tuple[int, str]], tokens: dict[str, list[int]]
) -> None:
    assert by_token(lines) == tokens
