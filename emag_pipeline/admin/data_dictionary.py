"""docs/data-dictionary.md, from the database's comments: `python -m emag_pipeline.admin.data_dictionary`.

Run it in a checkout; it uses a temporary database of its own.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from emag_pipeline import embedded
from emag_pipeline.marts import issue_words
from emag_pipeline.marts.registry import MARTS
from emag_pipeline.store import catalog, migrate
from emag_pipeline.store.catalog import Column, Function, Table
from emag_pipeline.store.engine import Database
from emag_pipeline.store.roles import readable

PATH = Path("docs/data-dictionary.md")

#: Every table belongs to one of them.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Offers and history": (
        "emag_current_offers",
        "emag_offer_warehouses",
        "emag_product_offers",
        "emag_products",
        "emag_offer_history",
    ),
    "Marts": (
        *(mart.table for mart in MARTS),
        "emag_mart_refreshes",
        "emag_accepted_deviations",
    ),
    "Reference": (
        "emag_accounts",
        "emag_categories",
        "emag_vat_rates",
        "emag_vat_rate_history",
        "emag_handling_times",
        "emag_reference_reads",
    ),
    "Ledger": ("emag_offer_syncs", "emag_publishes", "emag_account_figures"),
    "Quarantine and incidents": ("emag_offer_rejects", "emag_answer_surprises", "emag_check_results", "emag_incidents"),
    "Internal tables": (
        "emag_offer_states",
        "emag_listing_order",
        "emag_scan_pages",
        "emag_scan_offers",
        "emag_scan_confirmations",
        "emag_scan_changes",
        "emag_row_digests",
        "emag_requests",
        "emag_rate_budget",
        "emag_counters",
        "emag_sensor_ticks",
        "emag_alembic_version",
    ),
}
_HEAD = """\
# Data dictionary

Written by `python -m emag_pipeline.admin.data_dictionary` from the comments of the database; do not edit it. In
psql, `\\d+ app.emag_offer_issues` shows the same comments. Questions and their SQL are in [queries.md](queries.md).

- All tables are in the schema `app` (`DB_SCHEMA`). Prices and values are without VAT unless the column says otherwise,
  in `currency`; times are UTC. A percent of 5 is written 5, a share of 5 percent 0.05.
- An offer is identified by (`account_type`, `emag_offer_id`) in every table. The same product in two accounts has the
  same `part_number_key`. An account's VAT rates and categories are those of its marketplace: join by
  `emag_accounts.marketplace`, then `vat_id` or `category_id`; `emag_current_offers` has them already.
- `is_saleable`, in every table: stock above 0, status 1, a price above 0 whose `offer_validation_status` is 1, a
  product that has validation states, all of which permit a sale (as do those of its translation, if any), and no field
  in `unreadable`. If it is false, [emag_offer_issues](#emag_offer_issues) says why, in [issue codes](#issue-codes).
- A stock below 0 is shown as reported. Totals (`emag_daily_assortment`: `stock`, `stock_value`; `emag_offer_issues`:
  `stock_held_back`, `value_held_back`) and paces count it as 0.
- A new state of an offer begins when any column of [emag_offer_history](#emag_offer_history) changes, not only prices,
  stock and status; `changed_at` changes then too.
- The rows of a deleted offer are kept: `emag_product_offers.deleted_at` says since when it is gone, and
  `emag_current_offers` leaves it out. A publish is one transaction: one statement reads a single publish of each
  account.
- *Readers* are the members of the role `emag_reader` ([roles](how-to/roles.md)).
"""
_ISSUES = """\
## Issue codes

The values of `issue_code` in [emag_offer_issues](#emag_offer_issues) and of the keys of `issues` in
[emag_daily_assortment](#emag_daily_assortment), with their `reason` and `remedy`. A validation state that the
marketplace's documents do not name has the code `product_` or `translation_` with its number.

| code | reason | remedy |
|---|---|---|"""
_SHORT_TYPES = {"timestamp with time zone": "timestamptz", "character varying(32)": "varchar(32)"}


def rendered(database: Database) -> str:
    """The whole document. Raises KeyError if a group names a table that does not exist."""
    tables = {table.name: table for table in catalog.tables(database)}
    functions = catalog.functions(database)
    known = {*tables, *(function.name for function in functions)}
    lines = [_HEAD]
    for title, names in GROUPS.items():
        lines += [f"## {title}", ""]
        for name in names:
            lines += _section(tables[name], known - {name})
    lines += [_ISSUES, *map(_issue_row, sorted(issue_words.WORDS, key=_place)), ""]
    lines += ["## Functions", ""]
    for function in functions:
        lines += _function(function)
    return "\n".join(lines)


def _place(code: str) -> int:
    return list(issue_words.ISSUES).index(code.partition(":")[0])


def _issue_row(code: str) -> str:
    """A row of the table; a code has two if its words depend on what the marketplace reports."""
    words = issue_words.WORDS[code]
    return f"| `{code.partition(':')[0]}` | {words.reason} | {words.remedy} |"


def _section(table: Table, others: Set[str]) -> Iterator[str]:
    yield f"### {table.name}"
    yield ""
    yield _linked(table.comment, others)
    yield ""
    if table.key:
        yield f"- Key: {', '.join(f'`{name}`' for name in table.key)}"
    if table.is_view:
        yield "- A view: any column may be null."
    yield f"- {_readers(table.name)}"
    yield ""
    yield "| column | type | null? | meaning |"
    yield "|---|---|---|---|"
    for column in table.columns:
        yield _row(column, table.is_view, others)
    yield ""


def _readers(table: str) -> str:
    if table not in readable():
        return "Withheld from readers."
    if columns := readable()[table]:
        return f"Readers may read {', '.join(f'`{name}`' for name in sorted(columns))}."
    return "Readers may read it."


def _row(column: Column, is_of_view: bool, others: Set[str]) -> str:
    may_be_null = "null" if column.nullable and not is_of_view else ""
    kind = _SHORT_TYPES.get(column.type, column.type)
    meaning = _linked(column.comment, others).replace("|", r"\|")
    return f"| `{column.name}` | {kind} | {may_be_null} | {meaning} |"


def _linked(text: str, others: Set[str]) -> str:
    """The text with the names of other tables and functions as links to their sections."""
    return re.sub(r"\bemag_\w+", lambda name: f"[{name[0]}](#{name[0]})" if name[0] in others else name[0], text)


def _function(function: Function) -> Iterator[str]:
    yield f"### {function.name}"
    yield ""
    yield f"`{function.name}({function.arguments}) → {function.result}`"
    yield ""
    yield function.comment
    yield ""


def main() -> None:
    """Write the document."""
    with tempfile.TemporaryDirectory(prefix="emag-dictionary-") as home:
        server = embedded.start(Path(home), {"fsync": "off"})
        try:
            server.ensure_database("dictionary")
            database = Database(server.url("dictionary"))
            migrate.upgrade(database)
            PATH.write_text(rendered(database), encoding="utf-8")
            database.close()
        finally:
            server.stop()
    sys.stdout.write(f"{PATH}\n")


if __name__ == "__main__":
    main()
