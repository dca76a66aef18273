"""Rows as a Parquet file with the database's types, written in row groups: memory does not grow with the table."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

from emag_pipeline.errors import PermanentError
from emag_pipeline.store.describe import Column
from emag_pipeline.wording import iso

# Rows as CSV (RFC 4180: commas, quotes doubled, CRLF), in which null and the empty text differ.
#
# By hand: before Python 3.12 the standard library's writer cannot tell them apart, and pyarrow's knows no arrays.

_QUOTED = re.compile(r'[",\r\n]|^\s|\s$')

#: Where a spreadsheet would see a formula begin: at the start of a text, and - as it may take the semicolon or the tab
#: for the separator (Excel in Romanian, Bulgarian and Hungarian does) - after each of these and each line break. What
#: begins one: = + - @, also in full width, after spaces, quotes and invisible signs. Source: OWASP, "CSV Injection".
_FORMULA = re.compile(
    r'^(?=[\t\r\n])|(?:^|(?<=[;\t\r\n]))(?=(?:[^\S\t\r\n]|["\u200b-\u200f\u2060\ufeff])*[=+\-@＝＋－＠])'
)


def header(names: Iterable[str]) -> str:
    """The first line."""
    return ",".join(names) + "\r\n"


def lines(rows: Iterable[Sequence[Any]], *, raw: bool = False) -> str:
    """A line for each row.

    None is empty, times are ISO 8601 with their offset, lists are JSON. Texts are made safe for spreadsheets with
    `defused`, unless `raw`; numbers and times never need it.
    """
    written = _WRITTEN | ({str: _quoted, list: _raw_list} if raw else {})
    return "".join([",".join([written[type(value)](value) for value in row]) + "\r\n" for row in rows])


def defused(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would take for the beginning of a formula."""
    return _FORMULA.sub("'", text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if text == "" or _QUOTED.search(text) else text


def _safe(text: str) -> str:
    return _quoted(defused(text))


def _list(value: list[Any]) -> str:
    return _safe(json.dumps(value, ensure_ascii=False))


def _raw_list(value: list[Any]) -> str:
    return _quoted(json.dumps(value, ensure_ascii=False))


#: By the type as the driver reads it.
_WRITTEN: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    str: _safe,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
    Decimal: "{:f}".format,
    datetime: iso,
    date: date.isoformat,
    list: _list,
}


#: A row group is written when it has so many rows or bytes.
_GROUP_ROWS = 50_000
_GROUP_BYTES = 32 << 20

_TYPES = {
    "text": pa.string(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    # a product or a quotient: PostgreSQL sets no bound, Parquet needs one
    "numeric": pa.decimal128(38, 10),
}
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_DIGITS = Context(prec=200)


class ParquetRows:
    """Takes rows and writes them by the group."""

    def __init__(self, writer: parquet.ParquetWriter, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema
        self._group: list[pa.RecordBatch] = []

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add at least one row. Raises PermanentError for a number of more than 38 digits."""
        by_column = zip(zip(*rows, strict=True), self._schema, strict=True)
        self._group.append(pa.record_batch([_array(values, field) for values, field in by_column], self._schema))
        is_full = sum(batch.num_rows for batch in self._group) >= _GROUP_ROWS
        if is_full or sum(batch.nbytes for batch in self._group) >= _GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        if self._group:
            self._writer.write_table(pa.Table.from_batches(self._group))
            self._group = []


@contextmanager
def parquet_rows(file: Path, columns: Sequence[Column]) -> Iterator[ParquetRows]:
    """Write a file of these columns; JSON, identifiers and types that Parquet does not have are texts."""
    schema = pa.schema([pa.field(column.name, _type(column.type)) for column in columns])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        rows = ParquetRows(writer, schema)
        yield rows
        rows.flush()


def _type(name: str) -> pa.DataType:
    if name.endswith("[]"):
        return pa.list_(_type(name.removesuffix("[]")))
    if bounds := _NUMERIC.fullmatch(name):
        return pa.decimal128(int(bounds[1]), int(bounds[2]))
    return _TYPES.get(name, pa.string())


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    try:
        if pa.types.is_decimal(field.type):
            places = Decimal(1).scaleb(-field.type.scale)
            values = [None if value is None else value.quantize(places, context=_DIGITS) for value in values]
        return pa.array(values, field.type)
    except pa.ArrowInvalid as error:
        raise PermanentError(
            f"the column {field.name} does not fit into Parquet", why=str(error), remedy="Export it as csv"
        ) from error
