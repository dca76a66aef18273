"""How the rows of published offers were written (emag_row_digests): the same row need not be read again.

A memory of readings, which may be lost at any time: an offer of which nothing is remembered is read in full. It is of
one state of an offer, named by its fingerprints. A publish writes it (publish.sql), in its own transaction.
"""

import hashlib
from collections.abc import Collection, Mapping
from functools import cache

from emag_pipeline.store import migrate
from emag_pipeline.store.columns import NARROW, TEXTS, hashed
from emag_pipeline.store.engine import Database

#: Not of flagged offers, nor of those that were published under earlier rules: these have to be read.
_FIND = """
    SELECT d.emag_offer_id, d.digest, d.row_hash, d.content_hash, d.noticed
    FROM emag_row_digests d
    JOIN emag_product_offers o USING (account_type, emag_offer_id)
    JOIN emag_products p USING (account_type, emag_offer_id)
    WHERE d.account_type = :account AND d.formula = :formula AND d.emag_offer_id = ANY (CAST(:ids AS bigint[]))
      AND o.deleted_at IS NULL AND o.rejected_at IS NULL
      AND o.row_hash = d.row_hash AND p.row_hash = d.content_hash
"""


@cache
def formula() -> bytes:
    """Stands for how hashes of what is published are made: of other columns, or of another schema, none is equal."""
    words = (hashed(NARROW, "o"), hashed(TEXTS, "p"), migrate.newest())
    return hashlib.blake2b("\0".join(words).encode(), digest_size=8).digest()


def find(
    database: Database, account: str, ids: Collection[int]
) -> Mapping[int, tuple[bytes, bytes, bytes, str | None]]:
    """Of these offers, those that are published as they were read: digest of the row, both fingerprints, `noticed`."""
    if not ids:
        return {}
    with database.transaction() as tx:
        found = tx.run(_FIND, account=account, formula=formula(), ids=list(ids)).all()
    return {
        row.emag_offer_id: (bytes(row.digest), bytes(row.row_hash), bytes(row.content_hash), row.noticed)
        for row in found
    }
