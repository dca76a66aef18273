"""What the sandbox truly holds, as rows of our tables."""

from collections.abc import Iterable
from typing import Any

from emag_pipeline.drills.judgement import as_stored
from emag_pipeline.sandbox.client import SandboxFace
from emag_pipeline.store.columns import WIDE, listed
from emag_pipeline.store.engine import Database

_PUBLISHED = f"""
    SELECT o.*, {listed([column for column in WIDE if column != "raw"], "p")}
    FROM emag_product_offers o JOIN emag_products p USING (account_type, emag_offer_id)
    WHERE o.account_type = :account AND o.deleted_at IS NULL ORDER BY o.emag_offer_id
"""


def expected(offer: dict[str, Any], saleable: bool) -> dict[str, Any]:
    """One offer of the sandbox as it must stand in the database."""
    return {"emag_offer_id": offer["id"], **as_stored(offer), "is_saleable": saleable}


def published(database: Database, account: str) -> list[dict[str, Any]]:
    """The account's published offers, both halves, by id."""
    with database.transaction() as tx:
        return [dict(row._mapping) for row in tx.run(_PUBLISHED, account=account)]


def assert_published_exactly(database: Database, sandbox: SandboxFace, account: str) -> None:
    """Every offer of the sandbox stands in the database field by field, and no other."""
    saleable = set(sandbox.saleable_ids(account))
    truth = _by_id(expected(offer, offer["id"] in saleable) for offer in sandbox.truth(account))
    stored = _by_id(published(database, account))
    assert stored.keys() == truth.keys()
    for offer_id, wanted in truth.items():
        assert {name: stored[offer_id][name] for name in wanted} == wanted


def _by_id(rows: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row["emag_offer_id"]: row for row in rows}
