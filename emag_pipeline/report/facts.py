"""Everything that a report tells of an account, read at once."""

from dataclasses import dataclass
from datetime import timedelta

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
from emag_pipeline.monitoring.incident_table import Incident
from emag_pipeline.report import syncs
from emag_pipeline.report.syncs import LedgerRow, MartStamp
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import headline, quarantine, timeline
from emag_pipeline.sync.headline import Headline
from emag_pipeline.sync.quarantine import Rejected
from emag_pipeline.sync.timeline import ScanTimeline

_MOST_REJECTS = 10


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tables say; `timeline` is None before the first scan."""

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
    syncs: list[LedgerRow]
    marts: list[MartStamp]
    incidents: list[Incident]
    rejects: list[Rejected]
    timeline: ScanTimeline | None

    @property
    def is_first_publish(self) -> bool:
        """There was none before, so nothing is known to have changed."""
        return self.headline.published_at is not None and self.buttons.lost is None

    @property
    def running_out(self) -> int:
        """Offers for sale that are sold out within a week at their pace: what nobody can buy does not run out."""
        return sum(band.offers - band.not_saleable for band in self.bands if band.urgency == "soon")

    @property
    def running_out_not_saleable(self) -> int:
        """Offers whose stock runs out within 30 days, but which nobody can buy now."""
        return sum(band.not_saleable for band in self.bands)

    @property
    def marts_behind(self) -> list[MartStamp]:
        """Marts that show an older publish than the offers do. Marts by day have a job of their own, a moment later."""
        published = self.headline.published_at
        names = {mart.name for mart in OF_NEWEST_PUBLISH}
        followed = [mart for mart in self.marts if mart.mart in names]
        return [mart for mart in followed if published is not None and mart.published_at < published]

    def day_before(self, days: int) -> Day | None:
        """The figures of so many days before the publish; None where that day is not known."""
        if self.headline.published_at is None:
            return None
        wanted = self.headline.published_at.date() - timedelta(days=days)
        return next((day for day in self.days if day.day == wanted), None)


def facts_of(database: Database, account: str) -> Facts:
    """Read the account's report. Each table is read as it is at that moment: a publish may pass between two."""
    scan = timeline.newest_scan(database, account)
    return Facts(
        headline=headline.headline(database, account),
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
        syncs=syncs.last_syncs(database, account),
        marts=syncs.mart_stamps(database, account),
        incidents=syncs.incidents_of(database, account),
        rejects=quarantine.newest(database, [account], _MOST_REJECTS),
        timeline=None if scan is None else timeline.timeline(database, scan),
    )
