"""Each answer of a check is kept in emag_check_results too: `status`, `/health`, metrics and alerts know no Dagster."""

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from emag_pipeline.store import check_results
from emag_pipeline.store.check_results import Said
from emag_pipeline.store.engine import Database

# Checks by account: Dagster 1.13.27 calls that a preview at each import. Its version is pinned, our tests rest on it.
warnings.filterwarnings(
    "ignore", message="Specifying a partitions_def on an AssetCheckSpec", category=dg.PreviewWarning
)


#: The key of a result's metadata that says what to do when it does not pass.
REMEDY = "what_to_do"
#: A column of theirs holds values as the marketplace gave them, which not everybody may read (docs/privacy.md).
_NOT_FOR_ALL = {"answers_are_as_known": "sample"}


def recorded(
    database: Database,
    context: dg.AssetCheckExecutionContext,
    result: dg.AssetCheckResult,
    subject: str,
    part: str = "",
) -> dg.AssetCheckResult:
    """The result as it is, once it is kept as the newest answer about an account or a marketplace (`subject`).

    `part` is the day where a check judges one day. Raises the errors of the database.
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
    """Keep a result as the newest answer about `subject`. Raises the errors of the database."""
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
    check_results.record(database, said)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, dg.MetadataValue) else value


def _rows(table: object, without: str | None) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(table, dg.TableMetadataValue):
        return ()
    return tuple({name: value for name, value in row.data.items() if name != without} for row in table.records)
