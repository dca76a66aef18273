"""offers_are_fresh: asked after each publish. While none comes, `status`, `/health` and metrics tell of staleness."""

from typing import Any

import dagster as dg

from emag_pipeline.checks.answers import Answer
from emag_pipeline.checks.offer_checks import OFFERS_ARE_FRESH
from emag_pipeline.db.deviations import is_accepted
from emag_pipeline.db.engine import Database
from emag_pipeline.db.status import AccountStatus
from emag_pipeline.monitoring.freshness import bound_seconds, bound_words, is_stale, published_words
from emag_pipeline.settings import Settings


def freshness(database: Database, status: AccountStatus, settings: Settings) -> Answer:
    """The answer of offers_are_fresh about the account; a stale one passes while that is accepted."""
    fresh = not is_stale(status, settings)
    bound_hours = bound_seconds(status, settings) / 3600
    accepted = not fresh and is_accepted(database, status.account, OFFERS_ARE_FRESH.name)
    metadata: dict[str, Any] = {"bound_hours": round(bound_hours, 2), "accepted": int(accepted)}
    if status.last_publish_at is None or status.age_seconds is None:
        said = "nothing was ever published"
    else:
        said = f"{published_words(status)}, {bound_words(status, settings)}"
        metadata |= {
            "age_hours": round(status.age_seconds / 3600, 2),
            "published_at": dg.MetadataValue.timestamp(status.last_publish_at),
        }
    return Answer(OFFERS_ARE_FRESH, fresh or accepted, said + ", accepted" * accepted, metadata)
