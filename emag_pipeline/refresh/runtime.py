"""How long a run of `refresh_offers` may take before Dagster ends it: longer than its sync may, which says more.

Dagster's bound is for a run that hangs where its own deadline is not looked at; a sync that is late ends by itself and
says so in the ledger.
"""

from contextlib import closing

from emag_pipeline.databases import as_it_stands
from emag_pipeline.errors import PipelineError
from emag_pipeline.settings import Settings
from emag_pipeline.sync import accounts, remembered
from emag_pipeline.sync.ledger import last_count
from emag_pipeline.sync.plan import OFFERS_A_PAGE, allowed_seconds, readings_due, scan_seconds, usual

#: A launch does not wait longer for a database that says nothing.
_LOOK_SECONDS = 2.0
#: For what stands around the scan: start, audit, publish, checks.
_AROUND_SECONDS = 600.0


def most_seconds(account: str, settings: Settings) -> float:
    """The seconds that the account's next run may take, by its last count of offers.

    Where there is none, or the database does not tell, by as many as EMAG_SYNC_MAX_PAGES allows.
    """
    offers, page_size, is_odd_ignored = settings.max_pages * OFFERS_A_PAGE, settings.page_size, False
    try:
        with closing(as_it_stands(settings, most_seconds=_LOOK_SECONDS)) as database:
            offers = last_count(database, account) or offers
            page_size = min(page_size, accounts.page_size(database, account).size or page_size)
            is_odd_ignored = remembered.habits(database, account).ignores_odd_sizes
    except PipelineError:
        pass  # the run itself says what is wrong
    readings = readings_due(page_size, ignores_odd_sizes=is_odd_ignored)
    needed = scan_seconds(offers, usual(page_size) if is_odd_ignored else page_size, settings.pace_seconds, readings)
    return allowed_seconds(settings.timeout_hours, needed) + _AROUND_SECONDS
