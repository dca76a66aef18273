"""A mart is an entry of the registry and an SQL file: of both alone come its asset, check, refresh and metadata."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.marts import refresh as refreshing
from emag_pipeline.marts.checks import due
from emag_pipeline.marts.dagster import mart_asset, mart_check
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import OF_NEWEST_PUBLISH, Mart
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import check_results
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import execute, rows

#: What its migration would do.
_TABLE = """
    CREATE TABLE emag_dear_offers (
        account_type text NOT NULL, emag_offer_id bigint NOT NULL, sale_price numeric(19,4),
        PRIMARY KEY (account_type, emag_offer_id)
    );
    COMMENT ON TABLE emag_dear_offers IS 'Offers that are dear.';
    COMMENT ON COLUMN emag_dear_offers.sale_price IS 'Its price, without VAT.';
"""
_SQL = """
-- name: touched
SELECT emag_offer_id FROM emag_offer_states WHERE account_type = :account AND stamp_from > :shown_at

-- name: fresh
SELECT o.account_type, o.emag_offer_id, o.sale_price FROM emag_product_offers o
WHERE o.account_type = :account AND o.deleted_at IS NULL AND o.sale_price >= :least AND {o_of_touched};

-- name: differences
SELECT emag_offer_id, o.sale_price AS of_offer, d.sale_price AS listed
FROM (SELECT * FROM existing WHERE sale_price >= :least) o
FULL JOIN (SELECT * FROM emag_dear_offers WHERE account_type = :account) d USING (emag_offer_id)
WHERE o.sale_price IS DISTINCT FROM d.sale_price;

-- name: totals
SELECT (SELECT count(*) FROM existing) AS existing_offers;

-- name: numbers
SELECT count(*) AS dear, max(sale_price) AS dearest FROM emag_dear_offers WHERE account_type = :account;

-- name: sample
SELECT emag_offer_id, sale_price FROM emag_dear_offers WHERE account_type = :account
ORDER BY sale_price DESC LIMIT :limit;
"""

pytestmark = pytest.mark.filterwarnings("ignore:Specifying a partitions_def:dagster.PreviewWarning")

Materialize = Callable[[], dg.ExecuteInProcessResult]


@pytest.fixture
def mart(tmp_path: Path) -> Mart:
    """The entry and the file."""
    file = tmp_path / "dear_offers.sql"
    file.write_text(_SQL, encoding="utf-8")
    return Mart(
        "dear_offers",
        key=("account_type", "emag_offer_id"),
        columns=("sale_price",),
        parameters={"least": 100},
        rests_on=("vat_rates",),
        description="What is dear: table `emag_dear_offers`.",
        check="dear_offers_reconcile_with_offers",
        check_sentence="Every offer that is dear is listed with its price, and no other is.",
        file=str(file),
    )


@pytest.fixture
def past(database: Database) -> Past:
    """Three offers, two of them dear, in a database that has the mart's table."""
    execute(database, _TABLE)
    past = Past(database)
    past.publish(good(1, sale_price=99), good(2, sale_price=100), good(3, sale_price=250))
    return past


@pytest.fixture
def materialize(mart: Mart, database_url: str) -> Iterator[Materialize]:
    """Dagster executes the asset and the check that the registry makes of it."""
    asset, check = mart_asset(mart), mart_check(mart)
    settings = load_settings({"DATABASE_SYNC_URL": database_url}, env_file=None)
    with dg.DagsterInstance.ephemeral() as instance:
        yield lambda: dg.materialize(
            [asset, check],
            selection=dg.AssetSelection.assets(asset),
            partition_key="main",
            instance=instance,
            resources={"pipeline": Pipeline(settings)},
        )


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node("dear_offers")
    return {name: value.value for name, value in event.metadata.items()}


def _listed(database: Database) -> list[tuple[int, int]]:
    found = rows(database, "SELECT emag_offer_id, sale_price FROM emag_dear_offers ORDER BY 1")
    return [(row.emag_offer_id, int(row.sale_price)) for row in found]


