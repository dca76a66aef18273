"""The checks on published offers as Dagster runs them. None of them blocks (docs/checks.md says why)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from emag_pipeline.dagster_runs.metadata import REMEDY, recorded, shown, table
from emag_pipeline.dagster_runs.resource import Pipeline, accounts
from emag_pipeline.reference.dagster import reference_answers
from emag_pipeline.review.checks import (
    ANSWERS_ARE_AS_KNOWN,
    OF_A_PUBLISH,
    OF_OFFERS,
    OFFERS_ARE_FRESH,
    PUBLISHED_EQUALS_SCAN,
    OfferCheck,
    Review,
    review,
)
from emag_pipeline.review.deviations import is_accepted
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import bound_seconds, bound_words, is_stale, published_words
from emag_pipeline.sync.status import AccountStatus, account_statuses
from emag_pipeline.sync.surprises import review_answers
from emag_pipeline.wording import counted

#: The checked asset, by name: its slice is above this one in the layers.
OFFERS = dg.AssetKey("offers")


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """One check's result for one account."""

    check: OfferCheck
    passed: bool
    sentence: str
    metadata: Mapping[str, Any]

    def result(self) -> dg.AssetCheckResult:
        """As the result of a check's step, stored under the step's partition."""
        return dg.AssetCheckResult(check_name=self.check.name, asset_key=OFFERS, **self._facts())

    def evaluation(self, account: str) -> dg.AssetCheckEvaluation:
        """As the result of a step without a partition, stored under the account's partition."""
        return dg.AssetCheckEvaluation(check_name=self.check.name, asset_key=OFFERS, partition=account, **self._facts())

    def _facts(self) -> dict[str, Any]:
        remedy = {} if self.passed else {REMEDY: self.check.remedy}
        return {
            "passed": self.passed,
            "severity": dg.AssetCheckSeverity(self.check.severity),
            "description": self.sentence,
            "metadata": {**self.metadata, **remedy},
        }


def of_review(check: OfferCheck, review: Review) -> CheckAnswer:
    """The result of a check that finds offers: it passes if all findings are accepted."""
    return CheckAnswer(
        check, review.found == 0, _words(review, f"holds for {_every(review)}", "found"), _numbers(review)
    )


def of_comparison(check: OfferCheck, review: Review) -> CheckAnswer:
    """Like `of_review` while the last sync's staging exists; otherwise compares with the ledger's count and says so."""
    if not review.is_published:
        return of_review(check, review)
    if review.numbers["is_staged"]:
        compared = counted(review.numbers["offers_published"], "published offer was", "published offers were")
        passed = f"no offer differs: {compared} compared with what was read{_less_compared(review)}"
        said = _words(review, passed, "differ", "differs")
        return CheckAnswer(check, review.found == 0, said, _numbers(review))
    published, in_ledger = review.numbers["offers_published"], review.numbers["offers_in_ledger"]
    offers = counted(published, "offer is", "offers are")
    said = f"the scan is no longer staged: {offers} published, the ledger says {in_ledger:,}"
    return CheckAnswer(check, published == in_ledger, said, _numbers(review))


def _less_compared(review: Review) -> str:
    """What was not compared, as the end of a sentence."""
    drawn, forgotten = review.numbers["texts_of_one_in"], review.numbers["forgotten"]
    texts = f", texts of one in {drawn:,} of them" if drawn > 1 else ""
    prints = f"; {counted(forgotten, 'offer')} only by fingerprints, because their rows' digests are no longer stored"
    return texts + (prints if forgotten else "")


def _words(review: Review, passed: str, found: str, one_found: str = "") -> str:
    """The description: that no offer was found, or how many were, with an example."""
    if not review.is_published:
        return "nothing has been published yet, so there is nothing to check"
    if not review.found:
        return passed
    worst = review.sample[0]
    offers = counted(review.found, f"offer {one_found or found}", f"offers {found}")
    others = f", and {review.found - 1:,} more" if review.found > 1 else ""
    accepted = f"; {counted(review.accepted, 'other is', 'others are')} accepted" if review.accepted else ""
    return f"{offers}: {worst['emag_offer_id']} {worst['what']}{others}{accepted}"


