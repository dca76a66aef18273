import re
from pathlib import Path

import pytest

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import Settings, load_settings

_MAIN = {"EMAG_API_USERNAME": "seller", "EMAG_API_PASSWORD": "geheim"}


def _load(**environ: str) -> Settings:
    return load_settings(environ, env_file=None)


def test_nothing_set_means_sandbox_and_embedded_database() -> None:
    settings = _load()
    assert (settings.uses_sandbox, settings.uses_embedded_database) == (True, True)
    assert [(a.name, a.base_url) for a in settings.accounts] == [
        ("main", "http://127.0.0.1:8765/api-3"),
        ("fbe", "http://127.0.0.1:8765/api-3"),
    ]


def test_credentials_name_the_accounts() -> None:
    settings = _load(
        **_MAIN, EMAG_FBE_API_USERNAME="u", EMAG_FBE_API_PASSWORD="p", EMAG_FBE_API_BASE_URL="https://x.bg/"
    )
    assert [(a.name, a.username, a.base_url) for a in settings.accounts] == [
        ("main", "seller", "https://marketplace-api.emag.ro/api-3"),
        ("fbe", "u", "https://x.bg"),
    ]


def test_half_an_account_is_refused_with_the_missing_variable() -> None:
    with pytest.raises(
        SettingsError, match=re.escape("main: the account's credentials are incomplete. Set EMAG_API_PASSWORD.")
    ):
        _load(EMAG_API_USERNAME="seller")


def test_an_account_that_is_only_in_emag_accounts_is_refused_with_what_was_given_and_what_to_do() -> None:
    said = (
        "fbee of EMAG_ACCOUNTS=main,fbee: the account's credentials are incomplete. Set EMAG_FBEE_API_USERNAME and "
        "EMAG_FBEE_API_PASSWORD, or correct EMAG_ACCOUNTS."
    )
    with pytest.raises(SettingsError, match=re.escape(said)):
        _load(**_MAIN, EMAG_ACCOUNTS="main,fbee")


def test_a_marketplace_without_credentials_is_refused() -> None:
    with pytest.raises(SettingsError, match="no credentials"):
        _load(EMAG_API_BASE_URL="https://marketplace-api.emag.bg/api-3")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EMAG_SYNC_MAX_PAGES", "0"),
        ("EMAG_API_PAGE_SIZE", "0"),
        ("EMAG_API_PAGE_SIZE", "101"),
        ("EMAG_API_SILENCE_SECONDS", "0"),
        ("EMAG_MAX_CONCURRENT_RUNS", "0"),
        ("EMAG_API_CALL_SECONDS", "nan"),
        ("EMAG_LANGUAGE", "ron"),
        ("EMAG_LANGUAGE", "ro_RO"),
        ("EMAG_SYNC_TIMEOUT_HOURS", "nan"),
        ("EMAG_SYNC_MAX_SHRINK", "1.5"),
        ("EMAG_CHECK_PRICE_MOVE", "0"),
        ("EMAG_FIRST_DAY", "yesterday"),
        ("EMAG_FIRST_DAY", "2999-01-01"),
        ("EMAG_SYNC_RATE_SHARE", "0"),
        ("EMAG_UI_PORT", "70000"),
        ("DB_SCHEMA", 'app"; DROP'),
        ("EMAG_LOG_LEVEL", "loud"),
        ("EMAG_ACCOUNTS", "Main"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{variable} is {value!r}")) as raised:
        _load(**{variable: value})
    assert raised.value.exit_code == 2


def test_every_wrong_value_has_a_line_of_its_own() -> None:
    with pytest.raises(SettingsError) as raised:
        _load(EMAG_UI_PORT="x", EMAG_SYNC_MAX_PAGES="y")
    assert len(str(raised.value).splitlines()) == 2


def test_wrong_variables_of_all_kinds_are_told_together() -> None:
    with pytest.raises(SettingsError) as raised:
        _load(
            EMAG_API_USERNAME="u",
            EMAG_FBE_API_USERNAME="a:b",
            DATABASE_URL="mysql://h/d",
            DB_SCHEMA="Ä",
            DAGSTER_PG_URL="x",
        )
    told = [problem.message for problem in raised.value.problems]
    for text in ("EMAG_API_PASSWORD", "fbe: ", "DATABASE_URL", "DB_SCHEMA", "DAGSTER_PG_URL"):
        assert sum(text in line for line in told) == 1
    assert str(raised.value).splitlines()[0] == told[0]


def test_the_settings_know_their_secrets_as_given_and_as_sent() -> None:
    settings = _load(
        **_MAIN,
        DATABASE_URL="postgresql://u:p%40ss@h/d?sslpassword=key",
        DAGSTER_PG_URL="postgresql://u:other@h/d",
        EMAG_ALERT_WEBHOOK_URL="https://hooks.example/T0/B1",
    )
    assert settings.secrets >= {"geheim", "c2VsbGVyOmdlaGVpbQ==", "p@ss", "key", "other", "T0/B1"}


def test_the_sandboxs_password_is_no_secret() -> None:
    assert _load().secrets == frozenset()


def test_a_database_url_wins_over_its_parts_and_brings_dagsters_beside() -> None:
    settings = _load(DATABASE_URL="postgresql+asyncpg://u:p@h/emag?sslmode=require", DB_HOST="other")
    assert settings.database_url is not None
    assert settings.dagster_pg_url is not None
    assert settings.database_url.get_secret_value() == "postgresql+psycopg2://u:p@h/emag?sslmode=require"
    assert settings.dagster_pg_url.get_secret_value() == "postgresql+psycopg2://u:p@h/emag_dagster?sslmode=require"


def test_parts_are_quoted_into_a_url() -> None:
    settings = _load(DB_HOST="h", DB_NAME="d", DB_USER="u", DB_PASS="p@:/")
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql+psycopg2://u:p%40%3A%2F@h:5432/d"


def test_half_a_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="Set DB_NAME and DB_USER too"):
        _load(DB_HOST="h")


