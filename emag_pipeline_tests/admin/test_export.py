import csv
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from emag_pipeline.admin import export
from emag_pipeline.admin.export import Selection, export_to, print_csv, selected
from emag_pipeline.errors import DatabaseUnavailable, PermanentError, SettingsError, TransientError
from emag_pipeline.model import Reject
from emag_pipeline.reference import tables
from emag_pipeline.reference.tables import VAT_RATES
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store import catalog
from emag_pipeline.store.engine import Database
from emag_pipeline.store.roles import exportable
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.surprises import surprise
from emag_pipeline_tests.sync.syncs import rows, sync

_PAST = datetime(2026, 1, 1, tzinfo=UTC)
_NASTY = {
    1: {"part_number": "=HYPERLINK(1)", "name": 'Șosete "călduroase"\r\nmărime 42, 🧦', "brand": ""},
    2: {"part_number": "", "sale_price": Decimal("99999999999999.9999"), "general_stock": 2**62},
    3: {"part_number": None, "sale_price": Decimal("0.0000"), "general_stock": None, "warranty": -1},
    4: {"part_number": "'quoted", "validation_status": (9, 12), "ean": (), "is_saleable": False},
    5: {"part_number": "null", "description": "<p>text;  =1+1</p>", "ean": ("-1", '"', "a,b")},
}


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return load_settings({"DATABASE_SYNC_URL": database_url, "EMAG_HOME": str(tmp_path)}, env_file=None)


@pytest.fixture
def nasty(database: Database) -> Database:
    """The account `main` with values that trip writers and readers, `fbe` with a plain one."""
    sync(database, [offer(number, **values) for number, values in _NASTY.items()])
    sync(database, [offer(1, part_number="of another account")], account="fbe")
    return database


Export = Callable[..., Path]


@pytest.fixture
def write(settings: Settings, tmp_path: Path) -> Export:
    """Export a table; returns the file."""

    def write(
        table: str, format_: Any = "csv", account: str | None = "main", at: datetime | None = None, raw: bool = False
    ) -> Path:
        file = tmp_path / f"{table}.{format_}"
        export_to(file, settings, selected(settings, table, account, at), format_, raw=raw, force=True)
        return file

    return write


def _csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, strict=True))


def _by_id(found: Any) -> dict[int, dict[str, Any]]:
    return {int(row["emag_offer_id"]): dict(row) for row in found}


def _stored(database: Database, table: str, columns: str = "*") -> dict[int, dict[str, Any]]:
    sql = f"SELECT {columns} FROM {table} WHERE account_type = 'main'"
    return _by_id(row._mapping for row in rows(database, sql))


def test_a_csv_has_every_row_of_the_account_and_every_value_of_it(nasty: Database, write: Export) -> None:
    written, stored = _by_id(_csv(write("emag_current_offers", raw=True))), _stored(nasty, "emag_current_offers")
    assert written.keys() == stored.keys() == _NASTY.keys()
    for number, row in stored.items():
        assert list(written[number]) == list(row)
        for name in ("part_number", "name", "brand", "description"):
            assert written[number][name] == (row[name] or "")
        for name in ("sale_price", "general_stock", "warranty"):
            assert written[number][name] == ("" if row[name] is None else str(row[name]))
        assert datetime.fromisoformat(written[number]["changed_at"]) == row["changed_at"]


def test_a_csv_is_safe_to_open_in_a_spreadsheet_and_keeps_null_and_the_empty_text_apart(
    nasty: Database, write: Export
) -> None:
    file = write("emag_product_offers")
    written = _by_id(_csv(file))
    assert [written[number]["part_number"] for number in (1, 4)] == ["'=HYPERLINK(1)", "'quoted"]
    assert written[3]["warranty"] == "-1"
    lines = file.read_bytes().split(b"\r\n")
    assert b'main,2,,"",1,' in b"\n".join(lines)
    assert b"main,3,,,1," in b"\n".join(lines)
    assert ";'  =1+1" in _by_id(_csv(write("emag_products")))[5]["description"]


