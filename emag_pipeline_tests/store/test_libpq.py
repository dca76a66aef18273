import pytest

from emag_pipeline.errors import SettingsError
from emag_pipeline.store.server import libpq_environment, tcp_addresses

_ALWAYS = {"PGCONNECT_TIMEOUT": "10", "PGAPPNAME": "emag_pipeline"}


def test_every_part_of_a_url_has_its_variable() -> None:
    url = "postgresql+psycopg2://ana:p%40%3A%2F@db.example.com:5433/emag?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    assert libpq_environment(url) == _ALWAYS | {
        "PGHOST": "db.example.com", "PGPORT": "5433", "PGDATABASE": "emag", "PGUSER": "ana", "PGPASSWORD": "p@:/",
        "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/etc/ca.pem",
    }  # fmt: skip


def test_a_socket_is_a_host_too() -> None:
    url = "postgresql+psycopg2://postgres@/emag?host=/run/emag&keepalives_idle=30&connect_timeout=3"
    assert libpq_environment(url) == _ALWAYS | {
        "PGHOST": "/run/emag", "PGDATABASE": "emag", "PGUSER": "postgres", "PGCONNECT_TIMEOUT": "3",
    }  # fmt: skip


def test_what_cannot_be_passed_on_is_named() -> None:
    with pytest.raises(SettingsError, match="parameter fallback_application_name cannot be passed on"):
        libpq_environment("postgresql+psycopg2://ana@h/emag?fallback_application_name=x")


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("h:5433/emag", [("h", "5433")]),
        ("h/emag", [("h", "5432")]),
        ("/emag?host=/run/emag", []),
        ("/emag?host=a:1&host=b:2", [("a", "1"), ("b", "2")]),
        ("/emag?host=a&host=b", [("a", "5432"), ("b", "5432")]),
    ],
)
def test_hosts_and_ports_of_a_url_are_told(place: str, found: list[tuple[str, str]]) -> None:
    assert tcp_addresses(f"postgresql+psycopg2://ana@{place}") == found
