"""A sandbox without limits, and contexts of runs against it."""

from emag_pipeline_tests.sync.plain_market import main, market

__all__ = ["main", "market"]