@pytest.mark.parametrize("port", ["five", "0", "65536"])
def test_a_database_port_is_a_port_number(port: str) -> None:
    with pytest.raises(SettingsError, match=f"DB_PORT is '{port}'"):
        _load(DB_HOST="h", DB_NAME="d", DB_USER="u", DB_PORT=port)


def test_the_real_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("EMAG_SYNC_MAX_PAGES=7\nEMAG_UI_PORT=4000\n")
    settings = load_settings({"EMAG_UI_PORT": "5000"}, file)
    assert (settings.max_pages, settings.ui_port) == (7, 5000)


def test_no_secret_is_ever_shown() -> None:
    settings = _load(**_MAIN, DATABASE_URL="postgresql://u:geheim@h/d", EMAG_ALERT_WEBHOOK_URL="https://x/geheim")
    assert "geheim" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_an_unknown_account_is_refused_with_those_that_exist() -> None:
    with pytest.raises(SettingsError, match="Use one of: main, fbe"):
        _load().account("mian")


def test_a_call_takes_at_least_as_long_as_its_silence() -> None:
    with pytest.raises(SettingsError, match=r"EMAG_API_CALL_SECONDS is 30, less than the 60 seconds .*SILENCE_SECONDS"):
        _load(EMAG_API_CALL_SECONDS="30")
    settings = _load(EMAG_API_CALL_SECONDS="30", EMAG_API_SILENCE_SECONDS="30")
    assert (settings.call_seconds, settings.silence_seconds, settings.page_size) == (30, 30, 100)


def test_the_marketplace_is_quoted_in_its_own_language_unless_one_is_set() -> None:
    bulgaria = "https://marketplace-api.emag.bg/api-3"
    strange = {"EMAG_X_API_USERNAME": "u", "EMAG_X_API_PASSWORD": "p", "EMAG_X_API_BASE_URL": "https://x.example/api-3"}
    settings = _load(**_MAIN, **strange, EMAG_API_BASE_URL=bulgaria)
    assert (settings.language_of("main"), settings.language_of("x")) == ("bg", None)
    assert _load(**_MAIN, EMAG_API_BASE_URL=bulgaria, EMAG_LANGUAGE="RO").language_of("main") == "ro"


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("EMAG_UI_PORT", "70000", "a whole number from 1 to 65535 is needed. Set it like EMAG_UI_PORT=3333."),
        ("EMAG_UI_PORT", "x", "a whole number from 1 to 65535 is needed"),
        ("EMAG_SYNC_MAX_PAGES", "many", "a whole number from 1 on is needed. Set it like EMAG_SYNC_MAX_PAGES=100."),
        ("EMAG_SYNC_TIMEOUT_HOURS", "-1", "a number above 0 is needed. Set it like EMAG_SYNC_TIMEOUT_HOURS=2."),
        ("EMAG_SYNC_MAX_SHRINK", "1.5", "a number from 0 to 1 is needed. Set it like EMAG_SYNC_MAX_SHRINK=0.2."),
        ("EMAG_SYNC_RATE_SHARE", "0", "a number above 0 and up to 1 is needed"),
        ("EMAG_LOG_LEVEL", "loud", "it must be one of debug, info, warning, error. Set it like EMAG_LOG_LEVEL=info."),
        ("EMAG_LOG_FORMAT", "xml", "it must be one of console, json. Set it like EMAG_LOG_FORMAT=json."),
        ("EMAG_SANDBOX_PARAMETERS", "up", "it must be one of top, data, both"),
        ("EMAG_LANGUAGE", "ron", "a two-letter code is needed, such as en or ro. Set it like EMAG_LANGUAGE=en."),
        (
            "EMAG_REFRESH_CRON",
            "61 * * * *",
            "'61' is not a valid minute: allowed are `*` and `H`, numbers from",
        ),
        ("EMAG_REFRESH_CRON", "x", "Set it like EMAG_REFRESH_CRON=H * * * *."),
    ],
)
def test_a_wrong_value_is_told_in_our_words_with_an_example(variable: str, value: str, words: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(words)) as caught:
        _load(**{variable: value})
    assert caught.value.message.startswith(f"{variable} is {value!r}: ")
    for foreign in ("Input should", "unable to parse", "valid integer"):
        assert foreign not in caught.value.message


