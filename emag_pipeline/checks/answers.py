"""What a check on offers answers: in a sentence, in numbers, and with the rows that it found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from emag_pipeline.assets.tables import shown, table
from emag_pipeline.checks.offer_checks import OfferCheck
from emag_pipeline.checks.record import REMEDY
from emag_pipeline.db.review import Review
from emag_pipeline.plurals import counted

#: the asset that is checked, by name: whose job runs some of these checks stands above them
OFFERS = dg.AssetKey("offers")


@dataclass(frozen=True, slots=True)
class Answer:
    """One check's answer about one account."""

    check: OfferCheck
    passed: bool
    sentence: str
    metadata: Mapping[str, Any]

    def result(self) -> dg.AssetCheckResult:
        """As a check's step gives it; it is stored under the step's partition."""
        return dg.AssetCheckResult(check_name=self.check.name, asset_key=OFFERS, **self._facts())

    def evaluation(self, account: str) -> dg.AssetCheckEvaluation:
        """As a step of no partition gives it; stored under the account's partition."""
        return dg.AssetCheckEvaluation(check_name=self.check.name, asset_key=OFFERS, partition=account, **self._facts())

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
    return Answer(check, review.found == 0, _words(review, f"holds for {_every(review)}", "found"), _numbers(review))


def of_comparison(check: OfferCheck, review: Review) -> Answer:
    """As `of_review` while the last sync's staging is there; else the ledger's count decides, and it says so."""
    if not review.is_published:
        return of_review(check, review)
    if review.numbers["is_staged"]:
        compared = counted(review.numbers["offers_published"], "published offer was", "published offers were")
        passed = f"no offer differs: {compared} compared with what was read{_less_compared(review)}"
        said = _words(review, passed, "differ", "differs")
        return Answer(check, review.found == 0, said, _numbers(review))
    published, told = review.numbers["offers_published"], review.numbers["offers_in_ledger"]
    offers = counted(published, "offer is", "offers are")
    said = f"the scan is no longer staged: {offers} published, the ledger says {told:,}"
    return Answer(check, published == told, said, _numbers(review))


def _less_compared(review: Review) -> str:
    """What was not compared of all offers, as the end of a sentence."""
    drawn, forgotten = review.numbers["texts_of_one_in"], review.numbers["forgotten"]
    texts = f", texts of one in {drawn:,} of them" if drawn > 1 else ""
    prints = f"; {counted(forgotten, 'offer')} only by fingerprints, since how their rows were read is forgotten"
    return texts + (prints if forgotten else "")


def _words(review: Review, passed: str, found: str, one_found: str = "") -> str:
    """What it says when no offer was found, or how many were, with an example."""
    if not review.is_published:
        return "nothing has been published yet, so there is nothing to look at"
    if not review.found:
        return passed
    worst = review.sample[0]
    offers = counted(review.found, f"offer {one_found or found}", f"offers {found}")
    others = f", and {review.found - 1:,} more" if review.found > 1 else ""
    accepted = f"; {counted(review.accepted, 'other is', 'others are')} accepted" if review.accepted else ""
    return f"{offers}: {worst['emag_offer_id']} {worst['what']}{others}{accepted}"


def _every(review: Review) -> str:
    accepted = counted(review.accepted, "accepted one", "accepted ones")
    return f"every offer but {accepted}" if review.accepted else "every offer"


def _numbers(review: Review) -> dict[str, Any]:
    """Counts, and the rows where there are any; what is accepted is no finding, and stands beside."""
    return {
        "findings": review.found,
        "accepted": review.accepted,
        **{name: shown(number) for name, number in review.numbers.items()},
        **({"sample": table(review.sample)} if review.found else {}),
        **({"accepted_sample": table(review.accepted_sample)} if review.accepted else {}),
    }
