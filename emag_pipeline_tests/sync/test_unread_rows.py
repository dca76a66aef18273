"""Rows that are written as they were published are not read again, and everything else is as if they were."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import emag_pipeline
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import StagingLost
from emag_pipeline.review.checks import review
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import remembered
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.promises.watching import versions
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.published import published_once
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import execute, rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

_OFFERS = 230
#: What the hash of a record takes for nothing, and a picture whose kind has a sign to turn around.
_EDITED = {
    "commission": None,
    "min_sale_price": 0,
    "brand": None,
    "ean": ["5941234567899"],
    "images": [{"url": "https://marketplace-static.emag.ro/a.jpg", "display_type": 1}],
}
_PUBLISHED = ("emag_product_offers", "emag_products", "emag_offer_states")


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": _OFFERS}) as server:
        yield server


@pytest.fixture(scope="module")
def published_template(cluster: EmbeddedServer, template: str) -> Iterator[str]:
    with published_once(cluster, template, "template_unread_rows", {"main": _OFFERS}) as name:
        yield name


def _staged(database: Database) -> tuple[int, int]:
    """Offers that were read in the newest scan, and that were not, since they were unchanged."""
    (found,) = rows(
        database,
        """SELECT count(*) FILTER (WHERE NOT is_unchanged) AS read, count(*) FILTER (WHERE is_unchanged) AS unchanged
           FROM emag_scan_offers""",
    )
    return found.read, found.unchanged


def _differs(database: Database) -> set[int]:
    found = review(database, "published_equals_scan", "main", currency="RON", price_move=0.5)
    assert found.found == len(found.sample)
    return {row["emag_offer_id"] for row in found.sample}


@pytest.mark.usefixtures("already_published")
def test_an_unchanged_catalogue_is_not_read_and_a_changed_offer_is(database: Database, market: SandboxServer) -> None:
    assert _staged(database) == (_OFFERS, 0)
    before = versions(database, *_PUBLISHED)
    assert refresh(context_for(database, market.url)).published.unchanged == _OFFERS
    assert _staged(database) == (0, _OFFERS)
    assert versions(database, *_PUBLISHED) == before
    market.advance(changes=15, kind="price", account="main")
    assert refresh(context_for(database, market.url)).published.updated == 15
    assert _staged(database) == (15, _OFFERS - 15)
    assert_published_exactly(database, market, "main")
    refresh(context_for(database, market.url))
    assert _staged(database) == (0, _OFFERS)


@pytest.mark.usefixtures("already_published")
def test_what_is_written_in_other_words_is_read_and_known_from_then_on(
    database: Database, market: SandboxServer
) -> None:
    market.settings(quirk_share=1)
    assert refresh(context_for(database, market.url)).published.unchanged == _OFFERS
    read, unchanged = _staged(database)
    assert read > 0.8 * _OFFERS, "the words are the same"
    assert _differs(database) == set()
    assert_published_exactly(database, market, "main")
    refresh(context_for(database, market.url))
    assert _staged(database)[1] > unchanged + 0.5 * _OFFERS, "the other words are not remembered"


def _empty(database: Database) -> None:
    execute(database, "TRUNCATE emag_row_digests")


#: Each is done to offers of its own.
_FORGOTTEN = {
    "empty": "DELETE FROM emag_row_digests",
    "as of another state": "UPDATE emag_row_digests SET row_hash = 'x'",
    "as of other content": "UPDATE emag_row_digests SET content_hash = 'x'",
    "of earlier rules": "UPDATE emag_product_offers SET row_hash = ''",
    "flagged": "UPDATE emag_product_offers SET rejected_at = now()",
    "deleted": "UPDATE emag_product_offers SET deleted_at = now()",
}


@pytest.mark.usefixtures("already_published")
def test_what_is_not_published_as_it_is_remembered_is_read(database: Database, market: SandboxServer) -> None:
    offers = market.ids("main")
    forgotten = {why: set(offers[place * 30 : (place + 1) * 30]) for place, why in enumerate(_FORGOTTEN)}
    for why, change in _FORGOTTEN.items():
        execute(database, f"{change} WHERE emag_offer_id = ANY (:ids)", ids=list(forgotten[why]))
    refresh(context_for(database, market.url))
    read = {row.emag_offer_id for row in rows(database, "SELECT * FROM emag_scan_offers WHERE NOT is_unchanged")}
    assert [why for why, ids in forgotten.items() if not ids <= read] == []
    assert read == set().union(*forgotten.values()), "the others are remembered"
    assert _differs(database) == set()
    assert_published_exactly(database, market, "main")
    refresh(context_for(database, market.url))
    assert _staged(database) == (0, _OFFERS), "it is remembered again"


@pytest.mark.usefixtures("already_published")
def test_where_nothing_is_remembered_everything_is_read(database: Database, market: SandboxServer) -> None:
    _empty(database)
    refresh(context_for(database, market.url))
    assert _staged(database) == (_OFFERS, 0)
    assert _differs(database) == set()


@pytest.mark.usefixtures("already_published")
def test_an_offer_that_returns_to_an_earlier_state_is_published_in_that_state(
    database: Database, market: SandboxServer
) -> None:
    (offer, *_) = market.ids("main")
    price = 77
    for value in (price + 1, price, price + 1):
        market.edit("main", offer, sale_price=value)
        assert refresh(context_for(database, market.url)).published.updated == 1
        assert_published_exactly(database, market, "main")


def test_what_nobody_knows_is_counted_at_each_scan_though_it_is_not_read(
    database: Database, market: SandboxServer
) -> None:
    for offer in market.ids("main"):
        market.edit("main", offer, brand_new_field="…")
    times = []
    for read in (_OFFERS, 0, _OFFERS, 0):
        refresh(replace(context_for(database, market.url), anew=read > 0))
        assert _staged(database) == (read, _OFFERS - read)
        (noticed,) = rows(database, "SELECT times, sample FROM emag_answer_surprises WHERE field = 'brand_new_field'")
        times.append(noticed.times)
        assert noticed.sample == "…"
    assert times[0] >= _OFFERS
    unread, anew, again = (later - one for one, later in pairwise(times))
    assert unread == anew == again >= _OFFERS
    assert_published_exactly(database, market, "main")


def test_the_planner_knows_what_is_remembered(database: Database, market: SandboxServer) -> None:
    known = "SELECT reltuples AS rows FROM pg_class WHERE oid = 'emag_row_digests'::regclass"
    refresh(context_for(database, market.url))
    assert rows(database, known)[0].rows == _OFFERS
    _empty(database)
    assert refresh(context_for(database, market.url)).published.unchanged == _OFFERS
    assert rows(database, known)[0].rows == _OFFERS


@pytest.mark.usefixtures("already_published")
def test_of_hashes_that_are_made_otherwise_nothing_is_remembered(
    database: Database, market: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(context_for(database, market.url))
    monkeypatch.setattr(remembered, "digest_formula", lambda: b"another")
    assert _differs(database) == set()
    for read in (_OFFERS, 0):
        refresh(context_for(database, market.url))
        assert _staged(database) == (read, _OFFERS - read)
        assert _differs(database) == set()


@pytest.mark.usefixtures("already_published")
def test_where_it_cannot_be_asked_what_is_remembered_rows_are_read_and_each_call_is_noted(
    database: Database, market: SandboxServer
) -> None:
    execute(database, "DELETE FROM emag_requests; REVOKE ALL ON emag_row_digests FROM PUBLIC")
    execute(database, "ALTER TABLE emag_row_digests RENAME COLUMN digest TO away")
    market.reset_stats()
    stage_account(context_for(database, market.url))
    assert _staged(database) == (_OFFERS, 0)
    (noted,) = rows(database, "SELECT count(*) AS calls FROM emag_requests")
    assert noted.calls == len(market.requests("main")) > 5


_REPLACED = """
import sys
from pathlib import Path
from emag_pipeline.marketplace import fields
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.published import published_once
from emag_pipeline_tests.sync.refresh import context_for, refresh
url, market, is_replaced = sys.argv[1:]
if is_replaced == "True":
    file = Path(fields.__file__)
    text = file.read_text()
    new = text.replace("return value or None", "return (value or '').upper() or None", 1)
    assert new != text
    file.write_text(new)
