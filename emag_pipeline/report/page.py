"""The facts as one HTML page. Whatever stands in them is text: it is escaped, and the page forbids itself scripts."""

from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from emag_pipeline.charts.svg import plain
from emag_pipeline.plurals import counted
from emag_pipeline.report import pictures, words
from emag_pipeline.report.facts import Facts
from emag_pipeline.report.today import tasks

if TYPE_CHECKING:
    from jinja2 import Environment


def page(facts: Facts) -> str:
    """The whole document."""
    return _environment().get_template("report.html").render(facts=facts, tasks=tasks(facts), pictures=_drawn(facts))


def _drawn(facts: Facts) -> dict[str, Markup]:
    """The charts, each for inclusion as it is."""
    drawn = {
        "assortment": pictures.of_assortment(facts.days),
        "moves": pictures.of_price_moves(facts.days),
        "issues": pictures.of_issues(facts.issues, facts.headline.offers),
        "button": pictures.of_buy_button(facts.buttons),
        "cover": pictures.of_cover(facts.bands),
    }
    if facts.timeline is not None:
        drawn["scan"] = pictures.of_scan(facts.timeline)
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - written by ElementTree, which escapes


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # here: runs load this module and draw no report

    environment = Environment(
        loader=PackageLoader("emag_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_writable,
    )
    for function in (
        words.number, words.percent, words.change, words.share, words.moment, words.name, words.outcome,
        words.duration, words.proof, counted,
        words.proof_in_short, words.falls, words.since, words.begun,
    ):  # fmt: skip
        environment.filters[function.__name__] = function
    return environment


def _writable(value: Any) -> Any:
    """Text of strangers may hold control characters, which no document may."""
    return plain(value) if type(value) is str else value
