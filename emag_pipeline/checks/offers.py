"""What the data team reviews on published offers; nothing here blocks (docs/checks.md says why, check by check)."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import dagster as dg

from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.checks.answers import OFFERS, Answer, of_comparison, of_review
from emag_pipeline.checks.freshness import freshness
from emag_pipeline.checks.known_answers import known_answers
from emag_pipeline.checks.offer_checks import (
    ANSWERS_ARE_AS_KNOWN,
    OF_A_PUBLISH,
    OF_OFFERS,
    OFFERS_ARE_FRESH,
    PUBLISHED_EQUALS_SCAN,
    OfferCheck,
)
from emag_pipeline.checks.record import recorded
from emag_pipeline.checks.reference import reference_answers
from emag_pipeline.db.engine import Database
from emag_pipeline.db.review import review
from emag_pipeline.db.status import account_statuses
from emag_pipeline.settings import Settings

_Result = dg.AssetCheckResult | dg.AssetCheckEvaluation


def _specs(checks: Sequence[OfferCheck]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(check.name, asset=OFFERS, description=check.sentence, partitions_def=accounts)
        for check in checks
    ]


@dg.multi_asset_check(
    name="publish_review",
    description="Judges a publish right after it: is it what was read, and is it recent?",
    specs=_specs(OF_A_PUBLISH),
    can_subset=True,
)
def publish_review(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Result]:
    with _step(context, pipeline) as database:
        yield from _results(context, database, pipeline.settings, OF_A_PUBLISH)


@dg.multi_asset_check(
    name="offers_review",
    description="Looks for offers that the seller may not have meant, as the marketplace shows them, and for ids that "
    "the reference data does not know.",
    specs=_specs(OF_OFFERS),
    can_subset=True,
)
def offers_review(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Result]:
    with _step(context, pipeline) as database:
        yield from _results(context, database, pipeline.settings, OF_OFFERS)
        if len(context.selected_asset_check_keys) == len(OF_OFFERS):  # a whole review, and not a check or two of it
            for marketplace in _marketplaces(context, pipeline.settings):
                yield from reference_answers(database, context, marketplace)


def _step(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> AbstractContextManager[Database]:
    """What was published stays so, whatever befalls the look at it: the run is not repeated for that."""
    return pipeline.step(context, is_worth_a_run=False)


def _marketplaces(context: dg.AssetCheckExecutionContext, settings: Settings) -> list[str]:
    """That of the run's account; where it has none, all."""
    return (
        [settings.account(context.partition_key).marketplace.name]
        if context.has_partition_key
        else settings.marketplaces
    )


def _results(
    context: dg.AssetCheckExecutionContext, database: Database, settings: Settings, checks: Sequence[OfferCheck]
) -> Iterator[_Result]:
    """The results of the run's account; where it has none, as `Execute all` in the UI starts it, of all accounts."""
    names = {key.name for key in context.selected_asset_check_keys}
    wanted = [check for check in checks if check.name in names]
    if context.has_partition_key:
        for check in wanted:
            answer = _answer(check, database, context.partition_key, settings)
            yield recorded(database, context, answer.result(), context.partition_key)
    else:
        for account in settings.accounts:
            for check in wanted:
                answer = _answer(check, database, account.name, settings)
                recorded(database, context, answer.result(), account.name)
                yield answer.evaluation(account.name)


def _answer(check: OfferCheck, database: Database, account: str, settings: Settings) -> Answer:
    if check is OFFERS_ARE_FRESH:
        (status,) = account_statuses(database, [account])
        return freshness(database, status, settings)
    if check is ANSWERS_ARE_AS_KNOWN:
        return known_answers(database, account)
    currency = settings.account(account).marketplace.currency
    found = review(database, check.name, account, currency=currency, price_move=settings.price_move)
    return of_comparison(check, found) if check is PUBLISHED_EQUALS_SCAN else of_review(check, found)
