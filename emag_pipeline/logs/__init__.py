"""Structured logs: one object a line, one event name a happening (docs/logs.md), account and sync on every line.

log = logger(__name__)
with about(account="main", sync_id=lease.sync_id):
    log.info("scan_planned", pages=12)

`configure` says once a process where lines go and how they look; without it, events are records of `logging`.
"""

from emag_pipeline.logs.configure import configure, configure_command, configure_service, says_lines
from emag_pipeline.logs.events import about, logger, unprinted, with_context

__all__ = [
    "about",
    "configure",
    "configure_command",
    "configure_service",
    "logger",
    "says_lines",
    "unprinted",
    "with_context",
]
