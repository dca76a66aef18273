"""A migration that replaces what others have built upon says what that is, and changes nothing."""

import pytest

from emag_pipeline.errors import PermanentError
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import execute


def test_a_view_upon_a_function_that_is_replaced_is_named(empty_url: str) -> None:
    unmigrated = Database(empty_url)
    migrate.upgrade(unmigrated, "0005")
    execute(unmigrated, "CREATE SCHEMA bi")
    execute(unmigrated, "CREATE VIEW bi.yesterday AS SELECT * FROM emag_offers_as_of('main', now())")
    with pytest.raises(PermanentError, match=r"view bi\.yesterday depends on function .*emag_offers_as_of") as refused:
        migrate.upgrade(unmigrated)
    assert "Drop these, repeat the command, then create them again" in refused.value.message
    execute(unmigrated, "DROP VIEW bi.yesterday")
    assert migrate.upgrade(unmigrated)[0] == "0005"
    unmigrated.close()
