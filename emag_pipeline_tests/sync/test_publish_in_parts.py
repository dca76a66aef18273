"""A large publish gives its statements several times, each for a part of the staged offers, in one transaction."""

from typing import Any

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline.sync import publish
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import rows, sync

_OFFERS = range(1, 241)
_TABLES = {
    "emag_product_offers": "emag_offer_id, sale_price, general_stock, row_hash, deleted_at IS NOT NULL",
    "emag_products": "emag_offer_id, name, row_hash",
    "emag_offer_states": "emag_offer_id, sale_price, general_stock, stamp_to IS NOT NULL",
    "emag_row_digests": "emag_offer_id, digest, row_hash, content_hash, narrow_hash, texts_hash",
}


def _offers(turn: int) -> list[Any]:
    """Of each turn other ones are new, have other texts or another stock, are there at all."""
    return [
        offer(
            number,
            general_stock=turn if number % 3 else 5,
            name=f"Cafea {number} {turn if number % 5 == 0 else ''}",
            row_digest=f"{turn} {number}".encode(),
        )
        for number in _OFFERS
        if number % 7 != turn
    ]


def _published(database: Database, account: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(
            tuple(row)
            for row in rows(database, f"SELECT {columns} FROM {table} WHERE account_type = :account", account=account)
        )
        for table, columns in _TABLES.items()
    }


@pytest.mark.parametrize("at_once", [1, 50])
def test_what_is_published_in_parts_is_what_is_published_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    given: list[str] = []
    run = publish._run

    def noted(tx: Any, name: str, scope: dict[str, Any], *, part: str = "") -> Any:
        given.append(name)
        return run(tx, name, scope, part=part)

    monkeypatch.setattr(publish, "_run", noted)
    for turn in (1, 2, 3, 3):
        gone = [number for number in _OFFERS if number % 7 == turn]
        at_a_time = sync(database, _offers(turn), gone=gone, account="fbe")
        assert given.count("remember_rows") == given.count("create_products") == 1
        given.clear()
        with monkeypatch.context() as patch:
            patch.setattr(publish, "_AT_ONCE", at_once)
            in_parts = sync(database, _offers(turn), gone=gone)
        assert given.count("remember_rows") > 3, "in parts"
        given.clear()
        assert [getattr(in_parts, name) for name in ("created", "updated", "deleted", "remembered")] == [
            getattr(at_a_time, name) for name in ("created", "updated", "deleted", "remembered")
        ]
        assert _published(database, "main") == _published(database, "fbe")


def test_a_large_catalogue_of_which_nothing_is_left_is_deleted_in_parts_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(database, _offers(1))
    monkeypatch.setattr(publish, "_AT_ONCE", 10)
    gone = [one.emag_offer_id for one in _offers(1)]
    assert sync(database, [], gone=gone).deleted == len(gone)
