"""Metadata of materializations and checks for Dagster's UI, and the storage of check results for other programs."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import dagster as dg

from emag_pipeline.charts import small
from emag_pipeline.charts.svg import alternative, data_uri
from emag_pipeline.logs import logger
from emag_pipeline.settings import current
from emag_pipeline.store import catalog, monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import Said
from emag_pipeline.sync.accounted import Accounted
from emag_pipeline.sync.context import Progress
from emag_pipeline.sync.figures import WORDS
from emag_pipeline.sync.publish import SyncSummary
from emag_pipeline.sync.scan import Staged

log = logger(__name__)

# Rows as a table in the metadata of a materialization or a check result.


def table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Rows with the same columns, as a table in Dagster's UI; times in UTC, null as an empty cell."""
    records = [dg.TableRecord({name: shown(value) for name, value in row.items()}) for row in rows]
    return dg.MetadataValue.table(records, schema=None if records else dg.TableSchema(columns=[]))


def shown(value: Any) -> Any:
    """A database value converted to a type that Dagster stores."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


OWNERS = ["team:data", "team:erp"]

Metadata = dict[str, Any]


def table_name(table: str) -> Metadata:
    """An asset's table name with the configured schema, which Dagster shows and other tools use for joins."""
    return {"dagster/table_name": f"{current().db_schema}.{table}"}


def of_scan(staged: Staged) -> Metadata:
    """Figures of a scan. Rates and requests are of this attempt, counts of the whole scan."""
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
    """Figures of a completed sync; requests are those of all its attempts.

    `offers` is the sum of the created, updated, unchanged and flagged ones.
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
        "quarantined_rows": published.quarantined,
        "published_at": dg.MetadataValue.timestamp(published.published_at),
        **_pace(sync.total_offers_processed, sync.worked_seconds, summary.requests, share),
        "proof": _proof_table(sync.proof or {}),
    }


def observed(context: dg.AssetExecutionContext, progress: Progress) -> dg.AssetObservation:
    """A scan in progress, as an observation of its asset."""
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
    """The ledger's proof as a table: first the count and its parts, which add up to it."""
    facts = [(WORDS[name], "; ".join(one) if name == "marks" else f"{one:,}") for name, one in proof.items() if one]
    if "found_by_id" in proof:
        accounted = Accounted.of(proof)
        parts = dict(accounted.parts)
        if accounted.difference:
            parts["on no page: came meanwhile, or counted wrongly (below 0: more than counted)"] = accounted.difference
        listed = [(f"{'+' if place else '='} {words}", f"{one:,}") for place, (words, one) in enumerate(parts.items())]
        facts = [("**counted by the marketplace**", f"{accounted.counts:,}"), *listed, *facts]
    rows = "\n".join(f"| {words} | {one} |" for words, one in facts)
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
        for column in catalog.columns(database, table)
    ]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def _pace(offers: int, seconds: float, requests: int, rate_share: float | None) -> Metadata:
    return {
        "seconds": round(seconds, 2),
        "offers_per_second": round(offers / seconds, 1) if seconds else 0.0,
        "requests": requests,
        **({} if rate_share is None else {"rate_budget_share": round(rate_share, 3)}),
    }


# Pictures of a materialization in Dagster's UI: small ones are shown directly, charts behind `[Show Markdown]`.
#
# A chart of 4 to 10 kB is stored in Dagster's event log with each materialization. Therefore the frequent refresh of an
# account has only a small picture (`charts.small`); marts and report have charts too. A picture that cannot be drawn is
# omitted with a warning, so that the materialization does not fail.


def as_markdown(svg: str) -> dg.MarkdownMetadataValue:
    """A chart as an image in Markdown, which the UI renders, with a text alternative."""
    return dg.MetadataValue.md(f"![{alternative(svg)}]({data_uri(svg)})")


def small_picture(name: str, draw: Callable[[Sequence[float]], str], numbers: Sequence[float]) -> Metadata:
    """A small picture, empty without numbers; where it is not rendered, a sparkline is shown instead."""
    if not numbers:
        return {}
    return {name: dg.MetadataValue.md(f"![{small.draw(numbers)}]({data_uri(draw(numbers))})")}


def unless_it_fails(name: str, draw: Callable[[], Metadata]) -> Metadata:
    """The drawn metadata; empty, with a warning, if drawing fails."""
    try:
        return draw()
    except Exception as error:
        log.warning("picture_not_drawn", picture=name, error=f"{type(error).__name__}: {error}")
        return {}


# Check results are also stored in emag_check_results: `status`, `/health`, metrics and alerts do not use Dagster.

# Checks per account: Dagster 1.13.27 warns at each import that they are a preview. Its version is pinned and tested.
warnings.filterwarnings(
    "ignore", message="Specifying a partitions_def on an AssetCheckSpec", category=dg.PreviewWarning
)


#: The metadata key of a failing result's remedy.
REMEDY = "what_to_do"
#: A column of these checks holds the marketplace's values, which not all readers may see (docs/privacy.md).
_NOT_FOR_ALL = {"answers_are_as_known": "sample"}


def recorded(
    database: Database,
    context: dg.AssetCheckExecutionContext,
    result: dg.AssetCheckResult,
    subject: str,
    part: str = "",
) -> dg.AssetCheckResult:
    """Store the result as the newest one about an account or a marketplace (`subject`), and return it unchanged.

    `part` is the day if a check is about one day. Raises the errors of the database.
    """
    if result.asset_key is not None and result.check_name is not None:
        key = dg.AssetCheckKey(result.asset_key, result.check_name)
    else:
        (key,) = context.selected_asset_check_keys
    record(database, key, result, subject, part=part, run_id=context.run.run_id)
    return result


def record(
    database: Database,
    key: dg.AssetCheckKey,
    result: dg.AssetCheckResult,
    subject: str,
    *,
    part: str = "",
    run_id: str | None = None,
) -> None:
    """Store a result as the newest one about `subject`. Raises the errors of the database."""
    metadata = {name: _plain(value) for name, value in (result.metadata or {}).items()}
    findings = metadata.get("findings")
    said = Said(
        subject=subject,
        check=key.name,
        asset=key.asset_key.to_user_string(),
        severity=result.severity.value,
        passed=result.passed,
        sentence=result.description or "",
        remedy="" if result.passed else str(metadata.get(REMEDY, "")),
        findings=int(findings) if isinstance(findings, int) else None,
        sample=() if result.passed else _rows(metadata.get("sample"), without=_NOT_FOR_ALL.get(key.name)),
        part=part,
        run_id=run_id,
    )
    monitoring_tables.record_check_result(database, said)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, dg.MetadataValue) else value


def _rows(table: object, without: str | None) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(table, dg.TableMetadataValue):
        return ()
    return tuple({name: value for name, value in row.data.items() if name != without} for row in table.records)
