"""The command line: one module a command; it parses, calls, prints, and decides nothing."""

from emag_pipeline.cli.main import main

__all__ = ["main"]
