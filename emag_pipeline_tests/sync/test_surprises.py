"""What answers held that the code does not know: added up, and bounded in rows."""

from emag_pipeline.model import Surprise
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import surprises
from emag_pipeline_tests.sync.syncs import rows

_ALL = """SELECT account_type, resource, field, kind, times, sample, first_seen_at < last_seen_at AS is_older
          FROM emag_answer_surprises ORDER BY times DESC, field"""


def _note(database: Database, *found: Surprise, resource: str = "product_offer/read") -> None:
    with database.transaction() as tx:
        surprises.note(tx, "main", resource, found)


def test_the_same_surprise_is_one_row_with_the_first_sample_and_all_times(database: Database) -> None:
    _note(database, Surprise("weight", "unexpected type", "[]", 3), Surprise("weight", "unexpected type", "{}"))
    _note(database, Surprise("weight", "unexpected type", "7", 2))
    assert [tuple(row) for row in rows(database, _ALL)] == [
        ("main", "product_offer/read", "weight", "unexpected type", 6, "[]", True)
    ]


def test_nothing_noticed_writes_nothing(database: Database) -> None:
    _note(database)
    assert rows(database, _ALL) == []


def test_beyond_the_bound_of_a_resource_surprises_are_added_up(database: Database) -> None:
    many = [Surprise(f"field {number}", "unknown field", "x") for number in range(surprises.MOST + 5)]
    _note(database, *many[:150])
    _note(database, *many)
    _note(database, *many, resource="vat/read")
    found = [row for row in rows(database, _ALL) if row.resource == "product_offer/read"]
    assert len(found) == surprises.MOST + 1
    assert {row.field: row.times for row in found}["…"] == 5
    assert {row.field: row.times for row in found}["field 7"] == 2
