import itertools
from collections.abc import Iterator

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.errors import DatabaseUnavailable, PermanentError
from emag_pipeline.store.error_mapping import translate
from emag_pipeline.store.server import ensure_database
from emag_pipeline_tests.databases import administer

_serial = itertools.count(1)


@pytest.fixture
def missing(cluster: embedded.EmbeddedServer) -> Iterator[str]:
    """The URL of a database that does not exist; its name needs quoting."""
    name = f'Dagster "{next(_serial)}'
    yield cluster.url("postgres").replace("/postgres?", f"/{name}?".replace('"', "%22").replace(" ", "%20"))
    quoted = name.replace('"', '""')
    administer(cluster, f'DROP DATABASE IF EXISTS "{quoted}" WITH (FORCE)')


def test_a_missing_database_is_created_once(missing: str) -> None:
    assert [ensure_database(missing), ensure_database(missing)] == [True, False]


def test_without_the_right_to_create_it_the_error_says_what_to_do(
    missing: str, cluster: embedded.EmbeddedServer
) -> None:
    administer(cluster, "CREATE ROLE modest LOGIN")
    try:
        with pytest.raises(PermanentError) as caught:
            ensure_database(missing.replace("postgres@", "modest@"))
    finally:
        administer(cluster, "DROP ROLE modest")
    assert "could not be created" in caught.value.what
    assert "CREATE DATABASE" in caught.value.remedy


def test_of_several_addresses_the_one_that_answers_says_what_is_wrong(cluster: embedded.EmbeddedServer) -> None:
    directory = str(cluster.socket_directory)
    with pytest.raises(psycopg2.OperationalError) as caught:
        psycopg2.connect(host=f"127.0.0.1,{directory}", port="1,5432", user="postgres", dbname="nowhere")
    error = translate(caught.value)
    assert error.what == "the database does not exist"
    assert "Connection refused" in error.why
    assert '"nowhere" does not exist' in error.why


def test_a_server_that_is_away_is_a_passing_trouble() -> None:
    with pytest.raises(DatabaseUnavailable):
        ensure_database("postgresql+psycopg2://user@127.0.0.1:1/emag_dagster")
