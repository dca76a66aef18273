"""What is worth doing today: at most five tasks, current losses before future ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from emag_pipeline.marts.figures import SOON_DAYS
from emag_pipeline.report import words
from emag_pipeline.report.facts import Facts
from emag_pipeline.wording import counted

MOST = 5
_SOLD_OUT = "out_of_stock"
#: The maximum number of reasons, which leaves room for the other tasks.
_MOST_REASONS = 2


@dataclass(frozen=True, slots=True)
class Task:
    """One task: the amount at stake; a sentence; the remedy; the section that lists the offers.

    `about` is the name of the most expensive offer, an untrusted text.
    """

    stake: str
    sentence: str
    about: str | None
    remedy: str
    section: str


def tasks(facts: Facts) -> list[Task]:
    """Sales lost each day, buttons lost since yesterday, stock held back by the costliest reasons, what runs out soon.

    If one of them is empty, further reasons, by the stock that they hold back, take its place. Amounts are in the
    account's currency, without VAT.
    """
    reasons = list(_held_back(facts))
    first = [*_sold_out(facts), *_lost_buttons(facts), *reasons[:_MOST_REASONS], *_running_out(facts)]
    return list(islice((*first, *reasons[_MOST_REASONS:]), MOST))


def _sold_out(facts: Facts) -> Iterator[Task]:
    for issue in facts.issues:
        if issue.code == _SOLD_OUT and facts.sold_out:
            lost = facts.lost_sales
            seen = _evidence(facts)
            yield Task(
                stake=f"{_money(facts, lost.certain_a_day)} per day" if lost.certain_a_day else "sales",
                sentence=f"{_offers(issue.offers)} sold out{f' ({seen})' if seen else ''}; of those that were selling, "
                "this one loses the most:",
                about=words.name(facts.sold_out[0].name),
                remedy=issue.remedy,
                section="issues",
            )


def _evidence(facts: Facts) -> str:
    """The evidence for the amount of lost sales, and what it excludes."""
    lost = facts.lost_sales
    certain = lost.offers - lost.doubtful
    doubtful = f"{_money(facts, lost.doubtful_a_day)} per day on a single fall of more than 10 pieces, "
    said = (
        f"judging by {words.falls(lost.falls - lost.doubtful, certain)}" if certain else "",
        f"not counted: {doubtful}{counted(lost.doubtful, 'offer')}" if lost.doubtful else "",
        _not_counted(facts, sum(one.offers_in_other_currencies for one in facts.issues if one.code == _SOLD_OUT)),
    )
    return "; ".join([one for one in said if one])


def _not_counted(facts: Facts, offers: int) -> str:
    """Offers whose amounts are in no sum."""
    return f"{offers:,} not in {facts.headline.currency}, and in no sum" if offers else ""


def _lost_buttons(facts: Facts) -> Iterator[Task]:
    if facts.lost:
        dearest = facts.lost[0]
        cheaper = dearest.gap is not None and dearest.gap > 0
        many = (facts.buttons.lost or 0) > 1
        lost = "Buy buttons were" if many else "A buy button was"
        gap = f", {words.number(dearest.gap, 2)} more expensive than the best one" if cheaper else ""
        yield Task(
            stake=f"{words.number(facts.buttons.lost)} lost",
            sentence=f"{lost} lost within a day; {'the most expensive' if many else 'that'} offer{gap}:",
            about=words.name(dearest.name),
            remedy="Look at the price and the stock of each",
            section="button",
        )


def _held_back(facts: Facts) -> Iterator[Task]:
    """The reasons by the stock that they hold back, the most first."""
    for issue in sorted(facts.issues, key=lambda one: -one.value_held_back):
        if issue.code != _SOLD_OUT and issue.value_held_back > 0:
            apart = _not_counted(facts, issue.offers_in_other_currencies)
            yield Task(
                stake=f"{_money(facts, issue.value_held_back)} of stock",
                sentence=f"{_offers(issue.offers)} not saleable{f' ({apart})' if apart else ''}: {issue.reason}.",
                about=None,
                remedy=issue.remedy,
                section="issues",
            )


def _running_out(facts: Facts) -> Iterator[Task]:
    for_sale = (one for one in facts.least_cover if one.is_saleable is not False and one.days_of_cover < SOON_DAYS)
    first = next(for_sale, None)
    if facts.running_out:
        which = "first, in" if facts.running_out > 1 else "in"
        begins = f"; {which} {words.number(first.days_of_cover, 1)} days:" if first else "."
        yield Task(
            stake=counted(facts.running_out, "offer"),
            sentence=f"{'They run' if facts.running_out > 1 else 'It runs'} out within a week{begins}",
            about=words.name(first.name) if first else None,
            remedy="Order what sells",
            section="cover",
        )


def _money(facts: Facts, amount: words.Number) -> str:
    return f"{words.number(amount)} {facts.headline.currency or ''}".rstrip()


def _offers(offers: int) -> str:
    return counted(offers, "offer is", "offers are")
