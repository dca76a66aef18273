"""Catalogue changes, faults, kills and retries in any order: what a sync publishes is what the marketplace said.

`EMAG_RANDOMISED_EXAMPLES` asks for more stories than usual, `EMAG_RANDOMISED_SEED` for those of an earlier run; a
failure prints its seed, its shortest story and the line that replays it.
"""

import os
import random

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline_tests.randomised.machine import Marketplace

_EXAMPLES = int(os.environ.get("EMAG_RANDOMISED_EXAMPLES", "20"))
_SETTINGS = settings(
    max_examples=_EXAMPLES,
    stateful_step_count=20,
    deadline=None,
    database=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@pytest.mark.timeout(300 + 30 * _EXAMPLES)  # the search for the shortest story takes up to five minutes
def test_whatever_happens_the_published_state_is_what_the_marketplace_said(
    cluster: EmbeddedServer, template: str
) -> None:
    seed = int(os.environ.get("EMAG_RANDOMISED_SEED") or random.getrandbits(32))
    print(f"EMAG_RANDOMISED_SEED={seed}")
    Marketplace.cluster, Marketplace.template = cluster, template
    run_state_machine_as_test(hypothesis.seed(seed)(Marketplace), settings=_SETTINGS)
