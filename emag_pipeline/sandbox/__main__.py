"""`python -m emag_pipeline.sandbox`: the sandbox from the command line."""

import argparse
import os
import sys
from pathlib import Path
from typing import get_args

from emag_pipeline.sandbox import like
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS, DEFAULT_SEED, PortTaken, SandboxServer, run
from emag_pipeline.sandbox.settings import Parameters, SandboxSettings


def main() -> int:
    """Serve until interrupted; returns 2 if the address is in use or an argument is wrong."""
    wishes = _parser().parse_args()
    given = {name: getattr(wishes, name) for name in ("latency_seconds", "seconds_per_offer", "parameters")}
    try:
        server = SandboxServer(
            wishes.port,
            host=wishes.host,
            hosts=wishes.hosts.split(","),
            seed=wishes.seed,
            accounts=dict(wishes.offers) if wishes.offers else DEFAULT_ACCOUNTS,
            requests_per_second=wishes.requests_per_second,
            requests_per_minute=wishes.requests_per_minute,
            changes_per_second=wishes.changes_per_second,
            like=like.read(wishes.like) if wishes.like else None,
            **{name: value for name, value in given.items() if value is not None},
        )
    except (PortTaken, ValueError) as error:
        sys.stderr.write(f"{error.strerror if isinstance(error, OSError) else error}\n")
        return 2
    run(server)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline.sandbox", description="A sandbox marketplace.")
    parser.add_argument("--port", type=int, default=8765, help="0 = any free one (default: %(default)s)")
    bind = os.environ.get("EMAG_SANDBOX_BIND") or "127.0.0.1"
    parser.add_argument("--host", default=bind, help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--hosts",
        default=os.environ.get("EMAG_SANDBOX_HOSTS", ""),
        metavar="NAME,…",
        help="allowed host names, in addition to those of this machine (default: none)",
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="seed of the catalogues (default: %(default)s)")
    parser.add_argument(
        "--offers",
        type=_size,
        nargs="+",
        metavar="ACCOUNT=NUMBER",
        help="accounts and their offers (default: main=1200 fbe=800)",
    )
    parser.add_argument("--requests-per-second", type=float, default=3, help="0 = no limit (default: %(default)s)")
    parser.add_argument("--requests-per-minute", type=float, default=180, help="0 = no limit (default: %(default)s)")
    parser.add_argument("--latency-seconds", type=float, help="of each response (default: 0)")
    parser.add_argument("--seconds-per-offer", type=float, help="of each row that a read returns (default: 0)")
    parser.add_argument(
        "--parameters",
        default=os.environ.get("EMAG_SANDBOX_PARAMETERS") or None,
        help=f"where reads accept pagination and filters: {', '.join(get_args(Parameters))} "
        f"(default: {SandboxSettings().parameters})",
    )
    parser.add_argument(
        "--like",
        type=Path,
        metavar="FILE",
        help="respond in the shapes that `emag-pipeline probe` wrote to FILE; the options above take precedence",
    )
    parser.add_argument(
        "--changes-per-second", type=float, default=0.0, help="of each catalogue (default: %(default)s)"
    )
    return parser


def _size(text: str) -> tuple[str, int]:
    account, _, number = text.partition("=")
    if not account or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form ACCOUNT=NUMBER, e.g. main=1200")
    return account, int(number)


if __name__ == "__main__":
    sys.exit(main())
