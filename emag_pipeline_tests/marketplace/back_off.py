"""A twentieth of the waits before retries, for rooms whose tests are not about these waits.

How long the real ones are is tested in `emag_pipeline_tests/marketplace`, whose tests keep them.
"""

from collections.abc import Iterator

import pytest
from tenacity import RetryCallState

from emag_pipeline.marketplace import calls

_DIVISOR = 20


@pytest.fixture(autouse=True)
def short_back_off() -> Iterator[None]:
    """In this process only. A wait that the marketplace asks for stays as it is."""
    real = calls._back_off

    def short(state: RetryCallState) -> float:
        return real(state) / _DIVISOR

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "_back_off", short)
        yield
