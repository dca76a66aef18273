"""The environment of the pipeline's processes: databases with their schema, Dagster's home, environment variables."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import SecretStr

from emag_pipeline.console import tell
from emag_pipeline.databases import errors_with_cause
from emag_pipeline.errors import PermanentError, of_os_error
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.settings import Settings, env_file
from emag_pipeline.settings.addresses import driverless, masked
from emag_pipeline.settings.home import directory
from emag_pipeline.store import migrate, roles
from emag_pipeline.store.engine import PIPELINES, Database
from emag_pipeline.store.server import ensure_database
from emag_pipeline.sync.accounts import require_same_host
from emag_pipeline.sync.locks import waits_reported
from emag_pipeline.sync.published import first_publish_day

# Dagster's configuration and files are in `EMAG_HOME/dagster`, never in the source tree.
#
# The two YAML files are in the project's root, where Dagster's own tools expect them, and are copied at each start.
# In a wheel they are next to this module.

_HERE = Path(__file__).parent
#: in a wheel, in a checkout
_SOURCES = (_HERE / "dagster_instance", _HERE.parent.parent)


@dataclass(frozen=True, slots=True)
class DagsterHome:
    """The directories that Dagster's processes get through their environment."""

    root: Path

    @property
    def workspace(self) -> Path:
        """The file that names the code location, for `-w`."""
        return self.root / "workspace.yaml"

    def sharing(self, socket: Path) -> Path:
        """Write a workspace file for programs that share the code server on this Unix socket; returns its path."""
        location = {"grpc_server": {"socket": str(socket), "location_name": "emag_pipeline"}}
        workspace = self.root / "workspace-of-up.yaml"
        workspace.write_text(json.dumps({"load_from": [location]}, indent=2), encoding="utf-8")  # JSON is YAML
        return workspace

    @property
    def run_logs(self) -> Path:
        """The output of runs, one directory per run."""
        return self.root / "run-logs"

    @property
    def artifacts(self) -> Path:
        """Files of Dagster's default storage; the pipeline's assets write none."""
        return self.root / "artifacts"


def prepare(home: Path) -> DagsterHome:
    """Create the directories and copy the configuration there.

    Raises SettingsError for a home that cannot be used, PermanentError if the installation lacks the files or a
    directory cannot be written, TransientError if the disk is full.
    """
    dagster = DagsterHome(directory(home, "dagster"))
    try:
        for one in (dagster.run_logs, dagster.artifacts):
            one.mkdir(mode=0o700, exist_ok=True)
        for name in ("dagster.yaml", "workspace.yaml"):
            (dagster.root / name).write_bytes(_source(name).read_bytes())
    except OSError as error:
        remedy = "Correct its rights, or set EMAG_HOME to a directory of yours"
        raise of_os_error(error, "Dagster's home cannot be written", where=str(dagster.root), remedy=remedy) from error
    return dagster


def _source(name: str) -> Path:
    for place in _SOURCES:
        if (place / name).is_file():
            return place / name
    raise PermanentError(
        f"the installation has no {name}", where="emag_pipeline", remedy="Install the package again, or use a checkout"
    )


# The environment shared by all processes of the pipeline: supervisor, Dagster, its code servers, its runs.
#
# Database URLs are passed only here, because command lines are visible to every user of the machine.


