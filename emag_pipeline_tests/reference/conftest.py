"""A sandbox without limits, and contexts of runs against it, whose retries wait little."""

from emag_pipeline_tests.marketplace.back_off import short_back_off
from emag_pipeline_tests.sync.plain_market import already_published, database_url, main, market, published_template

__all__ = ["already_published", "database_url", "main", "market", "published_template", "short_back_off"]
