"""All data of an account's report, read at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from emag_pipeline.marts import figures
from emag_pipeline.marts.figures import (
    Band,
    ButtonCounts,
    Day,
    HeldBackOffer,
    IssueCount,
    LostSales,
    LowStock,
    RankedOffer,
    SoldOutOffer,
)
from emag_pipeline.marts.registry import OF_NEWEST_PUBLISH
from emag_pipeline.monitoring.incidents import Incident, open_incidents
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.sync import ledger, published, quarantine, timeline
from emag_pipeline.sync.ledger import Sync
from emag_pipeline.sync.published import TIMEOUT_SECONDS, Headline
from emag_pipeline.sync.quarantine import Rejected
from emag_pipeline.sync.timeline import ScanTimeline

_SQL = statements("report/facts.sql")
_MOST_REJECTS = 10


@dataclass(frozen=True, slots=True)
class MartStamp:
    """Which publish a mart shows."""

    mart: str
    published_at: datetime
    refreshed_at: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The data; `timeline` is None before the first scan."""

    headline: Headline
    days: list[Day]
    issues: list[IssueCount]
    held_back: list[HeldBackOffer]
    held_back_offers: int
    sold_out: list[SoldOutOffer]
    lost_sales: LostSales
    buttons: ButtonCounts
    lost: list[RankedOffer]
    gaps: list[RankedOffer]
    bands: list[Band]
    least_cover: list[LowStock]
    syncs: list[Sync]
    marts: list[MartStamp]
    incidents: list[Incident]
    rejects: list[Rejected]
    timeline: ScanTimeline | None

    @property
    def is_first_publish(self) -> bool:
        """Whether it is the first publish, so that no changes are known."""
        return self.headline.published_at is not None and self.buttons.lost is None

    @property
    def running_out(self) -> int:
        """Saleable offers that sell out within a week at their pace; others do not sell."""
        return sum(band.offers - band.not_saleable for band in self.bands if band.urgency == "soon")

    @property
    def running_out_not_saleable(self) -> int:
        """Offers whose stock runs out within 30 days, but which are not saleable now."""
        return sum(band.not_saleable for band in self.bands)

    @property
    def marts_behind(self) -> list[MartStamp]:
        """Marts that show an older publish than the offers. Not the marts by day, whose own job runs a moment later."""
        published = self.headline.published_at
        names = {mart.name for mart in OF_NEWEST_PUBLISH}
        followed = [mart for mart in self.marts if mart.mart in names]
        return [mart for mart in followed if published is not None and mart.published_at < published]

    def day_before(self, days: int) -> Day | None:
        """The figures this many days before the publish; None if that day is not known."""
        if self.headline.published_at is None:
            return None
        wanted = self.headline.published_at.date() - timedelta(days=days)
        return next((day for day in self.days if day.day == wanted), None)


def facts_of(database: Database, account: str) -> Facts:
    """Read the account's report. Tables are not read in one snapshot: a publish may happen in between."""
    scan = timeline.newest_scan(database, account)
    return Facts(
        headline=published.headline(database, account),
        days=figures.days(database, account),
        issues=figures.issue_counts(database, account),
        held_back=figures.held_back(database, account),
        held_back_offers=figures.count_held_back(database, account),
        sold_out=figures.sold_out(database, account),
        lost_sales=figures.lost_sales(database, account),
        buttons=figures.button_counts(database, account),
        lost=figures.lost_buttons(database, account),
        gaps=figures.widest_gaps(database, account),
        bands=figures.cover_bands(database, account),
        least_cover=figures.least_cover(database, account),
        syncs=last_syncs(database, account),
        marts=mart_stamps(database, account),
        incidents=open_incidents(database, account),
        rejects=quarantine.newest(database, [account], _MOST_REJECTS),
        timeline=None if scan is None else timeline.timeline(database, scan),
    )


def last_syncs(database: Database, account: str, limit: int = 8) -> list[Sync]:
    """The newest syncs, the newest first."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return ledger.newest(tx, account, limit)


def mart_stamps(database: Database, account: str) -> list[MartStamp]:
    """The account's marts by name."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return rows_of(tx.run(_SQL["mart_stamps"], account=account), MartStamp)
