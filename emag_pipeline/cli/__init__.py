"""The command line `emag-pipeline`: one module a command; it parses, calls, prints, and decides nothing."""

from emag_pipeline.cli import early


def main() -> None:
    """The program; see `cli.main`. A signal that comes while it is loaded is answered with a sentence."""
    early.listen()
    from emag_pipeline.cli.main import main as run

    run()


__all__ = ["main"]
