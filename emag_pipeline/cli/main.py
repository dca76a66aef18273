"""The program `emag-pipeline`: its commands, and what its end says to the shell."""

import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

from emag_pipeline.cli import (
    approve,
    backup,
    doctor,
    drill,
    exporter,
    migrate,
    prune,
    recover,
    rejects,
    restore,
    roles,
    sandbox,
    status,
    stop,
    stuck,
    sync,
    up,
)
from emag_pipeline.errors import Interrupted, PipelineError, SettingsError
from emag_pipeline.logs import configure, logger
from emag_pipeline.settings import load_settings

log = logger(__name__)

app = typer.Typer(
    name="emag-pipeline",
    help="An exact, current and historical copy of your eMAG offers in PostgreSQL.\n\n"
    "Start with `emag-pipeline up`: without any settings it brings a database and a marketplace to try on.",
    epilog="Exit codes: 0 done, 1 failed and a rerun may help, 2 wrong usage or settings, 3 refused by the audit, "
    "4 another sync is running, 5 failed and a rerun cannot help, 130 interrupted. "
    "Settings come from the environment or from a file .env, see .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("sync")(sync.sync)
app.command("status")(status.status)
app.command("stuck")(stuck.stuck)
app.command("recover")(recover.recover)
app.command("stop")(stop.stop)
app.command("approve")(approve.approve)
app.command("rejects")(rejects.rejects)
app.command("migrate")(migrate.migrate)
app.command("prune")(prune.prune)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("roles")(roles.roles)
app.command("exporter")(exporter.exporter)
app.command("sandbox")(sandbox.sandbox)
app.command("drill")(drill.drill)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line of this process and exit with its code (design.md, section 7)."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. An expected error is one line on stderr, never a traceback."""
    with suppress(SettingsError):  # a command that needs the settings says itself what is wrong with them
        configure(load_settings())
    try:
        app(list(arguments), prog_name="emag-pipeline")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except PipelineError as error:
        for line in error.message.splitlines():
            sys.stderr.write(f"emag-pipeline: {line}\n")
        return error.exit_code
    except (Interrupted, KeyboardInterrupt):
        return Interrupted.exit_code
    except Exception:  # a defect: its traceback may hold secrets, so it goes where they are taken out
        log.critical("crashed", exc_info=True)
        return 1
    return 0