database = Database(url)
refresh(context_for(database, market))
database.close()
"""


def test_files_that_are_replaced_under_a_living_process_are_not_the_rules_by_which_it_reads(
    database: Database, database_url: str, market: SandboxServer, tmp_path: Path
) -> None:
    root = Path(emag_pipeline.__file__).parents[1]
    for name in ("emag_pipeline", "emag_pipeline_tests"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for is_replaced in (True, False):
        subprocess.run(
            [sys.executable, "-c", _REPLACED, database_url, market.url, str(is_replaced)],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            check=True,
        )
    assert _staged(database) == (_OFFERS, 0)
    assert rows(database, "SELECT name FROM emag_products WHERE name <> upper(name)") == []


@pytest.mark.usefixtures("already_published")
def test_a_scan_anew_reads_everything(database: Database, market: SandboxServer) -> None:
    refresh(replace(context_for(database, market.url), anew=True))
    assert _staged(database) == (_OFFERS, 0)


def test_a_scan_anew_remembers_what_it_has_read(database: Database, market: SandboxServer) -> None:
    refresh(replace(context_for(database, market.url), anew=True))
    refresh(context_for(database, market.url))
    assert _staged(database) == (0, _OFFERS)


#: What somebody writes, each into an offer of its own, and what of the offer is then found to differ.
_WRITTEN = {
    "emag_product_offers SET sale_price = sale_price + 1": "prices",
    "emag_product_offers SET sale_price = -sale_price": "prices",
    "emag_product_offers SET part_number = 'x'": "prices",
    "emag_product_offers SET commission = 0": "prices",
    "emag_product_offers SET min_sale_price = NULL": "prices",
    "emag_product_offers SET general_stock = 4294967296 + (general_stock # 1)": "prices",
    "emag_products SET name = 'hacked'": "texts",
    "emag_products SET brand = ''": "texts",
    "emag_products SET images = NULL": "texts",
    "emag_products SET images = replace(images::text, 'display_type\": ', 'display_type\": -')::jsonb": "texts",
    "emag_products SET ean = ARRAY[ean]": "texts",
}


@pytest.mark.parametrize("is_read", [False, True])
def test_what_somebody_else_writes_is_found_whether_offers_are_read_or_not(
    database: Database, market: SandboxServer, is_read: bool
) -> None:
    changed = dict(zip(market.ids("main"), _WRITTEN, strict=False))
    for offer in changed:
        market.edit("main", offer, **_EDITED)
    refresh(context_for(database, market.url))
    for offer, change in changed.items():
        execute(database, f"UPDATE {change} WHERE emag_offer_id = :id", id=offer)
    if is_read:
        _empty(database)
    refresh(context_for(database, market.url))
    assert _staged(database)[int(is_read)] == 0
    assert _differs(database) == set(changed)
    found = review(database, "published_equals_scan", "main", currency="RON", price_move=0.5)
    for row in found.sample:
        change = changed[row["emag_offer_id"]]
        assert row["what"].startswith(f"its {_WRITTEN[change]}"), change


@pytest.mark.usefixtures("already_published")
def test_where_somebody_else_changes_offers_between_scan_and_publish_nothing_is_published_and_the_next_run_reads_them(
    database: Database, market: SandboxServer
) -> None:
    (offer, *_) = market.ids("main")
    for change in (
        "UPDATE emag_product_offers SET row_hash = 'x' WHERE emag_offer_id = :id",
        "UPDATE emag_products SET row_hash = 'x' WHERE emag_offer_id = :id",
        "DELETE FROM emag_product_offers WHERE emag_offer_id = :id; "
        "DELETE FROM emag_products WHERE emag_offer_id = :id",
        "UPDATE emag_product_offers SET deleted_at = now() WHERE emag_offer_id = :id",
        "UPDATE emag_product_offers SET rejected_at = now() WHERE emag_offer_id = :id",
    ):
        context = context_for(database, market.url)
        stage_account(context)
        assert audit_scan(context).accepted
        assert _staged(database) == (0, _OFFERS), change
        execute(database, change, id=offer)
        before = versions(database, *_PUBLISHED)
        with pytest.raises(StagingLost, match="1 offer changed since their page was read"):
            publish_scan(context)
        assert versions(database, *_PUBLISHED) == before, change
        refresh(context_for(database, market.url))
        assert _staged(database)[0] >= 1, change
        assert_published_exactly(database, market, "main")
        assert _differs(database) == set()
