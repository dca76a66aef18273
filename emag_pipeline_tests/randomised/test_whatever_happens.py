"""Catalogue changes, faults, kills and retries in any order: what a sync publishes is what the marketplace said.

`EMAG_RANDOMISED_EXAMPLES` asks for more stories than usual, `EMAG_RANDOMISED_SEED` for those of an earlier run; a
failure prints its seed, its shortest story and the line that replays it.
"""

import os
import random
from typing import Literal

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline_tests.randomised.machine import Marketplace
from emag_pipeline_tests.randomised.world import World

_ENDS: tuple[Literal["end"], Literal["front"]] = ("end", "front")
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


@pytest.mark.slow
@pytest.mark.parametrize("order", ["id", "id_desc"])
def test_a_catalogue_that_moves_with_every_few_calls_is_published_at_every_sync(
    cluster: EmbeddedServer, template: str, order: str
) -> None:
    seed = int(os.environ.get("EMAG_RANDOMISED_SEED") or random.getrandbits(32))
    print(f"EMAG_RANDOMISED_SEED={seed}")
    chance = random.Random(seed)
    world = World(cluster, template, offers=400, order=order, seed=1)
    places = iter(lambda: (chance.randrange(400), chance.choice(_ENDS)), None)
    try:
        for size, every in ((100, 1), (100, 2), (50, 1), (20, 2), (10, 3), (5, 5)):
            assert world.attempt_while_it_moves(places, size=size, every=every) is None
            assert len(world.during(world.newest_sync().sync_id)) > 3, "it has moved"
    finally:
        world.close()
