"""docs/metrics.md is what the exporter tells, and the exporter has a name for whatever is called."""

import re
from pathlib import Path

from emag_pipeline.monitoring.metric_list import OTHER, PATH, REQUESTS, rendered

_ROOT = Path(__file__).parents[2]


def test_the_list_of_metrics_is_that_of_the_exporter() -> None:
    assert (_ROOT / PATH).read_text(encoding="utf-8") == rendered(), (
        "run `python -m emag_pipeline.monitoring.metric_list`"
    )


def test_every_resource_that_is_called_has_a_name_of_its_own() -> None:
    sources = [file.read_text("utf-8") for file in (_ROOT / "emag_pipeline" / "marketplace").glob("*.py")]
    called = {resource for source in sources for resource in re.findall(r'Call\(\s*"([a-z_]+/[a-z_]+)"', source)}
    assert {"product_offer/read", "category/count"} <= called
    assert called == set(REQUESTS.labels["resource"]) - {OTHER}
