"""A small shop with a past, to which every question of docs/queries.md has an answer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH
from emag_pipeline.model import Offer, Reject
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync

_LONG, _A_DAY = timedelta(days=6), timedelta(days=1)
#: What the audit says of an account whose fields cannot be read.
REFUSED = "2 of 3 rows could not be read: sale_price cannot be read (2, e.g. offer 70 on page 1)"
_REJECT = Reject(6, "sale_price is 'x', not a number", "{}")


def open_shop(database: Database) -> None:
    """Two accounts with nine days of history, reference data, and the marts of it."""
    _run(database, _REFERENCE)
    sync(
        database, [_offer(70, sale_price=Decimal("85.0000"), part_number_key="DSHARED1M", brand="Șoim")], account="fbe"
    )
    sync(database, [_offer(1), _offer(2, general_stock=3), _blocked(), _offer(4), _melting(50), _shared()])
    let_pass(database, _LONG)
    dearer, sold_out = _offer(1, sale_price=Decimal("130.0000")), _offer(2, general_stock=0, is_saleable=False)
    sync(database, [dearer, sold_out, _blocked(), _offer(4), _melting(20), _shared()])
    let_pass(database, _A_DAY)
    strange = _offer(5, category_id=9999, vat_id=77)
    sync(database, [dearer, sold_out, _blocked(), strange, _melting(5), _shared()], gone=[4])
    let_pass(database, 2 * _A_DAY)
    beaten = _offer(1, sale_price=Decimal("130.0000"), buy_button_rank=2, best_offer_sale_price=Decimal("120.0000"))
    sync(database, [beaten, sold_out, _blocked(), strange, _shared()], rejects=[_REJECT])
    for mart in OF_NEWEST_PUBLISH:
        refresh(database, mart, "main")
    refresh(database, DAILY_ASSORTMENT, "main", datetime.now(UTC).date() - 3 * _A_DAY)
    _run(database, _RATES + _DECISIONS)


def _offer(offer_id: int, **values: Any) -> Offer:
    usual: dict[str, Any] = {
        "sale_price": Decimal("100.0000"),
        "currency": "RON",
        "brand": "Zăpada",
        "category_id": 2101,
        "vat_id": 1,
        "buy_button_rank": 1,
        "offer_validation_status": 1,
    }
    return offer(offer_id, **(usual | values))


def _blocked() -> Offer:
    return _offer(3, sale_price=Decimal("50.0000"), general_stock=10, validation_status=(8,), is_saleable=False)


def _shared() -> Offer:
    return _offer(7, sale_price=Decimal("80.0000"), part_number_key="DSHARED1M", brand="Șoim")


def _melting(stock: int) -> Offer:
    return _offer(6, general_stock=stock)


def _run(database: Database, statements: tuple[str, ...]) -> None:
    with database.transaction() as tx:
        for statement in statements:
            tx.run(statement)


_REFERENCE = (
    "INSERT INTO emag_accounts VALUES ('main', 'sandbox', 'RON'), ('fbe', 'sandbox', 'RON')",
    """INSERT INTO emag_vat_rates (marketplace, vat_id, rate, raw, changed_at)
       VALUES ('sandbox', 1, 0.21, '{}', now())""",
    """INSERT INTO emag_categories (marketplace, category_id, name, raw, changed_at)
       VALUES ('sandbox', 2101, 'Fierbătoare', '{}', now())""",
)
_RATES = (
    """INSERT INTO emag_vat_rate_history
       VALUES ('sandbox', 1, 0.19, now() - interval '30 days', now() - interval '1 hour'),
              ('sandbox', 1, 0.21, now() - interval '1 hour', NULL)""",
)
_DECISIONS = (
    f"""INSERT INTO emag_check_results
            (subject, check_name, part, asset, severity, passed, said, remedy, sample, checked_at, failing_since)
        VALUES ('fbe', 'rejects_within_tolerance', '', 'staged_offers', 'ERROR', false, '{REFUSED}',
                'Look at `emag-pipeline rejects`', '[]', now(), now())""",
    """INSERT INTO emag_incidents (subject, kind, message, remedy)
       VALUES ('fbe', 'stale', 'fbe: the last publish is 9 days old', 'Look at `emag-pipeline status`')""",
    """INSERT INTO emag_accepted_deviations
           (account_type, check_name, emag_offer_id, reason, accepted_by, expires_at)
       VALUES ('main', 'prices_are_plausible', 1, 'The supplier raised it', 'ana', now() + interval '5 days'),
              ('main', 'prices_are_plausible', 7, 'A mistake', 'ana', now() + interval '1 minute')""",
    "UPDATE emag_accepted_deviations SET withdrawn_at = now() WHERE emag_offer_id = 7",
)
