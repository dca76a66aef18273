"""The program `emag-pipeline`: its commands and its exit codes."""

import inspect
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import typer

from emag_pipeline import running_up
from emag_pipeline.cli import output, signals
from emag_pipeline.console import tell, write_line
from emag_pipeline.errors import Interrupted, PermanentError, PipelineError, SettingsError
from emag_pipeline.logs import logger
from emag_pipeline.logs.configure import configure_command
from emag_pipeline.logs.printed import says_lines
from emag_pipeline.settings import given_variables, load_settings
from emag_pipeline.settings.wrong_variables import unread
from emag_pipeline.wording import closed

log = logger(__name__)

#: The module of each command, in the order of the help. The command is the function of its name.
COMMANDS = {
    "up": "running",
    "sync": "running",
    "backfill": "running",
    "status": "monitoring",
    "doctor": "diagnosis",
    "probe": "diagnosis",
    "stuck": "recovery",
    "recover": "recovery",
    "stop": "recovery",
    "approve": "review",
    "discard": "review",
    "forget": "database",
    "rejects": "review",
    "explain": "offers",
    "history": "offers",
    "accept": "review",
    "deviations": "review",
    "report": "exports",
    "export": "exports",
    "psql": "database",
    "migrate": "database",
    "prune": "database",
    "backup": "database",
    "restore": "database",
    "roles": "database",
    "exporter": "monitoring",
    "sandbox": "practice",
    "drill": "practice",
}
#: Options that `psql` does not know are passed on to PostgreSQL's own psql.
_CONTEXTS = {"psql": {"ignore_unknown_options": True}}


def application(command: str | None = None) -> typer.Typer:
    """The program with one command, or with all if `command` is none of them: loading all takes seconds."""
    app = typer.Typer(
        name="emag-pipeline",
        epilog="Exit codes: 0 success, 1 failed and a retry may help, 2 wrong usage or settings, "
        "3 refused by the audit, 4 another sync is running, 5 failed and a retry cannot help, 6 `doctor` could not "
        "examine everything, 130 interrupted. "
        "Settings are read from the environment and from a .env file; see .env.example.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(emag_pipeline)
    for name in (command,) if command in COMMANDS else COMMANDS:
        run_command = getattr(import_module(f"emag_pipeline.cli.{COMMANDS[name]}"), name)
        app.command(name, help=_unwrapped(run_command.__doc__), context_settings=_CONTEXTS.get(name))(run_command)
    return app


def _unwrapped(text: str) -> str:
    """A docstring with one line per paragraph, which the help then wraps to the width of the terminal."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _warn_of_unread(*, is_plain: bool) -> None:
    """Warn of variables with our prefix that no setting reads, also when the settings are wrong: a typo may be why.

    Programs that `up` runs do not repeat it. An unusable `.env` is reported by the command itself.
    """
    if running_up.is_member():
        return
    with suppress(SettingsError):
        for what, remedy in unread(given_variables()):
            if is_plain:
                tell(f"{what}. {closed(remedy)}")
            else:
                log.warning("variable_not_read", message=what, remedy=remedy)


def emag_pipeline() -> None:
    """An exact, current and historical copy of your eMAG offers in PostgreSQL.

    Start with `emag-pipeline up`. Without any settings it uses its own database and a sandbox marketplace.
    """


def main() -> None:
    """Run this process's command line and exit with its code (docs/faults.md lists the codes).

    Files that it and its children write are readable by this user only, unless a command says otherwise.
    """
    os.umask(0o077)
    output.adapt()
    signals.raise_from_now_on()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code. An expected error is one line on stderr, never a traceback."""
    try:
        code = _run(arguments)
        output.flush()
        return code
    except OSError as error:
        output.fall_silent()
        if isinstance(error, BrokenPipeError):  # the reader closed the pipe, as `head` does
            return 1
        return _reported(output.failure(error) or PermanentError("the output cannot be written", why=str(error)))


def _run(arguments: Sequence[str]) -> int:
    command = next(iter(arguments), None)
    settings = None
    with suppress(SettingsError):  # a command that needs the settings reports the error itself
        settings = load_settings()
    is_json = configure_command(settings)
    if command in COMMANDS and command != "doctor":  # which reports each as a finding
        _warn_of_unread(is_plain=not is_json)
    try:
        application(command)(list(arguments), prog_name="emag-pipeline")
    except SystemExit as end:
        if _is_by_ctrl_c(end):
            write_line(signals.words(signal.SIGINT))
        return end.code if isinstance(end.code, int) else 0
    except PipelineError as error:
        return _reported(error)
    except (Interrupted, KeyboardInterrupt) as end:
        if not (isinstance(end, Interrupted) and end.is_told):
            write_line(str(end) or "emag-pipeline: interrupted")
        return Interrupted.exit_code
    except Exception as error:
        if isinstance(error, OSError) and output.failure(error):
            raise
        # a defect: its traceback may hold secrets, so it goes to the log, which redacts them
        log.critical("crashed", exc_info=True)
        return 1
    return 0


def _is_by_ctrl_c(end: SystemExit) -> bool:
    """Whether Ctrl-C caused this exit: Typer turns it into code 130 without a message."""
    error: BaseException | None = end
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _reported(error: PipelineError) -> int:
    if says_lines():
        log.error("command_failed", message=error.message, exit_code=error.exit_code)
    else:
        write_line("\n".join(f"emag-pipeline: {line}" for line in error.message.splitlines()))
    return error.exit_code
