from dataclasses import dataclass
from enum import StrEnum

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import row_of, rows_of


class _Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class _Car:
    number: int
    colour: _Colour
    stripe: _Colour | None = None


def test_columns_become_fields_and_names_members_of_their_enum(database: Database) -> None:
    with database.transaction() as tx:
        found = rows_of(
            tx.run("SELECT * FROM (VALUES (1, 'red', 'blue'), (2, 'blue', NULL)) c (number, colour, stripe)"), _Car
        )
    assert found == [_Car(1, _Colour.RED, _Colour.BLUE), _Car(2, _Colour.BLUE)]
    assert found[0].colour is _Colour.RED


def test_a_function_may_make_the_row_of_its_columns(database: Database) -> None:
    def car(*, number: int, is_red: bool) -> _Car:
        return _Car(number, _Colour.RED if is_red else _Colour.BLUE)

    with database.transaction() as tx:
        assert row_of(tx.run("SELECT 7 AS number, true AS is_red"), car) == _Car(7, _Colour.RED)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT 1 AS number, 'red' AS colour, 2 AS wheels", TypeError),
        ("SELECT 1 AS number", TypeError),
        ("SELECT 1 AS number, 'green' AS colour", ValueError),
        ("SELECT n AS number, 'red' AS colour FROM generate_series(1, 2) n", ValueError),
    ],
)
def test_a_row_that_is_not_of_the_type_is_a_defect(sql: str, error: type[Exception], database: Database) -> None:
    with database.transaction() as tx, pytest.raises(error):
        row_of(tx.run(sql), _Car)


def test_no_row_is_none(database: Database) -> None:
    with database.transaction() as tx:
        assert row_of(tx.run("SELECT 1 AS number, 'red' AS colour WHERE false"), _Car) is None


@pytest.mark.parametrize(
    ("sql", "is_write"),
    [
        ("SELECT 1", False),
        ("\n  select 1", False),
        ("-- a comment, which the loader of SQL files would have removed\nSELECT 1", True),
        ("WITH changed AS (SELECT 1) SELECT * FROM changed", True),
        ("-- SELECT\nUPDATE emag_offer_syncs SET attempt = 1", True),
    ],
)
def test_only_what_begins_with_select_is_no_write(sql: str, is_write: bool, database: Database) -> None:
    with database.transaction() as tx:
        tx.run(sql)
        assert tx.has_written is is_write
