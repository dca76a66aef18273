from datetime import UTC, datetime
from decimal import Decimal

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline.sync.staging import line

_AWKWARD = "tab\t line\n return\r back\\slash \\N \\. ăîșț 漢 😀 '\" , {}"


def test_a_type_that_copy_cannot_write_is_an_error() -> None:
    with pytest.raises(TypeError, match="float"):
        line([1.5])


def test_every_value_comes_back_as_it_went_in(database: Database) -> None:
    at = datetime(2026, 11, 24, 7, 0, 0, 123456, UTC)
    values = (_AWKWARD, None, "", 4294967295, True, Decimal("0.0001"), b"\x00\xff", at, (_AWKWARD, ""), (3, 9), ())
    with database.transaction() as tx:
        tx.run(
            """CREATE TABLE copied (a text, b text, c text, d bigint, e boolean, f numeric(18,4), g bytea,
               h timestamptz, i text[], j smallint[], k text[])"""
        )
        tx.copy_in("COPY copied FROM STDIN", line(values))
        row = tx.run("SELECT * FROM copied").one()
    read = [bytes(value) if isinstance(value, memoryview) else value for value in row]
    assert read == [list(value) if isinstance(value, tuple) else value for value in values]
