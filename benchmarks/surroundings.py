"""A throw-away database and a sandbox in a process of its own, so that both sides have their own interpreter."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from emag_pipeline import embedded
from emag_pipeline.db import migrate
from emag_pipeline.db.engine import Database
from emag_pipeline.settings import load_settings
from emag_pipeline.sync import SyncContext


@contextmanager
def fresh_database() -> Iterator[str]:
    """The URL of an empty, migrated database on a server with its default durability."""
    with tempfile.TemporaryDirectory(prefix="emag-bench-") as home:
        server = embedded.start(Path(home))
        try:
            url = server.url("bench")
            database = Database(url)
            migrate.upgrade(database)
            database.close()
            yield url
        finally:
            server.stop()


@contextmanager
def sandbox(offers: int, **options: float) -> Iterator[str]:
    """The base URL of a sandbox whose account `main` has so many offers; options as on its command line."""
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "emag_pipeline.sandbox", "--port=0", *arguments, "--offers", f"main={offers}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        yield process.stdout.readline().removeprefix("sandbox: ").strip()
    finally:
        process.terminate()
        process.wait()


def context(database: Database, url: str, **environ: str) -> SyncContext:
    """A run's context for the account `main` of the sandbox at a URL; keywords are environment variables."""
    given = {
        "EMAG_API_BASE_URL": url,
        "EMAG_API_USERNAME": "main@sandbox.example",
        "EMAG_API_PASSWORD": "sandbox",
        "EMAG_SYNC_MAX_PAGES": "100000",
    }
    settings = load_settings({**given, **environ}, env_file=None)
    return SyncContext(
        settings=settings,
        database=database,
        account=settings.account("main"),
        run_id=str(uuid4()),
        run_has_ended=lambda _: True,
        report=lambda _: None,
    )
