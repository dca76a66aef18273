"""What is published, against what the sandbox truly holds."""

from typing import Any

from emag_pipeline.drills.judgement import as_stored, compare
from emag_pipeline.sandbox.client import SandboxFace
from emag_pipeline.store.columns import WIDE, listed
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.published import published_offers

_PUBLISHED = f"""
    SELECT o.*, {listed([column for column in WIDE if column != "raw"], "p")}
    FROM emag_product_offers o JOIN emag_products p USING (account_type, emag_offer_id)
    WHERE o.account_type = :account AND o.deleted_at IS NULL ORDER BY o.emag_offer_id
"""


def assert_published_exactly(database: Database, sandbox: SandboxFace, account: str) -> None:
    """Every offer of the sandbox is published, equal in each column, and no other: the comparison that drills use."""
    found = compare(published_offers(database, account), sandbox, account)
    assert found.is_exact, found


def expected(offer: dict[str, Any], saleable: bool) -> dict[str, Any]:
    """One offer of the sandbox as it must be in the database, for comparisons with a moment that is over."""
    return {"emag_offer_id": offer["id"], **as_stored(offer), "is_saleable": saleable}


def published(database: Database, account: str) -> list[dict[str, Any]]:
    """The account's published offers with all columns of both tables, by id.

    By SQL of the tests' own: the randomised judge shares no reader with the pipeline.
    """
    with database.transaction() as tx:
        return [dict(row._mapping) for row in tx.run(_PUBLISHED, account=account)]
