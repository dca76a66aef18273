"""An account with ten days behind it, in which something of everything that a report tells has happened."""

import json
import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH
from emag_pipeline.model import Offer, Reject
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import rows, sync

DAYS = 10
#: What a name may hold, and must never do.
HOSTILE = "<script>alert('x')</script> & ]]> \"quoted\" $math$ 漢字 \u202e\u0007 ăîșț"

_REJECT = Reject(2, "sale_price is '<b>free</b>', not a number", "{}")
_NAMES = ("Fierbător de apă", "Set 6 pahare", "Lanternă LED", "Covor de baie", "Căști fără fir", "Ghiozdan școlar")
#: What the marketplace says of a refused offer, once in each of two languages.
REASON = "Descrierea trebuie să conțină cel puțin cincizeci de cuvinte despre produs, fără adrese, prețuri și promoții"
_REFUSED = json.dumps(
    {
        "validation_status": [
            {
                "value": 8,
                "description": "Documentation rejected",
                "errors": {
                    "errors": [{"code": "description:short", "message": {"ro_RO": REASON, "en_GB": "Short"}}] * 2
                },
            }
        ]
    }
)
_STATES: tuple[dict[str, Any], ...] = (
    {"validation_status": (8,), "validation_details": _REFUSED},
    {"offer_validation_status": 2},
    {"status": 0},
    {"validation_status": (6,)},
    {"translation_validation_status": (13,)},
)


def open_shop(database: Database, offers: int = 60) -> None:
    """Publish `main` day by day and fill its marts for all of them; the last publish is of today."""
    chance = random.Random(7)
    note_accounts(database, [("main", "emag_ro", "RON"), ("fbe", "emag_ro", "RON")])
    _vat(database)
    stocks = [chance.randint(1, 60) for _ in range(offers)]
    prices = [chance.randint(500, 90000) for _ in range(offers)]
    for day in range(DAYS):
        shown = [_offer(number, stocks[number], prices[number], chance) for number in range(offers - DAYS + day)]
        if day < DAYS - 1:
            sync(database, shown)
            let_pass(database, timedelta(days=1))
        else:
            sync(database, [one for one in shown if one.emag_offer_id != 2], rejects=[_REJECT])
        for number in range(offers):
            stocks[number] = max(0, stocks[number] - chance.randint(0, 3))
            prices[number] += chance.choice((0, 0, 0, 0, 0, 250, -200))
    _calls(database)
    trouble = IncidentFinding(
        "main", "failing", f"the price feed of {HOSTILE} is late", "Ask the supplier", "ApiUnavailable"
    )
    incidents.note(database, trouble)
    fill_marts(database)


def fill_marts(database: Database, account: str = "main") -> None:
    """All marts of an account, and each of its days."""
    for mart in OF_NEWEST_PUBLISH:
        refresh(database, mart, account, language="ro")
    days = rows(
        database,
        """SELECT DISTINCT (completed_at AT TIME ZONE 'UTC')::date AS day FROM emag_offer_syncs
           WHERE account_type = :account AND status = 'completed' ORDER BY 1""",
        account=account,
    )
    for row in days:
        refresh(database, DAILY_ASSORTMENT, account, row.day)


def _offer(number: int, stock: int, price: int, chance: random.Random) -> Offer:
    state: dict[str, Any] = _STATES[number % 5] if number % 4 == 3 else {}
    best = price - chance.choice((0, 0, 300, 1200))
    values: dict[str, Any] = {
        "name": HOSTILE if number == 3 else f"{_NAMES[number % len(_NAMES)]} {number}",
        "general_stock": stock,
        "sale_price": Decimal(price) / 100,
        "best_offer_sale_price": Decimal(best) / 100,
        "buy_button_rank": None if number % 9 == 8 else 1 if best == price else 2,
        "number_of_offers": 1 + number % 5,
        "currency": "RON",
        "vat_id": 1,
        "offer_validation_status": 1,
        "is_saleable": not state and stock > 0,
    }
    return offer(number, **(values | state))


def _vat(database: Database) -> None:
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_vat_rates (marketplace, vat_id, rate, raw, changed_at)
               VALUES ('emag_ro', 1, 0.21, '{}', now())"""
        )


def _calls(database: Database) -> None:
    """The newest sync lasted half a minute: two readings of 20 pages, a pause after two 429, one failure."""
    with database.transaction() as tx:
        newest = tx.run(
            """UPDATE emag_offer_syncs
               SET started_at = completed_at - interval '40 seconds', pages_expected = 20
               WHERE started_at = (SELECT max(started_at) FROM emag_offer_syncs)
               RETURNING sync_id, started_at"""
        ).one()
        tx.run("DELETE FROM emag_scan_pages")
        tx.run(
            """UPDATE emag_offer_syncs
               SET proof = proof || jsonb_build_object('count_after', proof -> 'count_before')"""
        )
        for reading, begins in ((1, 1.0), (2, 24.0)):
            for page in range(1, 21):
                pause = 12.0 if reading == 1 and page > 8 else 0.0
                note_call(tx, newest.started_at + timedelta(seconds=begins + pause + page / 3), page=page)
                tx.run(
                    """INSERT INTO emag_scan_pages
                           (account_type, sync_id, number, reading, page, size, position, ids, offers, rejects,
                            content_hash, fetched_at)
                       VALUES ('main', :sync, :reading * 100 + :page, :reading, :page, 100, (:page - 1) * 100,
                               ARRAY(SELECT generate_series(1, 100)), 100, 0, '\\x00', :at)""",
                    sync=newest.sync_id,
                    reading=reading,
                    page=page,
                    at=newest.started_at + timedelta(seconds=begins + pause + page / 3 + 0.1),
                )
        for seconds, status in ((3.8, 429), (3.9, 429), (26.0, 503)):
            note_call(tx, newest.started_at + timedelta(seconds=seconds), status=status)


def note_call(tx: Any, sent_at: Any, *, status: int = 200, page: int | None = None, account: str = "main") -> None:
    """One row of the request log, a tenth of a second long."""
    tx.run(
        """INSERT INTO emag_requests
               (sent_at, account_type, resource, page, status, outcome, seconds, bytes, error_class)
           VALUES (:sent_at, :account, 'product_offer/read', :page, :status, :outcome, 0.1, 1000, :error)""",
        sent_at=sent_at,
        account=account,
        page=page,
        status=status,
        outcome="ok" if status == 200 else "error",
        error=None if status == 200 else "RateLimited" if status == 429 else "ApiUnavailable",
    )
