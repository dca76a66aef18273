"""Values as PostgreSQL writes them into a CSV file."""

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

from emag_pipeline.admin.export import csv_query
from emag_pipeline.store.catalog import Column
from emag_pipeline.store.engine import Database
from emag_pipeline.wording import iso


def _written(database: Database, *values: tuple[str, Any], raw: bool = False) -> str:
    """One row of these types and values, without the header."""
    columns = [Column(f"c{place}", type_, True, "") for place, (type_, _) in enumerate(values)]
    listed = ", ".join(f"CAST(:c{place} AS {type_}) AS c{place}" for place, (type_, _) in enumerate(values))
    given = {f"c{place}": value for place, (_, value) in enumerate(values)}
    query, formula = csv_query(f"(SELECT {listed}) row", columns, raw=raw)
    lines: list[bytes] = []
    with database.transaction() as tx:
        tx.run("SELECT set_config('datestyle', 'SQL, DMY', true), set_config('timezone', 'Europe/Bucharest', true)")
        assert tx.copy_out(query, lines.append, pause_seconds=30, **given, **formula) == 1
    header, row = lines
    assert header.decode() == ",".join(column.name for column in columns) + "\n"
    return row.decode().removesuffix("\n")


def _defused(database: Database, texts: Sequence[str]) -> list[str]:
    """Each of the texts as a spreadsheet is given it."""
    written = _written(database, *[("text", text) for text in texts], ("integer", 1))
    (row,) = csv.reader(StringIO(written, newline=""), strict=True)
    return row[:-1]


def test_numbers_times_and_truths_are_written_so_that_programs_read_them(database: Database) -> None:
    moment = datetime(2026, 3, 1, 6, 0, 0, 5, tzinfo=UTC)
    row = _written(
        database, ("bigint", 7), ("numeric(18,4)", Decimal("0E-4")), ("numeric", Decimal("99999999999999.9999")),
        ("double precision", 0.1), ("boolean", True), ("boolean", False), ("date", date(2026, 3, 1)),
        ("timestamp with time zone", moment), ("smallint[]", [9, 11]), ("text[]", ['a"b', "ș, ;", None]),
        ("jsonb", '{"a": 1.10}'), ("uuid", "11111111-1111-1111-1111-111111111111"), ("bytea", b"\x00\xff"),
    )  # fmt: skip
    assert row == (
        "7,0.0000,99999999999999.9999,0.1,true,false,2026-03-01,2026-03-01T06:00:00.000005Z,"
        '"[9, 11]","[""a\\""b"", ""ș, ;"", null]","{""a"": 1.10}",11111111-1111-1111-1111-111111111111,00ff'
    )


def test_times_are_in_utc_and_of_one_length(database: Database) -> None:
    moments = [datetime(2026, 7, 1, 23, 59, 59, tzinfo=UTC), datetime(1999, 12, 31, 1, 0, 0, 120_000, tzinfo=UTC)]
    row = _written(database, *[("timestamp with time zone", moment) for moment in moments])
    assert row == f"{iso(moments[0])},{iso(moments[1])}"


def test_null_and_the_empty_text_differ(database: Database) -> None:
    assert _written(database, ("text", None), ("text", ""), ("integer", None)) == ',"",'


def test_a_negative_number_is_no_formula(database: Database) -> None:
    assert _written(database, ("integer", -5), ("numeric(18,4)", Decimal("-0.5"))) == "-5,-0.5000"


def test_any_text_survives_the_standard_librarys_reader(database: Database) -> None:
    texts = [
        "Șosete, călduroase", 'un "citat"', "două\nrânduri", "cr\r\nlf", " margini ", "emoji 🧦", "a,b;c", "'x'",
        "\\.", "\\N", "a\\nb", "100%", "%(c0)s", ":c0", "null",
    ]  # fmt: skip
    written = _written(database, *[("text", text) for text in texts])
    assert list(csv.reader(StringIO(written, newline=""), strict=True)) == [texts]


_FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\n", "  =1", "\u00a0=1", "\ufeff=1", "\u200b=1", "＝1", "＋1",
    "－1", "＠x", '"=1"', "=cmd|' /C calc'!A0", "\u3000=1", "\x0b=1", "\x1c\u2028\u0085=1",
)  # fmt: skip
_BEHIND_SEPARATORS = ("a;=1", "a;  =1", 'a;"=1"', "a\t=1", "a\n=1", "a\r\n@x", "a;b;+1", "\n=1", ";;=1", "=;=1")
_HARMLESS = ("Cafea - 250 g", "a=b", "2+2", "x@y.ro", "5941234567899", "", "'tis", "a, -b", "é=1")


def test_a_text_that_begins_as_a_formula_gets_an_apostrophe_before_it(database: Database) -> None:
    for text, defused in zip(_FORMULAS, _defused(database, _FORMULAS), strict=True):
        assert defused[0] == "'", text
        assert defused.replace("'", "") == text.replace("'", "")


def test_a_formula_after_what_a_spreadsheet_may_take_for_a_separator_is_defused(database: Database) -> None:
    for text, defused in zip(_BEHIND_SEPARATORS, _defused(database, _BEHIND_SEPARATORS), strict=True):
        assert defused != text
        for separator in ";\t\n":  # however it is split
            for cell in defused.split(separator):
                assert cell.strip(' "\r')[:1] not in {"=", "+", "-", "@"}, text


def test_other_texts_stay_as_they_are(database: Database) -> None:
    assert _defused(database, _HARMLESS) == list(_HARMLESS)


def test_formulas_in_lists_and_json_are_defused_too(database: Database) -> None:
    written = _written(database, ("text[]", ["=1", "a;=1"]), ("jsonb", '{"a": "b;-1"}'))
    assert written == '"[""=1"", ""a;\'=1""]","{""a"": ""b;\'-1""}"'


def test_raw_leaves_every_text_as_it_is(database: Database) -> None:
    assert _written(database, ("text", "=1+1"), ("text[]", ["=1"]), raw=True) == '=1+1,"[""=1""]"'


def test_a_long_run_of_white_space_is_looked_at_once(database: Database) -> None:
    text = "\n" * 60_000 + ";" + " " * 60_000
    assert _defused(database, [text]) == ["'" + text]
