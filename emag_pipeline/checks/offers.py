"""What the data team reviews on published offers; nothing here blocks (docs/checks.md says why, check by check)."""

from collections.abc import Iterator, Sequence

import dagster as dg

from emag_pipeline.assets.offers import offers
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.checks.answers import Answer, in_numbers, of_review
from emag_pipeline.checks.freshness import freshness
from emag_pipeline.checks.offer_checks import OFFERS_ARE_FRESH, PUBLISHED_EQUALS_SCAN, REVIEWED, OfferCheck
from emag_pipeline.db.engine import Database
from emag_pipeline.db.review import Review, review
from emag_pipeline.db.status import account_statuses
from emag_pipeline.logs import about
from emag_pipeline.settings import Settings


def _specs(checks: Sequence[OfferCheck]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(check.name, asset=offers, description=check.sentence, partitions_def=accounts)
        for check in checks
    ]


@dg.multi_asset_check(
    name="publish_review",
    description="Judges a publish right after it: is it what was read, and is it recent?",
    specs=_specs([PUBLISHED_EQUALS_SCAN, OFFERS_ARE_FRESH]),
)
def publish_review(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.AssetCheckResult]:
    account = context.partition_key
    # what was published stays so, whatever befalls the look at it: the run is not repeated for that
    with about(account=account), pipeline.step(context, is_worth_a_run=False) as database:
        yield published_equals_scan(_reviewed(database, PUBLISHED_EQUALS_SCAN, account, pipeline.settings)).result()
        (status,) = account_statuses(database, [account])
        yield freshness(database, status, pipeline.settings).result()


@dg.multi_asset_check(
    name="offers_review",
    description="Looks for offers that the seller may not have meant, as the marketplace shows them.",
    specs=_specs(REVIEWED),
)
def offers_review(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.AssetCheckResult]:
    account = context.partition_key
    with about(account=account), pipeline.step(context, is_worth_a_run=False) as database:
        for check in REVIEWED:
            yield of_review(check, _reviewed(database, check, account, pipeline.settings)).result()


def _reviewed(database: Database, check: OfferCheck, account: str, settings: Settings) -> Review:
    currency = settings.account(account).marketplace.currency
    return review(database, check.name, account, currency=currency, price_move=settings.price_move)


def published_equals_scan(found: Review) -> Answer:
    """Offer by offer while the last sync's staging is there; else by the ledger's count, and saying so."""
    if found.numbers.get("is_staged", True):
        return of_review(PUBLISHED_EQUALS_SCAN, found)
    published, told = found.numbers["offers_published"], found.numbers["offers_in_ledger"]
    said = f"the scan is no longer staged: {published:,} offers are published, the ledger says {told:,}"
    return Answer(PUBLISHED_EQUALS_SCAN, published == told, said, in_numbers(found))
