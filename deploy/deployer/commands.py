"""The command line of `deploy/deploy`."""

import argparse
import os
import sys
from pathlib import Path

from deployer import programs, release, services, settings_file
from deployer.install import install, roll_back
from deployer.places import Failure, Places, say

_DESCRIPTION = "Install emag-pipeline's services on this machine, check, roll back (docs/how-to/deploy.md)."


def main() -> int:
    """Run one command; 0 done, 1 failed, 2 wrong usage."""
    given = _arguments()
    places = Places(given.prefix.resolve(), given.user)
    try:
        return int(given.command(places, given))
    except Failure as error:
        sys.stderr.write(f"deploy: {error}\n")
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy", description=_DESCRIPTION)
    parser.add_argument("--prefix", type=Path, default=Path("/"), help="install below this directory instead of /")
    parser.add_argument("--user", default="emag", help="runs the services (default: emag)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("install", help="install a wheel and use it; repeating it changes nothing")
    one.add_argument("wheel", type=Path, help="made by: .venv/bin/hatchling build -t wheel")
    one.add_argument("--dry-run", action="store_true", help="check, say what would be done, change nothing")
    one.add_argument("--keep", type=int, default=3, help="earlier releases to keep (default: 3)")
    one.add_argument(
        "--packages-of",
        type=Path,
        metavar="VENV",
        help="for trials: another virtual environment, whose packages are used",
    )
    one.add_argument("--verify-seconds", type=float, default=180, help="how long the services may take to work")
    one.set_defaults(command=_install)

    one = commands.add_parser("rollback", help="use an earlier release again")
    one.add_argument("release", nargs="?", default="", help="default: the newest of those not in use")
    one.add_argument("--verify-seconds", type=float, default=180, help="how long the services may take to work")
    one.set_defaults(command=_rollback)

    one = commands.add_parser("status", help="which releases there are, and whether the services run")
    one.set_defaults(command=_status)

    one = commands.add_parser("run", help="run emag-pipeline as the services do: deploy run -- status")
    one.add_argument("--release", metavar="NAME", help="a release that is kept (default: the one in use)")
    one.add_argument("--as-owner", action="store_true", help="with owner.env: migrate, restore")
    one.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    one.set_defaults(command=_run)
    return parser.parse_args()


def _install(places: Places, given: argparse.Namespace) -> int:
    install(
        places,
        given.wheel.resolve(),
        packages_of=given.packages_of and given.packages_of.resolve(),
        keep=given.keep,
        verify_seconds=given.verify_seconds,
        dry_run=given.dry_run,
    )
    return 0


def _rollback(places: Places, given: argparse.Namespace) -> int:
    roll_back(places, given.release, given.verify_seconds)
    return 0


def _status(places: Places, given: argparse.Namespace) -> int:
    in_use, dead = places.release_in_use(), services.inactive()
    say(f"in use: {in_use.name if in_use else 'nothing'}")
    for other in places.others():
        say(f"kept: {other.name}")
    say(f"not running: {', '.join(dead)}" if dead else "all services run")
    return 1 if dead or in_use is None else 0


def _run(places: Places, given: argparse.Namespace) -> int:
    """Become the command: its terminal, its exit code."""
    words = given.words[1:] if given.words[:1] == ["--"] else given.words
    environment = settings_file.environment(places, as_owner=given.as_owner)
    used = release.found(places, given.release) if given.release else places.current
    who = programs.identity(places.user)
    if who:
        os.setgroups([])
        os.setgid(who["group"])
        os.setuid(who["user"])
    os.chdir(places.home)
    program = used / "venv/bin/emag-pipeline"
    os.execve(program, [str(program), *words], environment)  # noqa: S606 - a shell would parse the words again
