import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest

from emag_pipeline.admin.csv_lines import defused, header, lines


def test_numbers_times_and_truths_are_written_so_that_programs_read_them() -> None:
    moment = datetime(2026, 3, 1, 6, 0, 0, 5, tzinfo=UTC)
    row = (7, Decimal("0E-4"), Decimal("99999999999999.9999"), True, date(2026, 3, 1), moment, [9, 11])
    assert lines([row]) == ('7,0.0000,99999999999999.9999,true,2026-03-01,2026-03-01T06:00:00.000005Z,"[9, 11]"\r\n')


def test_null_and_the_empty_text_differ() -> None:
    assert lines([(None, "", None)]) == ',"",\r\n'


def test_a_negative_number_is_no_formula() -> None:
    assert lines([(-5, Decimal("-0.5000"))]) == "-5,-0.5000\r\n"


def test_any_text_survives_the_standard_librarys_reader() -> None:
    texts = ["Șosete, călduroase", 'un "citat"', "două\nrânduri", "cr\r\nlf", " margini ", "emoji 🧦", "a,b;c", "'x'"]
    written = header(["text"] * len(texts)) + lines([texts])
    assert list(csv.reader(StringIO(written, newline=""), strict=True))[1] == texts


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\n", "  =1", "\u00a0=1", "\ufeff=1", "\u200b=1", "＝1", "＋1",
        "－1", "＠x", '"=1"', "=cmd|' /C calc'!A0",
    ],
)  # fmt: skip
def test_a_text_that_begins_as_a_formula_gets_an_apostrophe_before_it(text: str) -> None:
    assert defused(text)[0] == "'"
    assert defused(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("text", ["a;=1", "a;  =1", 'a;"=1"', "a\t=1", "a\n=1", "a\r\n@x", "a;b;+1"])
def test_a_formula_after_what_a_spreadsheet_may_take_for_a_separator_is_defused(text: str) -> None:
    assert defused(text) != text
    for separator in ";\t\n":  # however it is split
        for cell in defused(text).split(separator):
            assert cell.strip(' "\r')[:1] not in {"=", "+", "-", "@"}


@pytest.mark.parametrize("text", ["Cafea - 250 g", "a=b", "2+2", "x@y.ro", "5941234567899", "", "'tis", "a, -b"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert defused(text) == text


def test_raw_leaves_every_text_as_it_is() -> None:
    assert lines([("=1+1", ["=1"])], raw=True) == '=1+1,"[""=1""]"\r\n'


def test_a_long_run_of_white_space_is_looked_at_once() -> None:
    assert defused("\n" * 100_000 + ";" + " " * 100_000) == "'" + "\n" * 100_000 + ";" + " " * 100_000
