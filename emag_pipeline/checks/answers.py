"""What a check on offers answers: in a sentence, in numbers, and with the rows that it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from emag_pipeline.assets.offers import offers
from emag_pipeline.assets.tables import shown, table
from emag_pipeline.checks.offer_checks import OfferCheck
from emag_pipeline.checks.record import REMEDY
from emag_pipeline.db.review import Review


@dataclass(frozen=True, slots=True)
class Answer:
    """One check's answer about one account."""

    check: OfferCheck
    passed: bool
    sentence: str
    metadata: Mapping[str, Any]

    def result(self) -> dg.AssetCheckResult:
        """As a check's step gives it; it is stored under the step's partition."""
        return dg.AssetCheckResult(check_name=self.check.name, asset_key=offers.key, **self._facts())

    def evaluation(self, account: str) -> dg.AssetCheckEvaluation:
        """As a step of no partition gives it; stored under the account's partition."""
        return dg.AssetCheckEvaluation(
            check_name=self.check.name, asset_key=offers.key, partition=account, **self._facts()
        )

    def _facts(self) -> dict[str, Any]:
        remedy = {} if self.passed else {REMEDY: self.check.remedy}
        return {
            "passed": self.passed,
            "severity": self.check.severity,
            "description": self.sentence,
            "metadata": {**self.metadata, **remedy},
        }


def of_review(check: OfferCheck, review: Review) -> Answer:
    """The answer of a check that finds offers: it passes when nothing is left that is not accepted."""
    return Answer(check, review.found == 0, _words(review), _numbers(review))


def of_comparison(check: OfferCheck, review: Review) -> Answer:
    """As `of_review` while the last sync's staging is there; else the ledger's count decides, and it says so."""
    if review.numbers.get("is_staged", True):
        return of_review(check, review)
    published, told = review.numbers["offers_published"], review.numbers["offers_in_ledger"]
    said = f"the scan is no longer staged: {published:,} offers are published, the ledger says {told:,}"
    return Answer(check, published == told, said, _numbers(review))


def _words(review: Review) -> str:
    """How many offers were found, with an example."""
    accepted = f"{review.accepted:,} accepted" if review.accepted else ""
    if not review.found:
        return f"no offer found, {accepted}" if accepted else "no offer found"
    worst = review.sample[0]
    counted = f"{review.found:,} offers" if review.found > 1 else "1 offer"
    return f"{counted} found{', ' * bool(accepted)}{accepted}: {worst['emag_offer_id']} {worst['what']}"


def _numbers(review: Review) -> dict[str, Any]:
    """Counts, and the rows where there are any."""
    return {
        "findings": review.found,
        "accepted": review.accepted,
        **{name: shown(number) for name, number in review.numbers.items()},
        **({"sample": table(review.sample)} if review.found else {}),
        **({"accepted_sample": table(review.accepted_sample)} if review.accepted else {}),
    }
