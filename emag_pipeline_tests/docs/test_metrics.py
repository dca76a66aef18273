"""docs/metrics.md is what the exporter tells."""

from pathlib import Path

from emag_pipeline.monitoring.metric_document import PATH, rendered

_ROOT = Path(__file__).parents[2]


def test_the_list_of_metrics_is_that_of_the_exporter() -> None:
    assert (_ROOT / PATH).read_text(encoding="utf-8") == rendered(), (
        "run `python -m emag_pipeline.monitoring.metric_document`"
    )
