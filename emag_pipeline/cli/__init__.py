"""The command line `emag-pipeline`: one module per group of commands. It parses, calls and prints; it decides nothing.

A module is loaded for every command of its group. What only one of them needs and takes long to load (Dagster, the
sandbox, the HTTP client) is imported inside that command.
"""

from emag_pipeline.cli import signals


def main() -> None:
    """Run the program; see `cli.main`. A signal that arrives while it is loaded ends it with a message."""
    signals.listen()
    from emag_pipeline.cli.main import main as run

    run()


__all__ = ["main"]
