"""The charts of an account as SVG, from the figures of its marts: for Dagster's UI and the report."""

from collections.abc import Sequence

from emag_pipeline.charts import bars, by_day, scan_timeline
from emag_pipeline.charts.bars import Bar
from emag_pipeline.charts.svg import BLUE, GREY, ORANGE, SKY
from emag_pipeline.marts.figures import Band, ButtonCounts, Day, IssueCount
from emag_pipeline.sync.timeline import ScanTimeline
from emag_pipeline.wording import counted

_MOST_ISSUES = 8
_URGENCY = {"gone": GREY, "soon": ORANGE, "later": BLUE}


def of_assortment(days: Sequence[Day]) -> str:
    """Offers and saleable offers by day."""
    return by_day.draw_offers("assortment", [(day.day, day.offers, day.saleable_offers) for day in days])


def of_price_moves(days: Sequence[Day]) -> str:
    """Prices that rose and fell, by day, except the first known day, whose moves are not known."""
    known = [day for day in days if day.arrivals is not None]
    return by_day.draw_moves("moves", [(day.day, day.price_rises, day.price_cuts) for day in known])


def of_issues(counts: Sequence[IssueCount], offers: int) -> str:
    """Offers by reason, each as a share of all `offers`; the rarest reasons are one bar."""
    shown, rest = counts[:_MOST_ISSUES], counts[_MOST_ISSUES:]
    drawn = [Bar(count.reason, count.offers, _with_share(count.offers, offers), ORANGE) for count in shown]
    if rest:
        most = max(count.offers for count in rest)
        drawn.append(
            Bar(
                counted(len(rest), "rarer reason"),
                most,
                f"{'at most ' * (len(rest) > 1)}{most:,}{' each' * (len(rest) > 1)}",
                GREY,
            )
        )
    return bars.draw("issues", "Why offers cannot be bought", drawn, empty="No offer has a reason not to be bought.")


def of_buy_button(counts: ButtonCounts) -> str:
    """Offers with and without the buy button, and the changes within a day, if they are known."""
    ranked = counts.held + counts.not_held
    drawn = [
        Bar("have the buy button", counts.held, _with_share(counts.held, ranked), BLUE),
        Bar("do not have it", counts.not_held, _with_share(counts.not_held, ranked), ORANGE),
    ]
    for words, number, colour in (("won", counts.won, SKY), ("lost", counts.lost, ORANGE)):
        if number is not None:
            drawn.append(Bar(f"{words} since a day ago", number, f"{number:,}", colour))
    return bars.draw("button", "The buy button", drawn if ranked else [], empty="No offer has a rank.")


def of_cover(bands: Sequence[Band]) -> str:
    """Offers by days of stock left."""
    drawn = [Bar(band.words, band.offers, f"{band.offers:,}", _URGENCY[band.urgency]) for band in bands]
    return bars.draw(
        "cover", "Days until the stock is gone", drawn, empty="No offer is known to run out within 30 days."
    )


def of_scan(timeline: ScanTimeline) -> str:
    """Pages and problems over time."""
    return scan_timeline.draw("scan", timeline)


def _with_share(number: int, of: int) -> str:
    return f"{number:,} · {100 * number / of:.1f} %" if of else f"{number:,}"
