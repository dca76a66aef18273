"""Restart the embedded PostgreSQL when it has died under a running `up`, and keep its log small."""

from collections.abc import Callable

from emag_pipeline import embedded
from emag_pipeline.databases import silence
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.operations import log_files
from emag_pipeline.settings import Settings


class EmbeddedWatch:
    """Does nothing where a database is configured: its server is somebody else's."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._home = settings.home if settings.uses_embedded_database else None
        self._say = say
        #: what was said since the server was last seen
        self._said: list[str] = []

    def mend(self) -> None:
        """Start the server again if it does not run; what it had committed is there. Keeps trying at each call.

        Says once that it does not run, once each reason why it does not start, and that it runs again.
        """
        if self._home is None:
            return
        log_files.keep_small(embedded.log_of(self._home))
        if embedded.running(self._home) is None:
            self._say_once(silence(self._home, up_goes_on=True).message)
            try:
                embedded.start(self._home, say=self._say_once)
            except DatabaseUnavailable as error:
                self._say_once(error.message)
                return
        if self._said:
            self._say("the embedded PostgreSQL runs again")
            self._said.clear()

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._say(text)
            self._said.append(text)
