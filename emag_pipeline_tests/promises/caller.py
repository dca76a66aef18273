"""`python -m emag_pipeline_tests.promises.caller`: another program of ours that calls for `main`, until it is ended.

It shares nothing with a run but the database's rate budget.
"""

from itertools import cycle

from emag_pipeline.marketplace import MarketplaceClient
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.rate_budget import DatabaseBudget


def main() -> None:
    """Read page after page, round and round."""
    settings = load_settings(env_file=None)
    assert settings.database_url is not None
    database = Database(settings.database_url.get_secret_value())
    budget = DatabaseBudget(database, settings.requests_per_second, settings.requests_per_minute, settings.rate_share)
    client = MarketplaceClient(settings.account("main"), budget, record=lambda _: None)
    for page in cycle(range(1, 4)):
        client.read_page(page)


if __name__ == "__main__":
    main()
