"""deploy/deploy on a machine below a prefix: systemd and the idle services are stand-ins, everything else is real."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline import embedded, processes
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import drop
from emag_pipeline_tests.deploy.sites import Site, another, make_site

pytestmark = pytest.mark.services

_UNITS = [f"emag-pipeline-{name}.service" for name in ("code-location", "daemon", "webserver", "exporter")]
_PASSWORD = "deploy-s3cret"


@pytest.fixture(scope="module")
def database(cluster: embedded.EmbeddedServer) -> Iterator[Database]:
    """A database with the schema, whose sensors have just ticked: the daemon of these tests is idle."""
    url = cluster.url("deploy")
    cluster.ensure_database("deploy_dagster")
    database = Database(url)
    migrate.upgrade(database)
    with database.transaction() as tx:
        for sensor in SENSORS:
            tx.run("INSERT INTO emag_sensor_ticks VALUES (:sensor, now() + interval '1 hour')", sensor=sensor)
    yield database
    database.close()
    for name in ("deploy", "deploy_dagster"):
        drop(cluster, name)


@pytest.fixture(scope="module")
def site(database: Database, cluster: embedded.EmbeddedServer) -> Iterator[Site]:
    users = {"main": ("seller@example.com", _PASSWORD)}
    with tempfile.TemporaryDirectory(prefix="emag-deploy-") as directory, SandboxServer(users=users) as market:
        site = make_site(
            Path(directory),
            EMAG_API_BASE_URL=market.url,
            EMAG_API_USERNAME="seller@example.com",
            EMAG_API_PASSWORD=_PASSWORD,
            DATABASE_SYNC_URL=cluster.url("deploy"),
            DAGSTER_PG_URL=cluster.url("deploy_dagster"),
        )
        (site.systemd / "idle").touch()
        yield site
        processes.kill(site.processes())


@pytest.fixture(scope="module")
def first(site: Site, wheel: Path) -> str:
    """The first release, installed; what deploy said."""
    done = site.install(wheel)
    assert done.returncode == 0, done.stdout + done.stderr + site.logs()
    return done.stdout


@pytest.fixture(scope="module")
def second(wheel: Path) -> Path:
    """A wheel that makes another release."""
    return another(wheel)


def test_the_first_deployment_ends_with_services_that_work(site: Site, first: str) -> None:
    assert first.splitlines()[-1] == f"{site.current.resolve().name} works"
    assert site.calls() == [
        "daemon-reload",
        " ".join(["enable", "--quiet", "emag-pipeline.target", *_UNITS]),
        " ".join(["start", "emag-pipeline.target", *_UNITS]),
    ]


def test_it_backed_the_database_up_before_it_migrated(site: Site, first: str) -> None:
    said = first.splitlines()
    backup, migration = (next(n for n, line in enumerate(said) if words in line) for words in ("backed up", "schema"))
    assert backup < migration
    (file,) = (site.prefix / "var/backups/emag-pipeline").iterdir()
    assert file.stat().st_size > 1000


def test_the_same_again_changes_nothing(site: Site, first: str, wheel: Path) -> None:
    site.calls()
    release = site.current.resolve()
    done = site.install(wheel)
    assert (done.returncode, site.current.resolve()) == (0, release), done.stderr
    assert f"{release.name} is in use already and runs" in done.stdout
    assert not [call for call in site.calls() if call.startswith("stop")]


def test_the_operators_command_runs_with_the_services_settings(site: Site, first: str) -> None:
    command = [str(site.prefix / "usr/local/bin/emag-pipeline"), "status"]
    done = subprocess.run(command, env=site.environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "never synced" in done.stdout) == (0, True), done.stderr


def test_a_dry_run_says_what_it_would_do_and_does_nothing(site: Site, first: str, second: Path) -> None:
    before, _ = sorted(site.prefix.rglob("*")), site.calls()
    done = site.install(second, "--dry-run")
    assert (done.returncode, sorted(site.prefix.rglob("*")), site.calls()) == (0, before, [])
    assert f"from {site.current.resolve().name} to" in done.stdout


def test_a_release_that_does_not_start_is_rolled_back_by_itself(site: Site, first: str, second: Path) -> None:
    before = site.current.resolve()
    (site.systemd / "refuse").touch()
    failed = site.install(second)
    assert (failed.returncode, site.current.resolve()) == (1, before), failed.stdout + failed.stderr
    assert "emag-pipeline-daemon.service failed. Look at" in failed.stderr
    assert f"{before.name} is in use again" in failed.stderr
    assert site.calls()[-4:] == [
        " ".join(["stop", *reversed(_UNITS), "emag-pipeline.target"]),
        "daemon-reload",
        " ".join(["enable", "--quiet", "emag-pipeline.target", *_UNITS]),
        " ".join(["start", "emag-pipeline.target", *_UNITS]),
    ]


def test_a_person_goes_to_another_release_that_is_kept(site: Site, first: str, second: Path) -> None:
    before = site.current.resolve()
    done = site.deploy("rollback", "--verify-seconds", 60)
    assert (done.returncode, site.current.resolve() != before) == (0, True), done.stderr


def test_a_release_whose_schema_is_gone_is_gone_back_to_after_a_restore_and_nothing_is_lost(
    site: Site, first: str, database: Database
) -> None:
    newer, older = site.current.resolve(), first.splitlines()[-1].removesuffix(" works")
    with database.transaction() as tx:
        tx.run("UPDATE emag_alembic_version SET version_num = '9999'")
    refused = site.deploy("rollback", older)
    assert (refused.returncode, site.current.resolve()) == (1, newer)
    assert "cannot work with the schema that is there, nothing was changed. See 'Going back'" in refused.stderr
    site.systemctl("stop", *_UNITS)
    with database.transaction() as tx:
        tx.run("ALTER SCHEMA {schema} RENAME TO app_newer")
    backup = max((site.prefix / "var/backups/emag-pipeline").iterdir())
    restored = site.deploy("run", "--release", older, "--as-owner", "--", "restore", backup)
    assert restored.returncode == 0, restored.stderr
    done = site.deploy("rollback", older, "--verify-seconds", 60)
    assert (done.returncode, site.current.resolve().name) == (0, older), done.stdout + done.stderr
    with database.transaction() as tx:
        assert tx.run("SELECT version_num FROM app_newer.emag_alembic_version").scalar_one() == "9999"


def test_status_says_what_is_in_use_and_what_does_not_run(site: Site, first: str) -> None:
    assert f"in use: {site.current.resolve().name}" in site.deploy("status").stdout
    site.systemctl("stop", _UNITS[1])
    done = site.deploy("status")
    assert (done.returncode, f"not running: {_UNITS[1]}" in done.stdout) == (1, True)
    site.systemctl("start", _UNITS[1])


@pytest.mark.parametrize(
    ("mode", "change", "complaint"),
    [
        (0o644, ("", ""), "can be read by others"),
        (0o600, ("DATABASE_SYNC_URL", "NOTHING"), "has no DATABASE_SYNC_URL"),
        (0o600, ("postgresql+psycopg2", "postgresql"), "has no DAGSTER_PG_URL that names its driver"),
        (0o600, (_PASSWORD, "a b"), "has an entry that programs read differently"),
        (0o600, ("/deploy?", "/nowhere?"), "the database does not exist"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_touched(
    site: Site, first: str, wheel: Path, mode: int, change: tuple[str, str], complaint: str
) -> None:
    right = site.settings.read_text()
    site.calls()
    site.settings.write_text(right.replace(*change) if change[0] else right)
    site.settings.chmod(mode)
    try:
        done = site.install(wheel)
        assert (done.returncode, site.calls()) == (1, [])
        assert complaint in done.stderr
        assert _PASSWORD not in done.stdout + done.stderr
    finally:
        site.settings.write_text(right)
        site.settings.chmod(0o600)


def test_no_secret_stands_in_a_command_line_of_the_services(site: Site, first: str) -> None:
    lines = [" ".join(process.cmdline()) for process in site.processes()]
    assert lines
    assert not [line for line in lines if _PASSWORD in line or "postgresql" in line]
