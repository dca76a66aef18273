import pytest

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings.addresses import driverless, masked, with_driver

_FORMS = ["postgres://u:p%40@h:5432/d", "postgresql://u:p%40@h:5432/d", "postgresql+asyncpg://u:p%40@h:5432/d"]


@pytest.mark.parametrize("url", _FORMS)
def test_every_form_becomes_this_projects_driver_and_libpqs_form(url: str) -> None:
    assert with_driver(url) == "postgresql+psycopg2://u:p%40@h:5432/d"
    assert driverless(with_driver(url)) == "postgresql://u:p%40@h:5432/d"


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/d", "sqlite:///x.db", "geheim"])
def test_another_database_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(SettingsError, match="not a PostgreSQL URL") as raised:
        with_driver(url)
    assert "geheim" not in str(raised.value)


def test_a_shown_url_hides_passwords_wherever_they_stand() -> None:
    shown = masked("postgresql://u:geheim@h/d?sslmode=require&password=geheim")
    assert shown == "postgresql://u:***@h/d?sslmode=require&password=***"


def test_a_socket_url_keeps_its_directory() -> None:
    assert (
        with_driver("postgresql://postgres@/emag?host=/run/pg") == "postgresql+psycopg2://postgres@/emag?host=/run/pg"
    )