def environment(
    settings: Settings,
    dagster: DagsterHome,
    database_url: str,
    dagster_pg_url: str,
    first_day: date,
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The variables of a child process: those of `.env`, those given (default: this process's), and derived ones.

    So children have the same settings as their parent, wherever they run; they do not read `.env` themselves.
    """
    return {
        **{name: value.get_secret_value() for name, value in settings.from_env_file.items()},
        # A busy machine takes longer than Dagster's 60 seconds to start a run; a second request would start it twice
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "180",
        # otherwise each thread that reads pages has its own heap, which is never returned: 31 MiB of 243 per run
        "MALLOC_ARENA_MAX": "2",
        # blocks as large as a page are returned to the system at once, instead of fragmenting the heap: 9 MiB of 214
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "131072",
        **(os.environ if given is None else given),
        env_file.IS_READ: "1",
        # for a child the database is always configured, even the embedded one
        **({"EMAG_SANDBOX": "1"} if settings.uses_sandbox else {}),
        "EMAG_HOME": str(settings.home.resolve()),
        "DATABASE_SYNC_URL": database_url,
        "DAGSTER_PG_URL": dagster_pg_url,
        "EMAG_FIRST_DAY": first_day.isoformat(),
        "DAGSTER_HOME": str(dagster.root),
        "DAGSTER_LOGS_DIR": str(dagster.run_logs),
        "DAGSTER_ARTIFACTS_DIR": str(dagster.artifacts),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "EMAG_MAX_CONCURRENT_RUNS": str(settings.concurrent_runs),
        "PYTHONUNBUFFERED": "1",
    }


Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Databases:
    """The URLs in use, and a printable form of the pipeline's own."""

    pipeline: SecretStr
    dagster: SecretStr
    shown: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A prepared environment: both databases exist, the schema is current, Dagster's home is prepared."""

    databases: Databases
    dagster: DagsterHome
    environment: dict[str, str] = field(repr=False)


@contextmanager
def databases(settings: Settings, say: Say = tell, steps: Say = lambda _: None) -> Iterator[Databases]:
    """The configured databases, or those of the embedded server, which is started if necessary.

    `say` reports a long start, `steps` as in `in_use`. An embedded server is stopped at the end unless another command
    uses it. Raises the errors of `embedded.start`.
    """
    with ExitStack() as stack:
        pipeline, dagster = settings.database_url, settings.dagster_pg_url
        shown = (
            masked(driverless(pipeline.get_secret_value())) if pipeline else f"embedded PostgreSQL in {settings.home}"
        )
        if pipeline is None or dagster is None:
            server = stack.enter_context(in_use(settings.home, say, steps))
            pipeline = pipeline or SecretStr(server.url("emag"))
            dagster = dagster or SecretStr(server.url("emag_dagster"))
        yield Databases(pipeline, dagster, shown)


@contextmanager
def surroundings(settings: Settings, say: Say = lambda _: None, waits: Say = tell) -> Iterator[Surroundings]:
    """Prepare everything that Dagster's processes and runs need; `say` reports each step, `waits` waiting for locks.

    Raises PermanentError if Dagster's database is missing and cannot be created, SchemaMismatch if the schema is newer
    than the code, DatabaseUnavailable if a server cannot be reached.
    """
    dagster = prepare(settings.home)
    with databases(settings, say, steps=say) as found:
        say(f"database: {found.shown}")
        pipeline_url, dagster_url = found.pipeline.get_secret_value(), found.dagster.get_secret_value()
        with opened(found, settings) as database, waits_reported(database, waits):
            done = migrated(database, is_embedded=settings.database_url is None)
            first_day = _first_day(database, settings)
        how = "" if done.before == done.after else ", migrated"
        say(f"database: schema {settings.db_schema} is at {done.after}{how}")
        with errors_with_cause(settings, of_dagster=True):
            is_new = ensure_database(dagster_url)
        if is_new:
            say("database: created Dagster's own")
        given = environment(settings, dagster, pipeline_url, dagster_url, first_day)
        yield Surroundings(found, dagster, given)


@contextmanager
def opened(found: Databases, settings: Settings) -> Iterator[Database]:
    """The pipeline's own database, whatever its schema. Outages are reported uniformly (`errors_with_cause`)."""
    with errors_with_cause(settings):
        database = Database(found.pipeline.get_secret_value(), settings.db_schema, whose=PIPELINES, pool_size=1)
        try:
            yield database
        finally:
            database.close()


def _first_day(database: Database, settings: Settings) -> date:
    """The configured first day; else the day (UTC) of the first publish, or today if there was none."""
    if "first_day" in settings.model_fields_set:
        return settings.first_day
    today = datetime.now(UTC).date()
    return min(first_publish_day(database) or today, today)


def require_same_marketplaces(found: Databases, settings: Settings, accounts: Sequence[str]) -> None:
    """Check that each account is read from the marketplace that its data came from. Raises SettingsError otherwise."""
    with opened(found, settings) as database:
        for name in accounts:
            require_same_host(database, settings.account(name))


@dataclass(frozen=True, slots=True)
class Migrated:
    """The schema's revisions before and after, and whether its roles were granted their rights."""

    before: str | None
    after: str
    are_rights_granted: bool


def migrated(database: Database, *, always_grants: bool = False, is_embedded: bool = False) -> Migrated:
    """Bring the schema up to date, and grant writer and readers their privileges after a migration.

    `is_embedded`: the embedded server's read-only role is created if it is missing. `always_grants`: also without a
    migration, because roles may have been created or a backup restored; not at each start, since it writes. Privileges
    are granted only if the roles exist, and only by the tables' owner. Raises the errors of `migrate.upgrade` and of
    the database.
    """
    before, after = migrate.upgrade(database)
    if is_embedded:
        roles.make_reader(database)
    return Migrated(before, after, (always_grants or before != after) and roles.grant(database))
