"""offers_are_fresh: asked after each publish. While none comes, `status`, `/health` and metrics tell of staleness."""

from typing import Any

import dagster as dg

from emag_pipeline.checks.answers import Answer
from emag_pipeline.checks.offer_checks import OFFERS_ARE_FRESH
from emag_pipeline.db.deviations import is_accepted
from emag_pipeline.db.engine import Database
from emag_pipeline.db.status import AccountStatus
from emag_pipeline.settings import Settings


def is_fresh(status: AccountStatus, settings: Settings) -> bool:
    """Whether the account was published, and not too long ago."""
    return status.age_seconds is not None and status.age_seconds <= settings.stale_after_hours * 3600


def freshness(database: Database, status: AccountStatus, settings: Settings) -> Answer:
    """The answer of offers_are_fresh about the account; a stale one passes while that is accepted."""
    fresh = is_fresh(status, settings)
    accepted = not fresh and is_accepted(database, status.account, OFFERS_ARE_FRESH.name)
    metadata: dict[str, Any] = {"bound_hours": settings.stale_after_hours, "accepted": int(accepted)}
    if status.last_publish_at is None or status.age_seconds is None:
        said = "nothing was ever published"
    else:
        hours = status.age_seconds / 3600
        said = f"published {hours:.1f} hours ago, {settings.stale_after_hours:g} are allowed"
        metadata |= {"age_hours": round(hours, 2), "published_at": dg.MetadataValue.timestamp(status.last_publish_at)}
    return Answer(OFFERS_ARE_FRESH, fresh or accepted, said + ", accepted" * accepted, metadata)
