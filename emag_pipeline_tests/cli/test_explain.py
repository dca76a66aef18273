import json
from decimal import Decimal
from pathlib import Path

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.wording import iso
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import sync

_VERDICTS = """{"validation_status": [{"value": 8, "description": "Documentation rejected", "errors": {
    "doc_id": "1401fcf0", "errors": [{"code": "description:short", "extraInfo": "cel puțin 50 de cuvinte",
        "message": {"ro_RO": "Descrierea este prea scurtă.", "en_GB": "The description is too short."}}]}}]}"""


def _lines(tmp_path: Path, database_url: str, **variables: str) -> list[str]:
    done = emag_pipeline(tmp_path, "explain", "main", "1", DATABASE_SYNC_URL=database_url, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_it_says_what_holds_what_does_not_since_when_and_what_to_do(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    past = Past(database)
    past.publish(good(1))
    past.wait(days=3)
    past.publish(good(1, general_stock=4, validation_status=(8,), validation_details=_VERDICTS))
    past.wait(hours=7)
    first, then = (f"{at:%Y-%m-%d %H:%M} UTC" for at, _ in past.publishes)
    assert _lines(tmp_path, database_url) == [
        "main, offer 1: Cafea măcinată 1",
        f"It cannot be bought, since {then} (7 hours).",
        f"✓ in stock 4 since {then} (7 hours); it holds at least since {first} (3 days)",
        f"✓ active active at least since {first} (3 days)",
        f"✓ priced 10.5000 RON at least since {first} (3 days)",
        f"✓ price accepted 1 at least since {first} (3 days)",
        f"✗ product accepted 8 since {then} (7 hours)",
        "The product was refused for its documentation. Correct what the marketplace names and send it again.",
        "The marketplace says: Descrierea este prea scurtă (cel puțin 50 de cuvinte)",
        f"✓ translation accepted none at least since {first} (3 days)",
        f"✓ fields readable yes at least since {first} (3 days)",
        "As published 7 hours ago, which is stale: `emag-pipeline status` says why.",
    ]


def test_what_the_first_publish_showed_has_stood_at_least_since_then(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    past = Past(database)
    past.publish(good(1, general_stock=0))
    past.wait(days=3)
    past.publish(good(1, general_stock=0, sale_price=Decimal(9)))
    first, then = (f"{at:%Y-%m-%d %H:%M} UTC" for at, _ in past.publishes)
    told = _lines(tmp_path, database_url)
    assert told[1] == f"It cannot be bought, at least since {first} (3 days), the account's first publish."
    assert f"✗ in stock 0 at least since {first} (3 days)" in told
    (priced,) = [line for line in told if line.startswith(f"✓ priced 9.0000 RON since {then} (")]
    assert priced.endswith(f"; it holds at least since {first} (3 days)")


def test_a_total_stock_that_is_not_told_is_no_unreadable_one(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [good(1, general_stock=None), good(2, general_stock=None, raw='{"general_stock": ["N/A"]}')])
    lines = _lines(tmp_path, database_url)
    assert [line for line in lines if line.startswith("✗ in stock not known at least since ")]
    assert (
        "The marketplace reports no total stock. Send the stock again once there is some; "
        "if the marketplace shows a stock but still no total, ask its support." in lines
    )
    done = emag_pipeline(tmp_path, "explain", "main", "2", DATABASE_SYNC_URL=database_url)
    assert "The marketplace reports a total stock that is not a number. Send the stock as a number" in done.stdout
    done = emag_pipeline(tmp_path, "history", "main", "2", DATABASE_SYNC_URL=database_url)
    assert "The marketplace reports a total stock that is not a number" in done.stdout


def test_it_says_when_the_copy_is_not_what_the_marketplace_shows(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    bad = Reject(1, "the price is not a number", "{}")
    sync(database, [good(1), good(2)])
    sync(database, [good(2)], rejects=[bad])
    *_, current, quarantined = _lines(tmp_path, database_url)
    assert current.startswith("As published ")
    assert quarantined.startswith("Its newest row has been in quarantine since ")
    assert quarantined.endswith(
        " (the price is not a number): this is its last good state, and the marketplace may show another."
    )
    sync(database, [good(2)], gone=[1])
    assert _lines(tmp_path, database_url)[1].startswith("It has been deleted since ")


def test_the_marketplace_is_quoted_in_the_language_that_is_set(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [good(1, validation_status=(8,), validation_details=_VERDICTS)])
    said = "The marketplace says: The description is too short (cel puțin 50 de cuvinte)"
    assert said in _lines(tmp_path, database_url, EMAG_LANGUAGE="en")
    done = emag_pipeline(tmp_path, "explain", "main", "1", "--json", DATABASE_SYNC_URL=database_url, EMAG_LANGUAGE="hu")
    told = {one["name"]: one["said"] for one in json.loads(done.stdout)["conditions"]}
    assert told["product accepted"] == [said.removeprefix("The marketplace says: ")]


def test_json_has_it_all_for_programs(database: Database, database_url: str, tmp_path: Path) -> None:
    at = iso(sync(database, [good(1, general_stock=0)]).published_at)
    done = emag_pipeline(tmp_path, "explain", "main", "1", "--json", DATABASE_SYNC_URL=database_url)
    told = json.loads(done.stdout)
    stock, *others = told.pop("conditions")
    assert told.pop("oldest_page_at") <= at, "in ISO 8601, of one length"
    assert told == {
        "account": "main", "emag_offer_id": 1, "name": "Cafea măcinată 1", "can_be_bought": False, "since": at,
        "deleted_at": None, "rejected_at": None, "reject_reason": None, "known_since": at,
        "last_publish_at": at, "is_stale": False,
    }  # fmt: skip
    assert stock == {
        "name": "in stock", "value": "0", "value_since": at, "holds": False, "since": at, "said": [],
        "reasons": [
            {
                "code": "out_of_stock", "reason": "There is no stock",
                "remedy": "Deliver stock, or correct the stock that is reported", "since": at,
            }
        ],
    }  # fmt: skip
    assert [(one["name"], one["holds"]) for one in others] == [
        ("active", True), ("priced", True), ("price accepted", True), ("product accepted", True),
        ("translation accepted", True), ("fields readable", True),
    ]  # fmt: skip