@pytest.mark.parametrize(
    "same",
    [
        {"EMAG_SHOP_API_USERNAME": "seller"},
        {"EMAG_SHOP_API_USERNAME": "Seller", "EMAG_SHOP_API_BASE_URL": "https://MARKETPLACE-api.emag.ro:443/api-3/"},
    ],
)
def test_two_accounts_of_one_login_are_refused(same: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="the accounts main and shop use the same login") as refused:
        _load(**_MAIN, EMAG_SHOP_API_PASSWORD="other", **same)
    assert "EMAG_API_USERNAME and EMAG_SHOP_API_USERNAME" in str(refused.value)
    assert "EMAG_ACCOUNTS" in str(refused.value)


@pytest.mark.parametrize(
    "other",
    [
        {"EMAG_SHOP_API_USERNAME": "seller2"},
        {"EMAG_SHOP_API_USERNAME": "seller", "EMAG_SHOP_API_BASE_URL": "https://marketplace-api.emag.bg/api-3"},
        {"EMAG_SHOP_API_USERNAME": "seller", "EMAG_SHOP_API_BASE_URL": "https://marketplace-api.emag.ro:8443/api-3"},
    ],
)
def test_logins_of_other_users_or_marketplaces_are_others(other: dict[str, str]) -> None:
    main, shop = _load(**_MAIN, EMAG_SHOP_API_PASSWORD="geheim", **other).accounts
    assert main.login != shop.login
    assert "seller" not in main.login


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"EMAG_ACCOUNTS": "main,,fbe"}, "EMAG_ACCOUNTS is 'main,,fbe': it has an empty name"),
        ({"EMAG_ACCOUNTS": "main,fbe,"}, "it has an empty name"),
        ({"EMAG_ACCOUNTS": "main,fbe,main"}, "it names main twice. Name each account once"),
        (
            {"EMAG_SYNC_HEARTBEAT_TIMEOUT": "7200", "EMAG_SYNC_STUCK_THRESHOLD_HOURS": "0.001"},
            "EMAG_SYNC_HEARTBEAT_TIMEOUT is 7200 seconds, more than the 3.6 after which",
        ),
        ({"EMAG_UI_PORT": "9108"}, "EMAG_UI_PORT and EMAG_SYNC_METRICS_PORT are both 9108"),
        ({"EMAG_SYNC_HEALTH_PORT": "8765"}, "EMAG_SYNC_HEALTH_PORT and EMAG_SANDBOX_PORT are both 8765"),
        ({"EMAG_HOME": ""}, "EMAG_HOME is empty: the default home would be used"),
        ({"EMAG_HOME": "  "}, "EMAG_HOME is empty"),
    ],
)
def test_what_contradicts_itself_is_told(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as refused:
        _load(**given)
    assert refused.value.exit_code == 2


def test_a_port_may_be_that_of_a_sandbox_that_is_not_started() -> None:
    assert _load(**_MAIN, EMAG_SYNC_HEALTH_PORT="8765").health_port == 8765


def test_an_empty_home_of_the_environment_does_not_hide_that_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"EMAG_HOME={tmp_path}\n")
    with pytest.raises(SettingsError, match="EMAG_HOME is empty"):
        load_settings({"EMAG_HOME": ""}, file)
    assert load_settings({}, file).home == tmp_path


@pytest.mark.parametrize("where", ["EMAG_ACCOUNTS", "credentials"])
def test_a_name_that_no_file_could_have_is_refused(where: str) -> None:
    def given(name: str) -> dict[str, str]:
        own = f"EMAG_{name.upper()}_API"
        return {"EMAG_ACCOUNTS": name} if where == "EMAG_ACCOUNTS" else {f"{own}_USERNAME": "u", f"{own}_PASSWORD": "p"}

    assert [account.name for account in _load(**given("a" * 63)).accounts] == ["a" * 63]
    for length in (64, 300):
        with pytest.raises(SettingsError, match=f"has {length} characters: it becomes part of file names") as refused:
            _load(**given("a" * length))
        assert "Use at most 63 characters" in refused.value.remedy
        assert len(refused.value.message) < 400


@pytest.mark.parametrize("what", ["USERNAME", "PASSWORD"])
def test_two_spellings_of_mains_variables_that_differ_are_refused(what: str) -> None:
    with pytest.raises(SettingsError, match=f"main: EMAG_MAIN_API_{what} and EMAG_API_{what} differ") as refused:
        _load(**_MAIN, **{f"EMAG_MAIN_API_{what}": "another"})
    assert not {"another", "geheim", "seller"} & set(re.findall(r"\w+", refused.value.message))
    assert _load(**_MAIN, EMAG_MAIN_API_USERNAME="seller").account("main").username == "seller"