def test_a_parquet_file_read_back_equals_the_table(nasty: Database, write: Export) -> None:
    as_text = {"uuid": "{0}::text", "jsonb": "{0}::text", "bytea": "encode({0}, 'hex') AS {0}"}
    for table in ("emag_product_offers", "emag_products", "emag_offer_history"):
        columns = [column for column in catalog.columns(nasty, table) if column.name != "raw"]
        listed = ", ".join(as_text.get(column.type, "{0}").format(column.name) for column in columns)
        assert _by_id(parquet.read_table(write(table, "parquet")).to_pylist()) == _stored(nasty, table, listed)


def test_a_parquet_file_has_the_tables_types(nasty: Database, write: Export) -> None:
    schema = parquet.read_schema(write("emag_product_offers", "parquet"))
    assert {name: str(schema.field(name).type) for name in ("sale_price", "general_stock", "validation_status")} == {
        "sale_price": "decimal128(18, 4)", "general_stock": "int64", "validation_status": "list<element: int16>",
    }  # fmt: skip
    assert str(schema.field("changed_at").type) == "timestamp[us, tz=UTC]"
    assert str(schema.field("handling_time").type) == "string"


def test_a_past_state_is_exported_as_it_was_published(database: Database, write: Export) -> None:
    first = sync(database, [offer(1), offer(2)])
    sync(database, [offer(1, sale_price=Decimal("8.0000")), offer(3)], gone=[2])
    then = _by_id(_csv(write("emag_product_offers", at=first.published_at)))
    assert {number: row["sale_price"] for number, row in then.items()} == {1: "10.5000", 2: "10.5000"}
    with pytest.raises(SettingsError, match="it was first published at"):
        write("emag_product_offers", at=first.published_at - timedelta(microseconds=1))
    assert parquet.read_table(write("emag_product_offers", "parquet", at=first.published_at)).num_rows == 2


def test_a_past_state_has_the_vat_rate_of_its_moment(database: Database, write: Export) -> None:
    note_accounts(database, [("main", "sandbox", "RON")])
    for rate in ("0.19", "0.21"):
        read = [{"vat_id": 1, "rate": rate, "raw": "{}"}]
        tables.merge(database, VAT_RATES, "sandbox", read, account="main", is_whole=True)
        at = sync(database, [offer(1, vat_id=1), offer(2, vat_id=None)]).published_at
        let_pass(database, timedelta(days=1))
        (row, without) = _csv(write("emag_product_offers", at=at - timedelta(days=1)))
        assert (row["vat_rate"], row["sale_price_with_vat"]) == (
            f"{rate}00", {"0.19": "12.5000", "0.21": "12.7100"}[rate]
        )  # fmt: skip
        assert (without["vat_rate"], without["sale_price_with_vat"]) == ("", "")
    first = at - timedelta(days=2)
    assert [row["vat_rate"] for row in _csv(write("emag_product_offers", at=first))] == ["0.1900", ""]
    schema = parquet.read_schema(write("emag_product_offers", "parquet", at=first))
    assert str(schema.field("sale_price_with_vat").type) == "decimal128(18, 4)"


def test_without_an_account_all_accounts_are_exported(nasty: Database, write: Export) -> None:
    found = _csv(write("emag_product_offers", account=None))
    assert sorted({row["account_type"] for row in found}) == ["fbe", "main"]


def test_of_reference_data_an_account_has_its_marketplaces(database: Database, write: Export) -> None:
    with database.transaction() as tx:
        tx.run("""INSERT INTO emag_vat_rates (marketplace, vat_id, rate, raw, changed_at)
                  VALUES ('sandbox', 1, 0.19, '{}', now()), ('emag_hu', 1, 0.27, '{}', now())""")
    assert [row["rate"] for row in _csv(write("emag_vat_rates"))] == ["0.1900"]


