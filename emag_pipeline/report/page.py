"""The facts as one HTML page. All values are escaped as text, and the page forbids scripts."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from emag_pipeline.atomic_file import written_at_once
from emag_pipeline.charts.svg import plain
from emag_pipeline.errors import of_os_error
from emag_pipeline.marts import charts
from emag_pipeline.report import words
from emag_pipeline.report.facts import Facts
from emag_pipeline.report.today import tasks
from emag_pipeline.wording import counted

if TYPE_CHECKING:
    from jinja2 import Environment


def page(facts: Facts) -> str:
    """The whole document."""
    return _environment().get_template("report.html").render(facts=facts, tasks=tasks(facts), pictures=_drawn(facts))


def _drawn(facts: Facts) -> dict[str, Markup]:
    """The charts as markup."""
    drawn = {
        "assortment": charts.of_assortment(facts.days),
        "moves": charts.of_price_moves(facts.days),
        "issues": charts.of_issues(facts.issues, facts.headline.offers),
        "button": charts.of_buy_button(facts.buttons),
        "cover": charts.of_cover(facts.bands),
    }
    if facts.timeline is not None:
        drawn["scan"] = charts.of_scan(facts.timeline)
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - written by ElementTree, which escapes


@cache
def _environment() -> "Environment":
    from jinja2 import (
        Environment,
        PackageLoader,
        StrictUndefined,
    )  # imported here, since runs load this module without rendering a report

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
    """Remove control characters, which the marketplace's texts may contain but HTML may not."""
    return plain(value) if type(value) is str else value


# Writing a report atomically: a reader sees the old one or the new one, never a partial one.
#
# Only its owner may read it (mode 0600): prices, stock and gaps to competitors are business secrets, and the person who
# copies or serves the file decides who else may see them.


def write(file: Path, text: str) -> None:
    """Write or replace the file. Raises SettingsError or PermanentError if that is not possible, TransientError if the
    disk is full.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_at_once(file, force=True) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    except OSError as error:
        remedy = "Free the path, give the process the right to write there, or name another file"
        raise of_os_error(error, "the report cannot be written", where=str(file), remedy=remedy) from error
