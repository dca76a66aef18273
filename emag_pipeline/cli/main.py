"""The program `emag-pipeline`: its commands, and what its end says to the shell."""

import inspect
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import typer

from emag_pipeline import running_up
from emag_pipeline.cli import early, output
from emag_pipeline.console import tell, write_line
from emag_pipeline.errors import Interrupted, PermanentError, PipelineError, SettingsError
from emag_pipeline.logs import configure_command, logger, says_lines
from emag_pipeline.settings import given_variables, load_settings
from emag_pipeline.settings.unread_variables import unread

log = logger(__name__)

#: Each is a function of its module's name, in the order in which the help shows them.
COMMANDS = (
    "up", "sync", "backfill", "status", "doctor", "probe", "stuck", "recover", "stop", "approve", "discard", "forget",
    "rejects",
    "explain", "history", "accept", "deviations", "report", "export", "psql", "migrate", "prune", "backup", "restore",
    "roles", "exporter", "sandbox", "drill",
)  # fmt: skip


def application(command: str | None = None) -> typer.Typer:
    """The program with all its commands, or with one only: those that need Dagster take a second to load."""
    app = typer.Typer(
        name="emag-pipeline",
        epilog="Exit codes: 0 done, 1 failed and a retry may help, 2 wrong usage or settings, 3 refused by the audit, "
        "4 another sync is running, 5 failed and a retry cannot help, 130 interrupted. "
        "Settings come from the environment or from a file .env, see .env.example.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(emag_pipeline)
    for name in (command,) if command in COMMANDS else COMMANDS:
        module = import_module(f"emag_pipeline.cli.{name}")
        run_command = getattr(module, name)
        settings = getattr(module, "CONTEXT", None)
        app.command(name, help=_unwrapped(run_command.__doc__), context_settings=settings)(run_command)
    return app


def _unwrapped(text: str) -> str:
    """A docstring whose paragraphs are a line each, which the help then wraps to the terminal's width."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _warn_of_unread(*, is_plain: bool) -> None:
    """Name the variables of ours that nothing reads, also where wrong settings may be for want of them.

    Not again in the programs that `up` runs; nor where a `.env` is not ours, which the command says itself.
    """
    if running_up.is_member():
        return
    with suppress(SettingsError):
        for what, remedy in unread(given_variables()):
            if is_plain:
                tell(f"{what}. {remedy}.")
            else:
                log.warning("variable_not_read", message=what, remedy=remedy)


def emag_pipeline() -> None:
    """An exact, current and historical copy of your eMAG offers in PostgreSQL.

    Start with `emag-pipeline up`: without any settings it brings a database and a sandbox marketplace.
    """


def main() -> None:
    """Run the command line of this process and exit with its code (docs/faults.md lists them).

    What it and its children write is for this user alone, unless they say otherwise.
    """
    os.umask(0o077)
    output.adapt()
    early.raise_from_now_on()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. An expected error is one line on stderr, never a traceback."""
    try:
        code = _run(arguments)
        output.flush()
        return code
    except OSError as error:
        output.fall_silent()
        if isinstance(error, BrokenPipeError):  # the reader has seen enough, as `head` does
            return 1
        return _told(output.failure(error) or PermanentError("the output cannot be written", why=str(error)))


def _run(arguments: Sequence[str]) -> int:
    command = next(iter(arguments), None)
    settings = None
    with suppress(SettingsError):  # a command that needs the settings says itself what is wrong with them
        settings = load_settings()
    is_json = configure_command(settings)
    if command in COMMANDS and command != "doctor":  # which has a finding for each
        _warn_of_unread(is_plain=not is_json)
    try:
        application(command)(list(arguments), prog_name="emag-pipeline")
    except SystemExit as end:
        if _is_by_ctrl_c(end):
            write_line(early.words(signal.SIGINT))
        return end.code if isinstance(end.code, int) else 0
    except PipelineError as error:
        return _told(error)
    except (Interrupted, KeyboardInterrupt) as end:
        if not (isinstance(end, Interrupted) and end.is_told):
            write_line(str(end) or "emag-pipeline: interrupted")
        return Interrupted.exit_code
    except Exception as error:
        if isinstance(error, OSError) and output.failure(error):
            raise
        # a defect: its traceback may hold secrets, so it goes where they are taken out
        log.critical("crashed", exc_info=True)
        return 1
    return 0


def _is_by_ctrl_c(end: SystemExit) -> bool:
    """Typer makes an exit with 130 of it, without a word."""
    error: BaseException | None = end
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _told(error: PipelineError) -> int:
    if says_lines():
        log.error("command_failed", message=error.message, exit_code=error.exit_code)
    else:
        write_line("\n".join(f"emag-pipeline: {line}" for line in error.message.splitlines()))
    return error.exit_code