def test_its_asset_is_described_and_depends_on_offers_and_the_reference_data_that_it_names(mart: Mart) -> None:
    spec = mart_asset(mart).get_asset_spec()
    assert str(spec.description).startswith(mart.description)
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"offers", "vat_rates"}
    assert (spec.group_name, spec.tags["layer"]) == ("marts", "mart")
    assert spec.metadata["dagster/table_name"] == "app.emag_dear_offers"


def test_a_materialization_fills_it_and_tells_its_numbers_sample_and_columns(
    past: Past, database: Database, materialize: Materialize
) -> None:
    told = _metadata(materialize())
    assert _listed(database) == [(2, 100), (3, 250)]
    assert (told["dagster/row_count"], told["rows_inserted"], told["dear"], told["dearest"]) == (2, 2, 2, 250)
    assert [record.data["emag_offer_id"] for record in told["sample"].records] == [3, 2]
    columns = {column.name: column.description for column in told["dagster/column_schema"].columns}
    assert columns["sale_price"] == "Its price, without VAT."


def test_its_check_passes_names_what_differs_and_has_it_computed_from_scratch(
    past: Past, database: Database, mart: Mart, materialize: Materialize
) -> None:
    assert [one.passed for one in materialize().get_asset_check_evaluations()] == [True]
    execute(database, "DELETE FROM emag_dear_offers WHERE emag_offer_id = 3")
    (found,) = materialize().get_asset_check_evaluations()
    assert (found.check_name, found.passed) == (mart.check, False)
    assert [record.data["emag_offer_id"] for record in found.metadata["sample"].value.records] == [3]
    assert [(one.check, one.passed) for one in check_results(database, ["main"])] == [(mart.check, False)]
    assert [one.passed for one in materialize().get_asset_check_evaluations()] == [True]


def test_it_is_refreshed_by_change_from_scratch_and_in_parts_with_the_same_rows(
    past: Past, database: Database, mart: Mart, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refresh(database, mart, "main").inserted == 2
    execute(database, "UPDATE emag_dear_offers SET sale_price = 1 WHERE emag_offer_id = 3")
    past.publish(good(1, sale_price=101), good(2, sale_price=10), good(3, sale_price=250))
    by_change = refresh(database, mart, "main")
    assert (by_change.inserted, by_change.updated, by_change.deleted) == (1, 0, 1), "offer 3 was not looked at"
    assert refresh(database, mart, "main", from_scratch=True).updated == 1
    at_once = _listed(database)
    execute(database, "TRUNCATE emag_dear_offers")
    monkeypatch.setattr(refreshing, "_AT_ONCE", 2)
    assert refresh(database, mart, "main", from_scratch=True).inserted == 2
    assert _listed(database) == at_once == [(1, 101), (3, 250)]


def test_without_its_optional_statements_all_of_it_is_computed_each_time(
    past: Past, database: Database, mart: Mart, materialize: Materialize
) -> None:
    fresh, _, needed = _SQL.partition("-- name: fresh")[2].partition("-- name: differences")
    Path(mart.file).write_text(
        f"-- name: fresh{fresh}-- name: differences{needed.partition('-- name: sample')[0]}", encoding="utf-8"
    )
    told = _metadata(materialize())
    assert (told["rows_inserted"], told["dear"], "sample" in told) == (2, 2, False)
    execute(database, "UPDATE emag_dear_offers SET sale_price = 1 WHERE emag_offer_id = 3")
    assert refresh(database, mart, "main").updated == 1


def test_a_change_of_its_rules_computes_it_from_scratch(past: Past, database: Database, mart: Mart) -> None:
    refresh(database, mart, "main")
    assert refresh(database, replace(mart, parameters={"least": 99}), "main").inserted == 1


def test_the_sensor_sees_that_it_is_older_than_the_newest_publish(past: Past, database: Database, mart: Mart) -> None:
    def is_older() -> bool:
        (one,) = due(database, ["main"], [mart])
        return one.marts_are_older

    for other in OF_NEWEST_PUBLISH:
        refresh(database, other, "main")
    assert is_older()
    refresh(database, mart, "main")
    assert not is_older()
