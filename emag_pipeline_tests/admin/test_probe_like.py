"""A sandbox that is started with a probe's file answers in its shapes, and is published exactly."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from emag_pipeline.marketplace.normalise import FIELDS, OF_DETAILS
from emag_pipeline.sandbox import LikenessError, SandboxServer, like
from emag_pipeline.sandbox.like.figures import TYPES
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.admin.probing import probed, written
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for, ledger_row, refresh
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

Content = dict[str, Any]
Start = Callable[..., SandboxServer]
_QUICK = {"latency_seconds": 0, "seconds_per_offer": 0}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a sandbox like a file with this content."""
    with ExitStack() as opened:

        def started(content: Content, **settings: Any) -> SandboxServer:
            likeness = like.read(written(tmp_path, content))
            return opened.enter_context(
                unlimited_sandbox(accounts={"main": 230}, like=likeness, **{"seed": 77} | _QUICK | settings)
            )

        yield started


@pytest.fixture(scope="module")
def original() -> Content:
    """The probe of a sandbox with its usual shapes, all refusals and spellings of PHP among them."""
    with unlimited_sandbox(accounts={"main": 400}, shape_share=0.8, quirk_share=0.3) as sandbox:
        ids = sandbox.ids("main")
        for place in range(0, 60, 3):
            sandbox.edit("main", ids[place], energy_label={"class": "A", "scale": [1.5]}, brand_name=place % 2 == 0)
        return probed(sandbox)


def _types(content: Content) -> dict[str, tuple[Any, ...]]:
    fields = content["offers"]["fields"]
    return {path: (one["types"], one.get("absent", 0), one.get("empty")) for path, one in fields.items()}


def test_it_has_each_type_at_each_path_as_often(original: Content, start: Start) -> None:
    assert _types(probed(start(original))) == _types(original)


def test_it_is_published_exactly_with_no_row_rejected(original: Content, start: Start, database: Database) -> None:
    sandbox = start(original)
    context = context_for(database, sandbox.url)
    assert refresh(context).published.offers == 230
    assert ledger_row(context).offers_rejected == 0
    assert_published_exactly(database, sandbox, "main")
    sandbox.advance(days=5)
    refresh(context_for(database, sandbox.url))
    assert_published_exactly(database, sandbox, "main")


def test_truth_is_null_where_a_shape_says_nothing(original: Content, start: Start) -> None:
    original = {**original, "offers": {**original["offers"], "fields": {**original["offers"]["fields"]}}}
    original["offers"]["fields"]["ownership"] = {"types": {"boolean": 100}}
    assert {offer["ownership"] for offer in start(original).truth("main")} == {None}


@pytest.mark.parametrize("place", ["top", "data", "both", "neither"])
def test_it_obeys_parameters_where_the_account_did(original: Content, start: Start, place: str) -> None:
    sandbox = start({**original, "parameters": {"obeyed": place}})
    assert probed(sandbox)["parameters"]["obeyed"] == place


def test_order_and_latency_are_those_of_the_account(original: Content, tmp_path: Path) -> None:
    calls = [{"milliseconds": 40, "rows": None, "error": None}, {"milliseconds": 1040, "rows": 100, "error": None}]
    told = {**original, "calls": calls, "order": {"ids_ascend": False, "ids_descend": True}}
    likeness = like.read(written(tmp_path, told))
    assert likeness.settings["order"] == "id_desc"
    assert (likeness.settings["latency_seconds"], likeness.settings["seconds_per_offer"]) == (0.04, 0.01)


_SMALL: Content = {
    "format": 1,
    "offers": {
        "rows": 10,
        "others": "usual",
        "fields": {
            "novelty": {"types": {"text": 4}, "absent": 6, "length": {"text": [3, 12]}},
            "warranty": {"types": {"list": 10}, "length": {"list": [2, 2]}},
            "warranty[]": {"types": {"integer": 20}, "digits": {"integer": [2, 3]}},
        },
    },
}


