"""Any text of the marketplace may be of any length: it passes through COPY, publish and marts, whatever indexes it."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from emag_pipeline.admin.explain import explain
from emag_pipeline.admin.export import Selection, batches, columns
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.marketplace import normalise
from emag_pipeline.marketplace.reference_rows import Rows, category, handling_time, rows_of, vat_rate
from emag_pipeline.marts.checks import reconcile
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH
from emag_pipeline.model import Offer, Reject
from emag_pipeline.reference import tables
from emag_pipeline.report import facts_of, page
from emag_pipeline.review.checks import OF_A_PUBLISH, OF_OFFERS, OFFERS_ARE_FRESH, review
from emag_pipeline.store.engine import Database
from emag_pipeline.store.roles import exportable
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sync.syncs import rows, sync

_SHORTEST = 6_000
_SEED = random.SystemRandom().randrange(10**6)

#: Makes a text.
Text = Callable[[], str]


def _texts(seed: int) -> Text:
    """Texts that neither pglz nor lz4 makes smaller: no sign follows from those before it."""
    chance = random.Random(seed)
    alphabets = [
        [chr(code) for code in range(0x21, 0x7F)],
        [chr(code) for code in range(0x4E00, 0x9FFF)],
        [chr(code) for code in range(0x1F300, 0x1F5FF)],
    ]

    def make() -> str:
        length = chance.choices((_SHORTEST, 5 * _SHORTEST), (9, 1))[0]
        return "".join(chance.choices(chance.choice(alphabets), k=length))

    return make


@pytest.fixture(autouse=True)
def _seed() -> None:
    print(f"seed of the texts: {_SEED}")


#: Each field of an offer that holds a text somewhere, with such a value.
_FIELDS: Mapping[str, Callable[[Text], object]] = {
    "part_number_key": lambda text: text(),
    "part_number": lambda text: text(),
    "currency": lambda text: text(),
    "handling_time": lambda text: [{"warehouse_id": 1, "value": 3, text(): text()}],
    "start_date": lambda text: [text(), {text(): text()}],
    "stock": lambda text: [{"warehouse_id": 1, "value": 3, text(): text()}],
    "availability": lambda text: [{"warehouse_id": 1, "id": 3, text(): text()}],
    "name": lambda text: text(),
    "brand": lambda text: text(),
    "description": lambda text: text(),
    "url": lambda text: text(),
    "safety_information": lambda text: text(),
    "family": lambda text: {"id": 1, "name": text(), "family_type_id": 2, text(): text()},
    "ean": lambda text: [text(), text()],
    "images": lambda text: [{"display_type": 1, "url": text(), text(): text()}],
    "characteristics": lambda text: [{"id": 1, "value": text(), text(): text()}],
    "validation_status": lambda text: [{"value": 8, "description": text(), "errors": [{"message": text()}]}],
    "translation_validation_status": lambda text: [{"value": 5, "description": text(), "errors": {text(): text()}}],
    "offer_validation_status": lambda text: [{"value": 2, "description": text(), "errors": text()}],
    "doc_errors": lambda text: [{"error": text(), text(): {"message": text()}}],
    "rrp_guidelines": lambda text: text(),
    "sale_price": lambda text: text(),
    "general_stock": lambda text: text(),
    "status": lambda text: text(),
    "warranty": lambda text: text(),
    "weight": lambda text: text(),
    "offer_details": lambda text: {"supply_lead_time": text(), text(): text()},
    "manufacturer": lambda text: [{"name": text()}],
}


def _answer(offer_id: int, **changes: object) -> dict[str, object]:
    return {
        "id": offer_id,
        "status": 1,
        "sale_price": 10.5,
        "recommended_price": 12,
        "currency": "RON",
        "general_stock": 5,
        "buy_button_rank": 1,
        "best_offer_sale_price": 9,
        "offer_validation_status": {"value": 1},
        "validation_status": [{"value": 9}],
        "category_id": 1,
        "vat_id": 1,
        "name": f"Cană {offer_id}",
        **changes,
    }


def _shop(text: Text) -> tuple[list[Offer], list[Reject]]:
    """An offer for each field, one in which every field is long, and rows without an id."""
    answers = [_answer(number, **{name: make(text)}) for number, (name, make) in enumerate(_FIELDS.items(), start=1)]
    answers.append(_answer(100, **{name: make(text) for name, make in _FIELDS.items()}, **{text(): {text(): text()}}))
    answers += [_answer(101) | {"id": text()}, {text(): text()}]
    read = [normalise(answer) for answer in answers]
    return [one for one in read if isinstance(one, Offer)], [one for one in read if isinstance(one, Reject)]


@pytest.fixture(scope="module")
def published(cluster: EmbeddedServer, template: str) -> Iterator[Database]:
    """A shop of long texts, published, and published again with other ones: rows are created and updated."""
    text = _texts(_SEED)
    with copied(cluster, template, "long_texts") as url, closing(Database(url)) as database:
        note_accounts(database, [("main", "emag_ro", "RON")])
        for _ in range(2):
            offers, rejects = _shop(text)
            assert (len(offers), len(rejects)) == (len(_FIELDS) + 1, 2)
            sync(database, offers, rejects=rejects)
        yield database


#: Columns of the offers' tables whose text is ours, whatever the marketplace says.
_OURS = {"account_type", "unreadable", "change", "noticed"}
_TABLES = ("emag_scan_offers", "emag_product_offers", "emag_products", "emag_offer_states", "emag_offer_rejects")


def test_long_texts_come_to_every_column_that_can_hold_them(published: Database) -> None:
    found = rows(
        published,
        """SELECT c.relname AS table, a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
           WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY (:tables) AND a.attnum > 0
             AND a.atttypid IN ('text'::regtype, 'jsonb'::regtype, 'text[]'::regtype) AND NOT a.attisdropped""",
        tables=list(_TABLES),
    )
    looked_at = [one for one in found if one.name not in _OURS | {"reason"}]
    assert len(looked_at) > 40
    for one in looked_at:
        ((longest,),) = rows(published, f"SELECT max(length(CAST({one.name} AS text))) FROM {one.table}")
        assert longest >= _SHORTEST, f"{one.table}.{one.name}"


def test_what_is_computed_from_them_is_computed(published: Database) -> None:
    for mart in OF_NEWEST_PUBLISH:
        assert refresh(published, mart, "main", language="ro").published_at
        reconciled = reconcile(published, mart, "main")
        assert reconciled is not None
        assert reconciled.found == 0, reconciled.sample
    assert refresh(published, DAILY_ASSORTMENT, "main", datetime.now(UTC).date()).rows == 1
    for check in (*OF_A_PUBLISH, *OF_OFFERS):
        if check is not OFFERS_ARE_FRESH and check.name != "answers_are_as_known":
            review(published, check.name, "main", currency="RON", price_move=0.5)


def test_what_is_told_of_them_is_told(published: Database) -> None:
    assert "<html" in page(facts_of(published, "main"))
    assert explain(published, "main", 100, "ro").conditions
    for table in exportable():
        selection = Selection(table)
        for batch in batches(published, selection, columns(published, selection)):
            assert batch


def test_an_offer_is_found_by_its_part_number_key_through_the_index(published: Database) -> None:
    ((key,),) = rows(published, "SELECT part_number_key FROM emag_product_offers WHERE emag_offer_id = 100")
    with published.transaction() as tx:
        tx.run("SELECT set_config('enable_seqscan', 'off', true)")
        sql = "SELECT emag_offer_id FROM emag_product_offers WHERE part_number_key = :key"
        assert list(tx.run(sql, key=key).scalars()) == [100]
        plan = "\n".join(tx.run(f"EXPLAIN (COSTS OFF) {sql}", key=key).scalars())
    assert "emag_product_offers_by_part_number_key" in plan


@pytest.mark.parametrize(
    ("resource", "understand", "make"),
    [
        (tables.CATEGORIES, category, lambda text: {"id": 1, "name": text(), text(): text()}),
        (tables.VAT_RATES, vat_rate, lambda text: {"id": 1, "rate": 0.21, text(): text()}),
        (tables.HANDLING_TIMES, handling_time, lambda text: {"value": 1, "name": text(), text(): text()}),
    ],
)
def test_reference_data_may_be_long_too(
    database: Database, resource: tables.Resource, understand: Any, make: Any
) -> None:
    text = _texts(_SEED)
    for _ in range(2):
        read: Rows[Any] = rows_of([make(text)], understand)
        values = {
            "category_id": read.readable[0].key,
            "vat_id": read.readable[0].key,
            "days": read.readable[0].key,
            "name": getattr(read.readable[0], "name", None),
            "names": {"ro": getattr(read.readable[0], "name", None)},
            "rate": getattr(read.readable[0], "rate", None),
            "raw": read.readable[0].raw,
        }
        row = {name: values.get(name) for name in resource.columns}
        merged = tables.merge(database, resource, "emag_ro", [row], account="main", is_whole=True)
        assert merged.created + merged.updated == 1


#: What stands in an index whose entries have a bound, and why it is short.
_SHORT = {
    "account_type": "a name of the settings",
    "marketplace": "a name of the settings",
    "check_name": "a name of the code",
    "resource": "a name of the code",
    "kind": "a name of the code",
    "mart": "a name of the code",
    "sensor": "a name of the code",
    "emag_check_results.part": "a day",
    "login": "a fingerprint of a login",
    "emag_counters.name": "a counter's name",
    "labels": "a counter's labels: accounts, resources and error classes",
    "subject": "an account, or a job of an account",
    "issue_code": "a word and a smallint",
    "dagster_run_id": "a UUID",
    "version_num": "a version of the schema",
    "row_hash": "16 bytes",
    "field": "cut to 100 characters by the client",
    "emag_ean_keys": "each cut to 100 characters by the function",
}


def test_no_other_text_stands_in_an_index_whose_entries_have_a_bound(database: Database) -> None:
    """A b-tree's entry has at most 2,704 bytes, a GIN's about as many; a hash index holds four bytes of anything."""
    found = rows(
        database,
        """SELECT i.indexrelid::regclass::text AS index, coalesce(t.attname, a.attname) AS name, c.relname AS table
           FROM pg_index i
           JOIN pg_class c ON c.oid = i.indrelid
           JOIN pg_attribute a ON a.attrelid = i.indexrelid
           JOIN pg_type k ON k.oid = a.atttypid
           LEFT JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attnum = i.indkey[a.attnum - 1] AND t.attnum > 0
           WHERE c.relnamespace = current_schema()::regnamespace AND k.typlen = -1""",
    )
    assert len(found) > 30
    unbounded = [one for one in found if not {one.name, f"{one.table}.{one.name}"} & _SHORT.keys()]
    assert [(one.index, one.name) for one in unbounded] == []


def test_an_offer_is_found_by_its_ean_and_part_number_of_any_length(published: Database) -> None:
    long = rows(published, "SELECT * FROM emag_current_offers WHERE length(ean[1]) > 1000")
    assert long
    for one in long:
        for ean in one.ean:
            found = rows(published, "SELECT emag_offer_id FROM emag_offers_by_ean(:ean)", ean=ean)
            assert [row.emag_offer_id for row in found] == [one.emag_offer_id]
            assert rows(published, "SELECT 1 FROM emag_offers_by_ean(:ean)", ean=f"{ean}x") == []
    by_number = "SELECT emag_offer_id FROM emag_current_offers WHERE part_number = :number"
    assert any(rows(published, by_number, number=one.part_number) for one in long if one.part_number)


def test_the_field_of_a_surprise_is_short_in_the_database_too(published: Database) -> None:
    ((longest,),) = rows(published, "SELECT max(length(field)) FROM emag_answer_surprises")
    assert longest <= 100
