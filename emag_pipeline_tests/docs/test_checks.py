"""docs/checks.md tells of every check, and whether it blocks."""

import re
from pathlib import Path

from emag_pipeline.definitions import defs
from emag_pipeline.marts.registry import MARTS
from emag_pipeline.monitoring import alerts, metric_list

_PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
_ROW = re.compile(r"^\| `([a-z_]+)` \| (.*) \|$", re.MULTILINE)


def test_every_check_has_a_row_and_those_that_block_say_so() -> None:
    graph = defs.resolve_asset_graph()
    listed = {name: "| blocks |" in f"| {cells} |" for name, cells in _ROW.findall(_PAGE.read_text(encoding="utf-8"))}
    assert listed == {key.name: graph.get_check_spec(key).blocking for key in graph.asset_check_keys}


def test_the_checks_of_marts_are_described_as_in_the_ui() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    for mart in MARTS:
        sentence = mart.check_sentence[0].lower() + mart.check_sentence[1:].rstrip(".")
        assert f"| `{mart.check}` | `{mart.name}` | {sentence} |" in page


def test_the_guide_to_alerts_lists_each_kind_and_the_metric_counts_it() -> None:
    guide = _PAGE.with_name("how-to") / "alerts.md"
    listed = re.findall(r"^\| (\w+) \| .* \| .* \|$", guide.read_text(encoding="utf-8").split("| error |")[0], re.M)
    assert listed[0] == "kind"
    assert sorted(listed[1:]) == sorted(alerts.HEADLINES) == sorted(metric_list.INCIDENTS.labels["kind"])
