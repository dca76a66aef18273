"""What a reviewer sees beside each materialization: the numbers that answer the next question."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import dagster as dg

from emag_pipeline.charts import small
from emag_pipeline.charts.svg import alternative, data_uri
from emag_pipeline.logs import logger
from emag_pipeline.settings import current
from emag_pipeline.store import describe
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounted import Accounted
from emag_pipeline.sync.context import Progress
from emag_pipeline.sync.figures import WORDS
from emag_pipeline.sync.publish import SyncSummary
from emag_pipeline.sync.stage import Staged

# Rows as a table beside a materialization or a check's result.


def table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Rows of like columns, as Dagster's UI shows them; times in UTC, empty where there is nothing."""
    records = [dg.TableRecord({name: shown(value) for name, value in row.items()}) for row in rows]
    return dg.MetadataValue.table(records, schema=None if records else dg.TableSchema(columns=[]))


def shown(value: Any) -> Any:
    """A value of the database as one of those that Dagster stores."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


OWNERS = ["team:data", "team:erp"]

Metadata = dict[str, Any]


def table_name(table: str) -> Metadata:
    """Where an asset is, as Dagster shows it and joins it with other tools: by the schema that is configured."""
    return {"dagster/table_name": f"{current().db_schema}.{table}"}


def of_scan(staged: Staged) -> Metadata:
    """Numbers of a scan. Rates and requests are this attempt's, counts the whole scan's."""
    figures = staged.figures
    return {
        "dagster/row_count": figures.staged,
        "sync_id": str(staged.sync_id),
        "attempt": staged.attempt,
        "pages": figures.pages_staged,
        "offers": figures.rows,
        "quarantined_rows": figures.quarantined,
        "rounds": figures.rounds,
        **_pace(staged.new_rows, staged.seconds, staged.requests, staged.rate_share),
        "proof": _proof_table(figures.as_proof()),
    }


def of_publish(summary: SyncSummary, pace_seconds: float) -> Metadata:
    """Numbers of a completed sync; requests are those of all its attempts.

    `offers` is the sum of those that are created, updated, unchanged and flagged.
    """
    sync, published = summary.sync, summary.published
    share = summary.requests * pace_seconds / summary.seconds if sync.attempt == 1 else None
    return {
        "dagster/row_count": published.offers,
        "sync_id": str(sync.sync_id),
        "attempts": sync.attempt,
        "pages": sync.pages_done,
        "offers": published.offers,
        "saleable": published.saleable,
        "created": published.created,
        "updated": published.updated,
        "unchanged": published.unchanged,
        "deleted": published.deleted,
        "flagged": published.flagged,
        "quarantined_rows": published.rejected,
        "published_at": dg.MetadataValue.timestamp(published.published_at),
        **_pace(sync.total_offers_processed, sync.worked_seconds, summary.requests, share),
        "proof": _proof_table(sync.proof or {}),
    }


def observed(context: dg.AssetExecutionContext, progress: Progress) -> dg.AssetObservation:
    """A scan under way, as an observation of its asset."""
    remaining = progress.remaining_seconds
    return dg.AssetObservation(
        asset_key=context.asset_key,
        partition=context.partition_key,
        description=f"page {progress.pages_done} of {progress.pages_expected}",
        metadata={
            "round": progress.round,
            "pages_done": progress.pages_done,
            "pages_expected": progress.pages_expected,
            "offers_done": progress.offers_done,
            "offers_per_second": round(progress.offers_per_second, 1),
            **({} if remaining is None else {"remaining_seconds": round(remaining)}),
        },
    )


def _proof_table(proof: Mapping[str, Any]) -> dg.MarkdownMetadataValue:
    """The ledger's proof, readable at a glance: first the count and its parts, which add up to it."""
    told = [(WORDS[name], "; ".join(one) if name == "marks" else f"{one:,}") for name, one in proof.items() if one]
    if "found_by_id" in proof:
        accounted = Accounted.of(proof)
        parts = dict(accounted.parts)
        if accounted.difference:
            parts["on no page: came meanwhile, or counted wrongly (below 0: more than counted)"] = accounted.difference
        listed = [(f"{'+' if place else '='} {words}", f"{one:,}") for place, (words, one) in enumerate(parts.items())]
        told = [("**counted by the marketplace**", f"{accounted.counts:,}"), *listed, *told]
    rows = "\n".join(f"| {words} | {one} |" for words, one in told)
    return dg.MetadataValue.md(f"| number | value |\n|---|---:|\n{rows}")


def column_schema(database: Database, table: str) -> Metadata:
    """The table's columns with types and comments, as the database describes them."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            description=column.comment or None,
            constraints=dg.TableColumnConstraints(nullable=column.nullable),
        )
        for column in describe.columns(database, table)
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def _pace(offers: int, seconds: float, requests: int, rate_share: float | None) -> Metadata:
    return {
        "seconds": round(seconds, 2),
        "offers_per_second": round(offers / seconds, 1) if seconds else 0.0,
        "requests": requests,
        **({} if rate_share is None else {"rate_budget_share": round(rate_share, 3)}),
    }


# Pictures beside a materialization, as Dagster's UI shows them: small ones at once, charts behind `[Show Markdown]`.
#
# A chart is stored in Dagster's event log with each materialization, 4 to 10 kB. Therefore the frequent refresh of an
# account has a small picture only (`charts.small`); marts and report have charts too. A picture that cannot be drawn is
# left out, with a warning: it must not cost what it belongs to.

log = logger(__name__)


def as_markdown(svg: str) -> dg.MarkdownMetadataValue:
    """A chart as an image in Markdown, which the UI renders, with its words for those who do not see it."""
    return dg.MetadataValue.md(f"![{alternative(svg)}]({data_uri(svg)})")


def small_picture(name: str, draw: Callable[[Sequence[float]], str], numbers: Sequence[float]) -> Metadata:
    """A small picture, none of nothing; where it is not rendered, a sparkline stands in its place."""
    if not numbers:
        return {}
    return {name: dg.MetadataValue.md(f"![{small.draw(numbers)}]({data_uri(draw(numbers))})")}


def unless_it_fails(name: str, draw: Callable[[], Metadata]) -> Metadata:
    """What is drawn; nothing, and a warning, where drawing it fails."""
    try:
        return draw()
    except Exception as error:
        log.warning("picture_not_drawn", picture=name, error=f"{type(error).__name__}: {error}")
        return {}
