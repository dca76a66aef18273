from datetime import UTC, datetime, timedelta

import pytest

from emag_pipeline.errors import SettingsError
from emag_pipeline.review import deviations
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync

_CHECK = "prices_are_plausible"


def _accept(database: Database, *offers: int, check: str = _CHECK, reason: str = "it is right", days: int = 1) -> None:
    until = datetime.now(UTC).date() + timedelta(days=days)
    deviations.accept(database, "main", check, offers, reason=reason, until=until, by="ana")


def test_several_offers_are_accepted_one_by_one(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    _accept(database, 1, 2, 1)
    found = deviations.deviations(database, ["main"])
    assert [(one.offer_id, one.accepted_by, one.is_active) for one in found] == [(1, "ana", True), (2, "ana", True)]


def test_it_holds_to_the_end_of_its_last_day(database: Database) -> None:
    _accept(database, days=0)
    (one,) = deviations.deviations(database, ["main"])
    last = one.accepted_at.replace(hour=0, minute=0, second=0, microsecond=0)
    assert one.expires_at == last + timedelta(days=1)


def test_what_expired_is_listed_on_demand_only(database: Database) -> None:
    _accept(database)
    let_pass(database, timedelta(days=2))
    assert deviations.deviations(database, ["main"]) == []
    assert [one.is_active for one in deviations.deviations(database, ["main"], also_ended=True)] == [False]


def test_other_accounts_see_nothing_of_it(database: Database) -> None:
    _accept(database)
    assert deviations.deviations(database, ["fbe"]) == []
    assert not deviations.is_accepted(database, "fbe", _CHECK)


def test_an_account_is_accepted_as_a_whole_only_when_no_offer_was_named(database: Database) -> None:
    sync(database, [offer(1)])
    _accept(database, 1)
    assert not deviations.is_accepted(database, "main", _CHECK)
    _accept(database)
    assert deviations.is_accepted(database, "main", _CHECK)


def test_what_was_withdrawn_is_in_force_no_more_and_cannot_be_withdrawn_again(database: Database) -> None:
    _accept(database)
    ended = deviations.withdraw(database, 1)
    assert (ended.check, ended.is_active) == (_CHECK, False)
    assert not deviations.is_accepted(database, "main", _CHECK)
    with pytest.raises(SettingsError, match="no acceptance 1 is in force"):
        deviations.withdraw(database, 1)


@pytest.mark.parametrize("check", ["prices", "published_equals_scan", "scan_is_complete"])
def test_a_check_that_cannot_be_accepted_is_refused_naming_those_that_can(database: Database, check: str) -> None:
    with pytest.raises(SettingsError, match="Give one of offers_are_fresh, prices_are_plausible, "):
        _accept(database, check=check)


@pytest.mark.parametrize(("days", "said"), [(-1, "is over"), (367, "is too far away")])
def test_a_day_that_is_over_or_too_far_away_is_refused(database: Database, days: int, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        _accept(database, days=days)


def test_an_empty_reason_is_refused(database: Database) -> None:
    with pytest.raises(SettingsError, match="the reason is empty"):
        _accept(database, reason=" ")


def test_offers_that_the_account_does_not_have_are_refused_and_nothing_is_accepted(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)], gone=[2])
    with pytest.raises(SettingsError, match="main: the account has no offer 2, 3"):
        _accept(database, 1, 2, 3)
    assert deviations.deviations(database, ["main"]) == []


def test_what_judges_the_account_is_not_accepted_for_single_offers(database: Database) -> None:
    sync(database, [offer(1)])
    with pytest.raises(SettingsError, match="Leave --offer out"):
        _accept(database, 1, check="offers_are_fresh")
