"""What a process of the pipeline needs around it: databases with their schema, Dagster's home, one environment."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import SecretStr

from emag_pipeline.console import tell
from emag_pipeline.databases import told_alike
from emag_pipeline.errors import PermanentError, of_os_error
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.settings import Settings, env_file
from emag_pipeline.settings.databases import masked
from emag_pipeline.settings.home import directory
from emag_pipeline.store import migrate, roles
from emag_pipeline.store.engine import Database
from emag_pipeline.store.missing_database import ensure_database
from emag_pipeline.sync.accounts import require_same_host
from emag_pipeline.sync.locks import waits_told
from emag_pipeline.sync.published import first_publish_day

# Where Dagster finds its configuration and keeps its files: `EMAG_HOME/dagster`, never the source tree.
#
# The two YAML files stand in the project's root, where Dagster's own tools look for them, and are copied at each start.
# A wheel carries them beside this module.

_HERE = Path(__file__).parent
#: in a wheel, in a checkout
_SOURCES = (_HERE / "dagster_instance", _HERE.parent.parent)


@dataclass(frozen=True, slots=True)
class DagsterHome:
    """The directories that Dagster's processes are told of by their environment."""

    root: Path

    @property
    def workspace(self) -> Path:
        """The file that names the code location, for `-w`."""
        return self.root / "workspace.yaml"

    def sharing(self, socket: Path) -> Path:
        """A workspace file, written anew, for programs that share the code server which listens on a Unix socket."""
        location = {"grpc_server": {"socket": str(socket), "location_name": "emag_pipeline"}}
        workspace = self.root / "workspace-of-up.yaml"
        workspace.write_text(json.dumps({"load_from": [location]}, indent=2), encoding="utf-8")  # JSON is YAML
        return workspace

    @property
    def run_logs(self) -> Path:
        """What runs print, a directory a run."""
        return self.root / "run-logs"

    @property
    def artifacts(self) -> Path:
        """Files of Dagster's default storage; the pipeline's assets leave none."""
        return self.root / "artifacts"


def prepare(home: Path) -> DagsterHome:
    """Make the directories and copy the configuration there.

    Raises SettingsError for a home that cannot be used, PermanentError when the installation lacks the files or a
    directory cannot be written, TransientError when the disk is full.
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


# The environment that every process of the pipeline shares: supervisor, Dagster, its code servers, its runs.
#
# Database URLs travel here and nowhere else: command lines are public on a machine.


def environment(
    settings: Settings,
    dagster: DagsterHome,
    database_url: str,
    dagster_pg_url: str,
    first_day: date,
    given: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The variables of a child process: those of `.env`, those given (default: this process's), what was decided here.

    So children agree with their parent on everything, wherever they run; they look for no `.env` themselves.
    """
    return {
        **{name: value.get_secret_value() for name, value in settings.from_env_file.items()},
        # A busy machine takes longer than Dagster's 60 seconds to begin a run; asked again, it would begin it twice
        "DAGSTER_GRPC_TIMEOUT_SECONDS": "180",
        # each thread that reads pages would have a heap of its own, which gives nothing back: 31 MiB of 243 a run
        "MALLOC_ARENA_MAX": "2",
        # and what is as large as a page goes back to the system at once, instead of leaving holes behind: 9 MiB of 214
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "131072",
        **(os.environ if given is None else given),
        env_file.IS_READ: "1",
        # a child sees a database configured, whichever it is
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
    """The URLs in use, and how to show the pipeline's own."""

    pipeline: SecretStr
    dagster: SecretStr
    shown: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Ready to work: both databases exist, the schema fits, Dagster's home is prepared."""

    databases: Databases
    dagster: DagsterHome
    environment: dict[str, str] = field(repr=False)


@contextmanager
def databases(settings: Settings, say: Say = tell, steps: Say = lambda _: None) -> Iterator[Databases]:
    """The configured databases, or those of the embedded server, which is started if need be.

    `say` hears of a long start, `steps` as in `in_use`. An embedded server is stopped at the end unless another command
    uses it. Raises the errors of `embedded.start`.
    """
    with ExitStack() as stack:
        pipeline, dagster = settings.database_url, settings.dagster_pg_url
        shown = masked(pipeline.get_secret_value()) if pipeline else f"embedded PostgreSQL in {settings.home}"
        if pipeline is None or dagster is None:
            server = stack.enter_context(in_use(settings.home, say, steps))
            pipeline = pipeline or SecretStr(server.url("emag"))
            dagster = dagster or SecretStr(server.url("emag_dagster"))
        yield Databases(pipeline, dagster, shown)


@contextmanager
def surroundings(settings: Settings, say: Say = lambda _: None, waits: Say = tell) -> Iterator[Surroundings]:
    """Bring up everything that Dagster's processes and runs need; `say` hears of each step, `waits` of locks.

    Raises PermanentError when Dagster's database is missing and may not be created, SchemaMismatch when the schema
    is newer than the code, DatabaseUnavailable when a server cannot be reached.
    """
    dagster = prepare(settings.home)
    with databases(settings, say, steps=say) as found:
        say(f"database: {found.shown}")
        pipeline_url, dagster_url = found.pipeline.get_secret_value(), found.dagster.get_secret_value()
        with opened(found, settings) as database, waits_told(database, waits):
            done = migrated(database, is_embedded=settings.database_url is None)
            first_day = _first_day(database, settings)
        how = "" if done.before == done.after else ", migrated"
        say(f"database: schema {settings.db_schema} is at {done.after}{how}")
        with told_alike(settings, of_dagster=True):
            is_new = ensure_database(dagster_url)
        if is_new:
            say("database: created Dagster's own")
        given = environment(settings, dagster, pipeline_url, dagster_url, first_day)
        yield Surroundings(found, dagster, given)


@contextmanager
def opened(found: Databases, settings: Settings) -> Iterator[Database]:
    """The pipeline's own, whatever is in it. Its being away is told as everywhere (`told_alike`)."""
    with told_alike(settings):
        database = Database(found.pipeline.get_secret_value(), settings.db_schema, pool_size=1)
        try:
            yield database
        finally:
            database.close()


def _first_day(database: Database, settings: Settings) -> date:
    """What is set; else the first publish's day (UTC), today where there was none: earlier ones are not missing."""
    if "first_day" in settings.model_fields_set:
        return settings.first_day
    today = datetime.now(UTC).date()
    return min(first_publish_day(database) or today, today)


def require_same_marketplaces(found: Databases, settings: Settings, accounts: Sequence[str]) -> None:
    """See that each account is read from the marketplace that its data came from. Raises SettingsError for another."""
    with opened(found, settings) as database:
        for name in accounts:
            require_same_host(database, settings.account(name))


@dataclass(frozen=True, slots=True)
class Migrated:
    """The schema's revisions before and after, and whether its roles were granted their rights."""

    before: str | None
    after: str
    are_rights_granted: bool


def migrated(database: Database, *, grants_anew: bool = False, is_embedded: bool = False) -> Migrated:
    """Bring the schema up to date, and grant writer and readers their rights on what is new in it.

    `is_embedded`: on the embedded server the role that reads is made, if it is missing.

    `grants_anew`: also where nothing is new, for whoever made the roles meanwhile or restored; not at each start, since
    it writes. No rights are granted where there are no roles, or by another user than the tables' owner. Raises the
    errors of `migrate.upgrade` and of the database.
    """
    before, after = migrate.upgrade(database)
    if is_embedded:
        roles.make_reader(database)
    return Migrated(before, after, (grants_anew or before != after) and roles.grant(database))
