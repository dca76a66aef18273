"""Importing this makes log lines of what this process prints: for code servers and runs, which load `definitions`."""

import logging

from emag_pipeline.logs.configure import configure, take_over
from emag_pipeline.settings import current

configure(current())
take_over(current())
logging.getLogger("dagster").handlers.clear()  # a code server's, which prints to stdout in a form of its own
