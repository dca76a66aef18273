"""offer_report: everything about an account on one page, for people without a database and without this UI."""

from pathlib import Path

import dagster as dg

from emag_pipeline.assets import pictures
from emag_pipeline.assets.marts import buy_button, low_stock, offer_issues
from emag_pipeline.assets.metadata import OWNERS, Metadata
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline, partition_of
from emag_pipeline.home import directory
from emag_pipeline.logs import about
from emag_pipeline.report import Facts, facts_of, page, write


@dg.asset(
    # not `daily_assortment`: all days would have to be there; the report shows those that are
    deps=[offer_issues, buy_button, low_stock],
    partitions_def=accounts,
    group_name="marts",
    kinds={"html"},
    owners=OWNERS,
    tags={"layer": "report"},
    description=(
        "The account on one page: assortment over time, why offers cannot be bought, the buy button, what runs out, "
        "price moves, syncs with their proof. One HTML file that is readable offline, on the machine of the run: "
        "`EMAG_HOME/reports/ACCOUNT.html`. `emag-pipeline report ACCOUNT` writes it anywhere. When it fails: "
        "docs/runbook.md."
    ),
)
def offer_report(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    account = partition_of(context)
    with about(account=account), pipeline.step(context) as database:
        facts = facts_of(database, account)
        file = directory(pipeline.settings.home, "reports") / f"{account}.html"
        write(file, page(facts))
        return dg.MaterializeResult(metadata=_numbers(facts, file) | pictures.timeline_of(database, account))


def _numbers(facts: Facts, file: Path) -> Metadata:
    now = facts.headline
    published_at = now.published_at
    return {
        "path": dg.MetadataValue.path(file),
        "kilobytes": round(file.stat().st_size / 1000, 1),
        **({} if published_at is None else {"published_at": dg.MetadataValue.timestamp(published_at)}),
        "offers": now.offers,
        "saleable": now.saleable,
        "stock_value": float(now.stock_value),
        "with_buy_button": facts.buttons.held,
        "running_out_within_a_week": facts.running_out,
        "quarantined": now.quarantined,
        "open_incidents": len(facts.incidents),
    }
