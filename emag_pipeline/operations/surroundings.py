"""What a process of the pipeline needs around it: databases with their schema, Dagster's home, one environment."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pydantic import SecretStr

from emag_pipeline.database_url import masked
from emag_pipeline.databases import told_alike
from emag_pipeline.db import migrate, roles
from emag_pipeline.db.engine import Database
from emag_pipeline.db.missing_database import ensure_database
from emag_pipeline.db.published import first_publish_day
from emag_pipeline.operations import dagster_home
from emag_pipeline.operations.dagster_home import DagsterHome
from emag_pipeline.operations.embedded_use import in_use
from emag_pipeline.operations.environment import environment
from emag_pipeline.settings import Settings
from emag_pipeline.stderr import tell
from emag_pipeline.sync.hosts import require_same_host
from emag_pipeline.sync.locks import waits_told

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
    dagster = dagster_home.prepare(settings.home)
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