def _every(review: Review) -> str:
    accepted = counted(review.accepted, "that is accepted", "that are accepted")
    return f"every offer except {accepted}" if review.accepted else "every offer"


def _numbers(review: Review) -> dict[str, Any]:
    """Counts, and rows if there are any. Accepted deviations are not findings and are listed separately."""
    return {
        "findings": review.found,
        "accepted": review.accepted,
        **{name: shown(number) for name, number in review.numbers.items()},
        **({"sample": table(review.sample)} if review.found else {}),
        **({"accepted_sample": table(review.accepted_sample)} if review.accepted else {}),
    }


def freshness(database: Database, status: AccountStatus, settings: Settings) -> CheckAnswer:
    """The result of offers_are_fresh for the account; a stale one passes while that is accepted.

    It runs after each publish. Without a publish, `status`, `/health` and metrics report staleness.
    """
    fresh = not is_stale(status, settings)
    bound_hours = bound_seconds(status.scan_seconds, settings) / 3600
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
    return CheckAnswer(OFFERS_ARE_FRESH, fresh or accepted, said + ", accepted" * accepted, metadata)


def known_answers(database: Database, account: str) -> CheckAnswer:
    """Whether the marketplace's responses are as this version expects; passes while its findings are accepted."""
    found = review_answers(database, account)
    accepted = bool(found.fields) and is_accepted(database, account, ANSWERS_ARE_AS_KNOWN.name)
    findings = 0 if accepted else found.fields
    metadata: dict[str, Any] = {"findings": findings, "accepted": found.fields - findings}
    if found.fields:
        metadata["accepted_sample" if accepted else "sample"] = table(found.sample)
    return CheckAnswer(ANSWERS_ARE_AS_KNOWN, not findings, found.sentence + "; accepted" * accepted, metadata)


_Result = dg.AssetCheckResult | dg.AssetCheckEvaluation


def _specs(checks: Sequence[OfferCheck]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(check.name, asset=OFFERS, description=check.sentence, partitions_def=accounts)
        for check in checks
    ]


@dg.multi_asset_check(
    name="publish_review",
    description="Checks right after a publish that readers see what was read, and that it is recent.",
    specs=_specs(OF_A_PUBLISH),
    can_subset=True,
)
def publish_review(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Result]:
    with _step(context, pipeline) as database:
        yield from _results(context, database, pipeline.settings, OF_A_PUBLISH)


@dg.multi_asset_check(
    name="offers_review",
    description="Looks for offers that the seller may not have intended as the marketplace shows them, and for ids "
    "that the reference data does not contain.",
    specs=_specs(OF_OFFERS),
    can_subset=True,
)
def offers_review(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Result]:
    with _step(context, pipeline) as database:
        yield from _results(context, database, pipeline.settings, OF_OFFERS)
        if len(context.selected_asset_check_keys) == len(OF_OFFERS):  # a complete review, not single checks
            for marketplace in _marketplaces(context, pipeline.settings):
                yield from reference_answers(database, context, marketplace)


def _step(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> AbstractContextManager[Database]:
    """The context of a review, whose failure does not undo a publish and is not worth repeating the run."""
    return pipeline.step(context, is_worth_a_run=False)


def _marketplaces(context: dg.AssetCheckExecutionContext, settings: Settings) -> list[str]:
    """The marketplace of the run's account, or all marketplaces if the run has no account."""
    return (
        [settings.account(context.partition_key).marketplace.name]
        if context.has_partition_key
        else settings.marketplaces
    )


def _results(
    context: dg.AssetCheckExecutionContext, database: Database, settings: Settings, checks: Sequence[OfferCheck]
) -> Iterator[_Result]:
    """The results for the run's account, or for all accounts if it has none (`Execute all` in the UI)."""
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


def _answer(check: OfferCheck, database: Database, account: str, settings: Settings) -> CheckAnswer:
    if check is OFFERS_ARE_FRESH:
        (status,) = account_statuses(database, [account])
        return freshness(database, status, settings)
    if check is ANSWERS_ARE_AS_KNOWN:
        return known_answers(database, account)
    currency = settings.account(account).marketplace.currency
    found = review(database, check.name, account, currency=currency, price_move=settings.price_move)
    return of_comparison(check, found) if check is PUBLISHED_EQUALS_SCAN else of_review(check, found)
