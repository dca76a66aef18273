"""Rows as a Parquet file with the database's types, written in row groups: memory does not grow with the table."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

from emag_pipeline.errors import PermanentError
from emag_pipeline.store.catalog import Column

#: A row group is written when it has this many rows or bytes.
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
    """Collects rows and writes them in row groups."""

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
        """Write the rows collected so far."""
        if self._group:
            self._writer.write_table(pa.Table.from_batches(self._group))
            self._group = []


@contextmanager
def parquet_rows(file: Path, columns: Sequence[Column]) -> Iterator[ParquetRows]:
    """Write a file with these columns; JSON, identifiers and types that Parquet does not have become strings."""
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
