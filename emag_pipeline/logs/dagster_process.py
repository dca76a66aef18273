"""Importing this turns the process's output into log lines: for code servers and runs, which load `definitions`."""

import logging

from emag_pipeline.errors import SettingsError
from emag_pipeline.logs.configure import configure, configure_command, lines_only
from emag_pipeline.settings import current

try:
    configure(current())
except SettingsError:  # Dagster prints it
    configure_command(None)
    raise
lines_only(current())
logging.getLogger("dagster").handlers.clear()  # the handler of a code server, which prints to stdout in another format