def test_of_the_quarantine_the_rows_as_read_are_withheld(database: Database, write: Export) -> None:
    bad = Reject(2, "the price is not a number", '{"secret": 1}')
    sync(database, [offer(1)], rejects=[bad])
    (row,) = _csv(write("emag_offer_rejects"))
    assert (row["reason"], "payload" in row) == ("the price is not a number", False)


def test_offers_as_read_leave_the_database_in_no_file(database: Database, write: Export) -> None:
    sync(database, [offer(1, raw='{"id": 1, "note": "call Elena"}')])
    for table in ("emag_products", "emag_current_offers"):
        assert "Elena" not in write(table).read_text()


def test_samples_of_surprises_are_withheld(database: Database, write: Export) -> None:
    surprise(database)
    (row,) = _csv(write("emag_answer_surprises"))
    assert (row["field"], "sample" in row) == ("sale_price", False)


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_every_table_that_readers_may_see_can_be_exported(database: Database, write: Export, format_: str) -> None:
    for table, granted in exportable().items():
        named = [column.name for column in catalog.columns(database, table)]
        names = [name for name in named if (table, name) != ("emag_products", "raw")]
        assert names, table
        written = write(table, format_)
        found = parquet.read_schema(written).names if format_ == "parquet" else written.read_text().strip().split(",")
        assert found == [name for name in names if granted is None or name in granted]


def test_a_quotient_without_bounds_has_ten_places_in_parquet(database: Database, write: Export) -> None:
    with database.transaction() as tx:
        tx.run("""INSERT INTO emag_daily_assortment (day, account_type, offers, saleable_offers, stock,
                      stock_value, arrivals, departures, price_moves)
                  VALUES ('2026-03-01', 'main', 1, 1, 1, 10.0 / 3, 0, 0, 0)""")
    (row,) = parquet.read_table(write("emag_daily_assortment", "parquet")).to_pylist()
    assert row["stock_value"] == Decimal("3.3333333333")


def test_a_number_that_does_not_fit_into_parquet_says_so(database: Database, write: Export, tmp_path: Path) -> None:
    with database.transaction() as tx:
        tx.run("""INSERT INTO emag_daily_assortment (day, account_type, offers, saleable_offers, stock,
                      stock_value, arrivals, departures, price_moves)
                  VALUES ('2026-03-01', 'main', 1, 1, 1, 1e40, 0, 0, 0)""")
    with pytest.raises(PermanentError, match="stock_value does not fit into Parquet"):
        write("emag_daily_assortment", "parquet")
    assert list(tmp_path.glob("*daily*")) == []


def test_what_is_published_meanwhile_is_not_seen(database: Database) -> None:
    many = [offer(number) for number in range(1, 2_501)]
    sync(database, many)
    selection = Selection("emag_product_offers", "account_type", "main")
    found = export.batches(database, selection, export.columns(database, selection))
    first = next(found)
    sync(database, [offer(number, part_number="new") for number in range(1, 2_501)])
    read = [row for batch in (first, *found) for row in batch]
    assert len(first) < len(read) == 2_500
    assert {row[3] for row in read} == {None}


class _Reader(BytesIO):
    """Takes an export; does something of its own when the first row arrives."""

    def __init__(self, at_first: Callable[[], object]) -> None:
        super().__init__()
        self._at_first = at_first
        self._rows = 0

    def write(self, row: Any, /) -> int:
        self._rows += 1
        if self._rows == 2:  # behind the header
            self._at_first()
        return super().write(row)


def _print(settings: Settings, reader: _Reader) -> list[dict[str, str]]:
    text = TextIOWrapper(reader)
    try:
        print_csv(text, settings, Selection("emag_current_offers", "account_type", "main"), raw=False)
    finally:
        text.detach()  # which would close the reader
    return list(csv.DictReader(StringIO(reader.getvalue().decode(), newline=""), strict=True))


