"""Offers of one marketplace, the sandbox's least of all, never meet those of another under one account."""

import pytest

from emag_pipeline.accounts import Account
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.sync.hosts import require_same_host
from emag_pipeline.sync.marketplaces import note_marketplaces
from emag_pipeline_tests.db.syncs import rows

_REAL = {"EMAG_API_USERNAME": "seller", "EMAG_API_PASSWORD": "geheim"}


def _settings(**variables: str) -> Settings:
    return load_settings(variables, env_file=None)


def _main(**variables: str) -> Account:
    return _settings(**variables).account("main")


def _host(database: Database) -> object:
    ((host,),) = rows(database, "SELECT host FROM {schema}.emag_accounts WHERE account_type = 'main'")
    return host


def test_the_first_host_is_noted_and_another_one_refused(database: Database) -> None:
    require_same_host(database, _main())
    assert _host(database) == "127.0.0.1"
    with pytest.raises(SettingsError, match="`emag-pipeline forget main`") as caught:
        require_same_host(database, _main(**_REAL))
    assert caught.value.message.startswith(
        "main: its offers came from 127.0.0.1, and now it is to be read from marketplace-api.emag.ro. "
    )
    assert _host(database) == "127.0.0.1"


def test_a_port_is_no_other_host_nor_is_another_name_of_this_machine(database: Database) -> None:
    require_same_host(database, _main())
    require_same_host(database, _main(EMAG_SANDBOX_PORT="9999"))
    require_same_host(database, _main(**_REAL, EMAG_API_BASE_URL="http://localhost:1/api-3"))
    assert _host(database) == "127.0.0.1"


def test_an_account_that_was_there_before_takes_the_host_of_the_first_start(database: Database) -> None:
    note_marketplaces(database, _settings(**_REAL))
    assert _host(database) is None
    require_same_host(database, _main(**_REAL))
    assert _host(database) == "marketplace-api.emag.ro"
    with pytest.raises(SettingsError, match=r"now it is to be read from marketplace-api\.emag\.bg"):
        require_same_host(database, _main(**_REAL, EMAG_API_BASE_URL="https://marketplace-api.emag.bg/api-3"))


def test_what_else_is_known_of_the_account_does_not_touch_its_host(database: Database) -> None:
    require_same_host(database, _main(**_REAL))
    note_marketplaces(database, _settings(**_REAL, EMAG_API_BASE_URL="https://marketplace-api.emag.hu/api-3"))
    assert _host(database) == "marketplace-api.emag.ro"
