"""What real accounts answer is published exactly.

Source: docs/marketplace-api.md, "Offer fields", "Types and spellings".
"""

from collections.abc import Iterator

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.truth import assert_published_exactly


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    sizes = {"main": 1200}
    with unlimited_sandbox(accounts=sizes, shape_share=1) as server:
        yield server


def test_1200_offers_in_measured_shapes_are_published_exactly_without_a_reject_or_a_surprise(
    market: SandboxServer, database: Database
) -> None:
    summary = refresh(context_for(database, market.url))
    assert summary.published.quarantined == 0
    assert_published_exactly(database, market, "main")
    with database.transaction() as tx:
        assert list(tx.run("SELECT field, kind, sample FROM emag_answer_surprises")) == []
