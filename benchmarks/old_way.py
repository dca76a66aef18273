"""The old way in a few lines: page by page, a pause after each, every row upserted by itself, a commit each 50 rows.

`python -m benchmarks.old_way MARKETPLACE DATABASE CALLS_A_SECOND`. It knows nothing of arrivals, departures, failures.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import requests

_TABLES = """
CREATE SCHEMA IF NOT EXISTS app;
CREATE TABLE IF NOT EXISTS app.emag_products (id bigint PRIMARY KEY, name text, brand text, description text, url text,
    category_id bigint, images jsonb, characteristics jsonb, updated_at timestamptz);
CREATE TABLE IF NOT EXISTS app.emag_product_offers (id bigint PRIMARY KEY, part_number text, status int,
    sale_price numeric, currency text, stock jsonb, handling_time jsonb, raw jsonb, updated_at timestamptz);
"""
_UPSERT = """INSERT INTO app.{table} ({names}, updated_at) VALUES ({values}, now())
             ON CONFLICT (id) DO UPDATE SET {changes}, updated_at = now()"""
_PRODUCT = ("id", "name", "brand", "description", "url", "category_id", "images", "characteristics")
_OFFER = ("id", "part_number", "status", "sale_price", "currency", "stock", "handling_time", "raw")
_COMMIT_ROWS, _PAGE = 50, 100


def main(marketplace: str, database: str, calls_a_second: float) -> None:
    """Load all pages, whatever they hold."""
    connection = psycopg2.connect(database)
    with connection, connection.cursor() as cursor:
        cursor.execute(_TABLES)
    with connection.cursor() as cursor:
        for number, row in enumerate(_rows(marketplace, calls_a_second), 1):
            row["raw"] = row.copy()
            for table, names in (("emag_products", _PRODUCT), ("emag_product_offers", _OFFER)):
                cursor.execute(_upsert(table, names), [_plain(row.get(name)) for name in names])
            if number % _COMMIT_ROWS == 0:
                connection.commit()
    connection.commit()


def _rows(marketplace: str, calls_a_second: float) -> Iterator[dict[str, Any]]:
    page = 1
    while rows := _page(marketplace, page):
        yield from rows
        time.sleep(1 / calls_a_second)
        page += 1


def _page(marketplace: str, page: int) -> list[dict[str, Any]]:
    answer = requests.post(
        f"{marketplace}/product_offer/read",
        json={"currentPage": page, "itemsPerPage": _PAGE},
        auth=("main@sandbox.example", "sandbox"),
        timeout=30,
    )
    answer.raise_for_status()
    rows: list[dict[str, Any]] = answer.json()["results"]
    return rows


def _upsert(table: str, names: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    return _UPSERT.format(table=table, names=", ".join(names), values=", ".join(["%s"] * len(names)), changes=changes)


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
