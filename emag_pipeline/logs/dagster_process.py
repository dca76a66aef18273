"""Importing this makes log lines of what this process prints: for code servers and runs, which load `definitions`."""

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
logging.getLogger("dagster").handlers.clear()  # a code server's, which prints to stdout in a form of its own
