"""`sslmode` and `sslrootcert` in the database's URL do what libpq says, and a refusal says what is wrong."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emag_pipeline.errors import PermanentError
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.deploy.servers import PASSWORD, certificate, needs_openssl, needs_server, tls_server
from emag_pipeline_tests.sync.syncs import rows

pytestmark = [pytest.mark.services, needs_server, needs_openssl]

Url = Callable[..., str]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Short, since a socket stands in it."""
    with tempfile.TemporaryDirectory(prefix="emag-tls-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def url(home: Path) -> Iterator[Url]:
    """Makes URLs of the server's database `postgres`; keywords are libpq's parameters."""
    with tls_server(home) as port:

        def made(**parameters: object) -> str:
            query = "&".join(f"{name}={value}" for name, value in parameters.items())
            given = {"DATABASE_SYNC_URL": f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/postgres?{query}"}
            found = load_settings(given, env_file=None).database_url
            assert found is not None
            return found.get_secret_value()

        yield made


def _tls_version(url: str) -> str:
    database = Database(url)
    try:
        (row,) = rows(database, "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
        return str(row.version)
    finally:
        database.close()


def _refusal(url: str) -> PermanentError:
    with pytest.raises(PermanentError) as refused:
        _tls_version(url)
    return refused.value


def test_require_encrypts(url: Url) -> None:
    assert _tls_version(url(sslmode="require")).startswith("TLSv1.")


def test_verify_full_accepts_the_authority_that_it_is_given(url: Url, home: Path) -> None:
    assert _tls_version(url(sslmode="verify-full", sslrootcert=home / "server.crt")).startswith("TLSv1.")


def test_verify_full_refuses_another_authority_in_words(url: Url, home: Path) -> None:
    other = certificate(home, "other")
    error = _refusal(url(sslmode="verify-full", sslrootcert=other))
    assert error.message.startswith("database: the database server's certificate is not signed by a trusted authority:")
    assert "sslrootcert" in error.remedy
    assert PASSWORD not in error.message


def test_verify_full_refuses_another_hosts_certificate_in_words(url: Url, home: Path) -> None:
    there = url(sslmode="verify-full", sslrootcert=home / "server.crt").replace("@127.0.0.1", "@localhost")
    assert _refusal(there).what == "the database server's certificate is for another host"


def test_a_missing_authority_is_told_in_words(url: Url, home: Path) -> None:
    assert _refusal(url(sslmode="verify-full", sslrootcert=home / "none.crt")).what == (
        "the authority's certificate cannot be read"
    )


def test_a_server_that_insists_on_tls_refuses_a_connection_without(url: Url) -> None:
    error = _refusal(url(sslmode="disable"))
    assert "no encryption" in error.why


def test_dagsters_database_beside_it_is_reached_in_the_same_way(url: Url, home: Path) -> None:
    given = url(sslmode="verify-full", sslrootcert=home / "server.crt")
    settings = load_settings({"DATABASE_SYNC_URL": given}, env_file=None)
    assert settings.dagster_pg_url is not None
    assert settings.dagster_pg_url.get_secret_value() == given.replace("/postgres?", "/postgres_dagster?")


def test_a_command_ends_with_one_line_and_5_when_the_certificate_is_not_trusted(
    url: Url, home: Path, tmp_path: Path
) -> None:
    given = url(sslmode="verify-full", sslrootcert=certificate(home, "third"))
    done = emag_pipeline(tmp_path, "migrate", DATABASE_SYNC_URL=given)
    assert (done.returncode, len(done.stderr.splitlines())) == (5, 1)
    assert PASSWORD not in done.stdout + done.stderr
