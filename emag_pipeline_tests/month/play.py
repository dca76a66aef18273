"""Thirty days in a few minutes: trade, syncs by the real job, and time that passes."""

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

from emag_pipeline_tests.month.life import Life
from emag_pipeline_tests.month.past import Past
from emag_pipeline_tests.month.reconcile import Reckoning, reconcile_marts
from emag_pipeline_tests.month.stage import Stage
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.syncs import rows

#: Between the first publish and the month: so the first days lie outside of what the sales pace looks at.
_QUIET = timedelta(days=3)
_NEWEST = """SELECT max(completed_at) AS at FROM emag_offer_syncs
             WHERE account_type = :account AND status = 'completed'"""


@dataclass(slots=True)
class Month:
    """What was played: the past as it truly was, what the marts said meanwhile, how long the syncs took."""

    past: Past
    on_the_way: Reckoning = field(default_factory=Reckoning)
    sync_seconds: list[float] = field(default_factory=list)
    mart_seconds: list[float] = field(default_factory=list)
    spoilt: int = 0


def play(stage: Stage, days: int, chance: random.Random, say: Callable[[str], None] = lambda _: None) -> Month:
    """Play so many days, each with one to three syncs of each account; after each sync the marts are reconciled."""
    month = Month(Past(stage.accounts))
    life = Life(stage.market, chance)
    stage.run("refresh_reference", stage.settings.accounts[0].marketplace.name)
    for account in stage.accounts:
        _sync(stage, month, account)
    _let_pass(stage, month, _QUIET)
    for day in range(1, days + 1):
        gaps = _gaps(chance)
        for gap in gaps:
            _let_pass(stage, month, timedelta(days=gap))
            for account in stage.accounts:
                life.pass_time(account, gap)
                _sync(stage, month, account, life.spoil(account))
        say(f"day {day}: {len(gaps)} syncs, {len(month.on_the_way.differences)} differences so far")
    return month


def _gaps(chance: random.Random) -> list[float]:
    """The times between a day's syncs, in days: at any hour."""
    moments = [0.0, *sorted(chance.random() for _ in range(chance.randint(0, 2))), 1.0]
    return [later - earlier for earlier, later in pairwise(moments)]


def _let_pass(stage: Stage, month: Month, past: timedelta) -> None:
    let_pass(stage.database, past)
    month.past.let_pass(past)


def _sync(stage: Stage, month: Month, account: str, spoilt: Collection[int] = ()) -> None:
    """Sync while the marketplace shows some rows spoilt, refresh the marts, and reconcile them."""
    if spoilt:
        stage.market.add_fault("poison", account=account, row="no_id", offer_ids=list(spoilt))
    month.sync_seconds.append(stage.run("refresh_offers", account))
    stage.market.clear_faults()
    ((at,),) = rows(stage.database, _NEWEST, account=account)
    month.past.add(account, at, stage.market.truth(account), spoilt)
    month.spoilt += len(spoilt)
    month.mart_seconds.append(stage.run("refresh_marts", account))
    reconcile_marts(month.on_the_way, stage.database, month.past, account)