def test_a_new_field_and_a_wrong_type_are_published_and_noticed(start: Start, database: Database) -> None:
    sandbox = start(_SMALL)
    context = context_for(database, sandbox.url)
    assert refresh(context).published.offers == 230
    assert_published_exactly(database, sandbox, "main")
    noticed = rows(database, "SELECT field, kind FROM emag_answer_surprises ORDER BY field")
    assert [tuple(one) for one in noticed] == [("novelty", "unknown field"), ("warranty", "unexpected type")]


def _in_all_types(names: list[str]) -> dict[str, Any]:
    """Figures of fields that come as anything, and of what is in them."""
    mixture: dict[str, Any] = {"types": dict.fromkeys(TYPES, 4), "absent": 4, "empty": {"text": 1}}
    inner = {"[]": {"integer": 4, "text": 4, "null": 1}, ".*": {"object": 4}, ".*.value": {"integer": 4}}
    below = {name + path: {"types": types} for name in names for path, types in inner.items()}
    return {**dict.fromkeys(names, mixture), **below, **{f"{name}.value": {"types": {"text": 4}} for name in names}}


def test_fields_of_all_types_are_published_exactly(start: Start, database: Database) -> None:
    names = sorted(FIELDS - OF_DETAILS - {"id"})
    sandbox = start(_with(offers={"rows": 36, "others": "usual", "fields": _in_all_types(names)}))
    context = context_for(database, sandbox.url, EMAG_SYNC_REJECT_TOLERANCE="1")
    assert refresh(context).published.quarantined == 0
    assert_published_exactly(database, sandbox, "main")


def test_an_invented_value_has_the_length_that_is_told(start: Start) -> None:
    fields = probed(start(_SMALL))["offers"]["fields"]
    assert fields["novelty"] == {"types": {"text": 40}, "absent": 60, "length": {"text": [3, 12]}}


def test_the_example_of_the_page_is_served_as_it_says(start: Start) -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/probe.md").read_text(encoding="utf-8")
    told = probed(start(json.loads(page.partition("```json\n")[2].partition("```")[0])))
    assert told["unknown_fields"] == ["energy_label"]
    assert told["offers"]["fields"]["energy_label"]["absent"] == 60
    assert told["offers"]["fields"]["warranty"]["types"] == {"integer": 70, "list": 30}
    assert told["parameters"]["obeyed"] == "data"


def _with(**changes: Any) -> Content:
    return {**_SMALL, **changes}


def _field(path: str, figures: object) -> Content:
    return _with(offers={"rows": 10, "fields": {path: figures}})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "it is not a JSON object with a format"),
        (_with(format=2), "its format is '2', this sandbox reads 1"),
        (_with(offers=None), "it describes no offers"),
        (_with(offers={"rows": 0, "fields": {}}), "offers.rows is not a whole number from 1"),
        (
            _with(parameters={"obeyed": "left"}),
            "parameters.obeyed is 'left', but must be one of top, data, both, neither",
        ),
        (_with(calls=[{"milliseconds": "soon"}]), "milliseconds or rows in calls is not a whole number"),
        (_field("a..b", {"types": {}}), "the path 'a..b' is not of the form"),
        (_field("a", {"types": {"number": 1}}), "a, types has the unknown type 'number'; th"),
        (_field("a", {"types": {"text": -1}}), "a, types is '-1', but must be a whole number from 0"),
        (_field("a", {"types": {"text": 1}, "length": {"text": [5, 2]}}), "a, length is not [least, most]"),
        (_field("a", {"sorts": {}}), "a is not an object with types"),
        (_field("a", {"types": {}, "sorts": 1}), "a has the unknown key 'sorts'; the known"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_a_reason_and_a_remedy(
    content: object, reason: str, tmp_path: Path
) -> None:
    file = written(tmp_path, content)
    with pytest.raises(LikenessError) as caught:
        like.read(file)
    words = str(caught.value)
    assert words.startswith(f"{file}: {reason}")
    assert words.endswith(". Give a file that `emag-pipeline probe` wrote, or correct it (docs/how-to/probe.md).")


def test_a_file_that_is_not_there_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LikenessError, match=r"it cannot be read \(No such file or directory\)"):
        like.read(tmp_path / "none.json")
    (tmp_path / "text.json").write_bytes(b"\xff{")
    with pytest.raises(LikenessError, match="it is not JSON"):
        like.read(tmp_path / "text.json")
