"""The environment that every process of the pipeline shares: supervisor, Dagster, its code servers, its runs.

Database URLs travel here and nowhere else: command lines are public on a machine.
"""

import os
from collections.abc import Mapping
from datetime import date

from emag_pipeline import env_file
from emag_pipeline.operations.dagster_home import DagsterHome
from emag_pipeline.settings import Settings


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
        # matplotlib's list of fonts: made once, not by each run that draws
        "MPLCONFIGDIR": str(settings.home.resolve() / "matplotlib"),
        "PYTHONUNBUFFERED": "1",
    }
