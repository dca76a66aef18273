"""What emag_accounts says of an account that nobody configures any more."""

from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.sync.syncs import begin, rows

_MAIN, _FBE = ("main", "emag_ro", "RON"), ("fbe", "emag_ro", "RON")


def _left(database: Database) -> list[str]:
    return [name for (name,) in rows(database, "SELECT account_type FROM emag_accounts WHERE left_at < now()")]


def test_an_account_is_marked_once_its_own_installation_does_without_it_and_until_it_is_back(
    database: Database,
) -> None:
    note_accounts(database, [_MAIN, _FBE], by="one")
    begin(database, "fbe", dagster_instance_id="one")
    note_accounts(database, [_MAIN])
    assert _left(database) == []
    note_accounts(database, [_MAIN], by="one")
    assert _left(database) == ["fbe"]
    since = rows(database, "SELECT left_at, xmin::text FROM emag_accounts WHERE account_type = 'fbe'")
    note_accounts(database, [_MAIN], by="one")
    assert rows(database, "SELECT left_at, xmin::text FROM emag_accounts WHERE account_type = 'fbe'") == since
    note_accounts(database, [_FBE], by="two")
    assert _left(database) == []


def test_an_account_of_another_installation_has_not_left(database: Database) -> None:
    note_accounts(database, [_MAIN, _FBE], by="two")
    first = begin(database, "fbe", dagster_instance_id="one")
    ledger.end(database, first, "failed", error_class="ApiUnavailable", message="it failed", remedy="Do this")
    begin(database, "fbe", dagster_instance_id="two")
    note_accounts(database, [_MAIN], by="one")
    assert _left(database) == []