def test_what_is_published_while_a_csv_is_written_is_not_in_it(database: Database, settings: Settings) -> None:
    many = [offer(number) for number in range(1, 2_501)]
    sync(database, many)
    newer = [offer(number, part_number="new") for number in range(1, 2_501)]
    written = _print(settings, _Reader(lambda: sync(database, newer)))
    assert len(written) == 2_500
    assert {row["part_number"] for row in written} == {""}


def test_a_reader_that_pauses_for_too_long_holds_no_snapshot(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emag_pipeline.admin.export._PAUSE_SECONDS", 0.5)
    sync(database, [offer(number, description="x" * 5_000) for number in range(1, 1_000)])

    def pause() -> None:
        wait_until(lambda: not rows(database, _COPYING), 30)

    with pytest.raises(TransientError, match="the reader of the rows paused for too long"):
        _print(settings, _Reader(pause))


def test_an_export_that_the_server_ends_is_no_whole_one(database: Database, settings: Settings) -> None:
    sync(database, [offer(number, description="x" * 5_000) for number in range(1, 3_000)])
    with pytest.raises(DatabaseUnavailable):
        _print(settings, _Reader(lambda: rows(database, f"SELECT pg_terminate_backend(pid) FROM ({_COPYING}) copying")))


_COPYING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY%'"


def test_a_file_is_the_owners_alone_and_is_not_overwritten_by_accident(
    nasty: Database, settings: Settings, tmp_path: Path
) -> None:
    file, everything = tmp_path / "offers.csv", Selection("emag_product_offers")
    export_to(file, settings, everything, "csv", raw=False, force=False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(SettingsError, match=r"exists. Give another name, or --force"):
        export_to(file, settings, everything, "csv", raw=False, force=False)


def test_a_pipe_or_a_device_is_never_replaced(settings: Settings, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "offers.csv")
    with pytest.raises(SettingsError, match=r"is a device or a pipe. Give the name of a file"):
        export_to(tmp_path / "offers.csv", settings, Selection("emag_vat_rates"), "csv", raw=False, force=True)


def test_a_cut_off_export_leaves_the_old_file_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(
        update={"database_url": load_settings({"DATABASE_URL": "postgresql://me@127.0.0.1:1/no"}, None).database_url}
    )
    file = tmp_path / "offers.csv"
    file.write_text("the old one")
    with pytest.raises(DatabaseUnavailable):
        export_to(file, away, Selection("emag_product_offers"), "csv", raw=False, force=True)
    assert (file.read_text(), list(tmp_path.glob("*offers*"))) == ("the old one", [file])


def test_an_unknown_table_is_answered_with_those_that_exist(settings: Settings) -> None:
    with pytest.raises(SettingsError, match=r"no table 'offers' to export. Use one of: emag_product_offers, .*rejects"):
        selected(settings, "offers", None, None)


@pytest.mark.parametrize(
    ("table", "account", "at", "words"),
    [
        ("emag_products", "main", _PAST, "emag_products keeps no past states"),
        ("emag_product_offers", None, _PAST, "a past state is exported for one account. Add --account"),
        ("emag_product_offers", "shop", None, "there is no account 'shop'. Use one of: main, fbe"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_with_a_remedy(
    settings: Settings, table: str, account: str | None, at: datetime | None, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        selected(settings, table, account, at)


@pytest.mark.parametrize(
    ("account", "at", "words"),
    [
        ("main", datetime(9999, 1, 1, tzinfo=UTC), "is yet to come"),
        ("main", _PAST, r"nothing is known of the account main at 2026-01-01T00.*: it was first published at "),
        ("fbe", _PAST, "the account 'fbe' was never published, .* Ask for one of: main"),
    ],
)
@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_moment_of_which_nothing_is_known_is_refused_and_nothing_is_written(
    database: Database, write: Export, tmp_path: Path, account: str, at: datetime, words: str, format_: str
) -> None:
    sync(database, [offer(1)])
    with pytest.raises(SettingsError, match=words):
        write("emag_product_offers", format_, account, at)
    assert list(tmp_path.glob("*emag_product_offers*")) == []
