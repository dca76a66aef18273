"""Where the marketplace reads parameters, parameters that it ignores, and the types in its responses."""

from emag_pipeline.drills.actions import all_of, calls, fault, settings
from emag_pipeline.drills.runs import ACCOUNT
from emag_pipeline.drills.scenario import Expected, Scenario, Theme
from emag_pipeline.drills.stage import Stage

_NOTHING = "Nothing: parameters are sent at the top level of the body and under `data`"
_STOPS = "Stops and names the parameter; publishes nothing"
_ANEW = "; the next run starts from scratch"
_PROBE = "Run `emag-pipeline probe` and report its output file: it shows which parameters the marketplace obeys."


def _remove_first(stage: Stage) -> None:
    stage.market.control.remove(ACCOUNT, stage.market.control.ids(ACCOUNT)[:3])


def _ignored(what: str, why: str, *, resumes: bool, place: str = "main", deleted: int = 0) -> Expected:
    message = f"{place}: the marketplace ignores {what}: {why}"
    return Expected(5, "ParametersIgnored", message, deleted=deleted, resumes=resumes)


def _obeyed(place: str, words: str) -> Scenario:
    return Scenario(
        name=f"parameters-{place.replace('_', '-')}",
        fault=f"The marketplace reads pagination and filters only {words}",
        produced=f"the sandbox's setting `parameters` is {place}",
        answer=_NOTHING,
        lasts="Permanently",
        arrange=all_of(settings(parameters=place), _remove_first),
        expected=Expected(deleted=3),
    )


THEME = Theme(
    "Parameters and types",
    (
        _obeyed("top", "at the top level of the body"),
        _obeyed("data", "under the key `data`"),
        Scenario(
            name="pagination-ignored",
            fault="The marketplace ignores currentPage: it returns page 1 every time",
            produced="every page returns the first one",
            answer=f"{_STOPS}{_ANEW}",
            lasts="At once, after three calls",
            expected=_ignored("currentPage", f"page 2 shows the same 97 rows as page 1. {_PROBE}", resumes=False),
            arrange=fault("ignores_page"),
            look=calls(3),
        ),
        Scenario(
            name="page-size-ignored",
            fault="The marketplace ignores itemsPerPage: it returns more rows than requested",
            produced="every page has 500 offers",
            answer=f"{_STOPS}; rows of such a page are not processed{_ANEW}",
            lasts="At once, after three calls",
            expected=_ignored(
                "itemsPerPage", "the response has 500 rows instead of 100, and asked for 1 it …", resumes=False
            ),
            arrange=fault("too_many_rows", rows=500),
            look=calls(3),
        ),
        Scenario(
            name="filters-ignored",
            fault="The marketplace ignores the id filter: a read of one offer returns a page",
            produced="3 of 950 offers are removed, and reads of their ids return the first 100 offers",
            answer=f"{_STOPS} and deletes nothing; the next run resumes and confirms the deletions",
            lasts="At once",
            expected=_ignored(
                "the filter id",
                f"asked for offer …, it returned 100 offers. {_PROBE}",
                place="main, offer …",
                deleted=3,
                resumes=True,
            ),
            arrange=all_of(fault("ignores_filters"), _remove_first),
        ),
        Scenario(
            name="measured-shapes",
            fault="Types are those seen from real accounts, not those of the vendor's document",
            produced="every offer has the shapes seen from real accounts, and PHP's variants of types",
            answer="Publishes every offer exactly",
            lasts="Permanently",
            arrange=settings(shape_share=1, quirk_share=1),
        ),
        Scenario(
            name="documented-shapes",
            fault="Types are those of the vendor's document",
            produced="no offer has the shapes seen from real accounts",
            answer="Publishes every offer exactly; fields that are no longer returned are null",
            lasts="Permanently",
            arrange=settings(shape_share=0, quirk_share=0),
        ),
    ),
)
