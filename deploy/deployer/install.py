"""Install a wheel: check, build beside what runs, stop, back up, migrate, switch, start, verify.

A failure before the switch, and one after it that left the schema alone, ends with the release before in use again.
Where the schema moved, the release before refuses it: the new one stays, and a person decides (docs/how-to/deploy.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deployer import checks, database, health, release, services, switch
from deployer.failure import Failure
from deployer.places import Places

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted."""

    wheel: Path
    #: borrow the packages of this virtual environment, to try things out
    packages_of: Path | None
    keep: int
    verify_seconds: float
    dry_run: bool


def install(places: Places, order: Order, say: Say) -> None:
    """Do it. Raises Failure; what was rolled back stands in it."""
    if not order.wheel.is_file():
        raise Failure(f"{order.wheel} is no file", "Build it: .venv/bin/hatchling build -t wheel")
    say("checking this machine and the settings")
    checks.require(checks.machine(places))
    new, before = release.path_of(places, order.wheel), places.release_in_use()
    if order.dry_run:
        _tell(places, new, before, say)
        return
    say(f"building {new}" if not (new / "complete").exists() else f"{new.name} is built already")
    release.build(new, order.wheel, order.packages_of)
    switch.prepare(places, new)
    say("asking its doctor about settings, database, clocks and disk")
    checks.require(checks.pipeline(places, new))
    if new == before and not services.inactive():
        say(f"{new.name} is in use already and runs")
    else:
        _replace(places, before, new, say, order.verify_seconds)
    say("waiting for the services to work")
    _verified(places, before, new, say, order.verify_seconds)
    for name in release.remove_old(places, order.keep):
        say(f"removed {name}")
    say(f"{new.name} works")


def _tell(places: Places, new: Path, before: Path | None, say: Say) -> None:
    say(f"would build {new}" if not (new / "complete").exists() else f"{new.name} is built already")
    say(f"would stop the services, back up into {places.backups}, migrate")
    say(f"would switch {places.current} from {before.name if before else 'nothing'} to {new.name}, start and verify")
    say("dry run: nothing was changed")


def _replace(places: Places, before: Path | None, new: Path, say: Say, verify_seconds: float) -> None:
    if before is not None:
        say("stopping the services; running syncs note how far they came")
        services.stop()
    try:
        if database.has_schema(places, new):
            say(f"backed up into {database.back_up(places, new)}")
        say(database.migrate(places, new))
        switch.to(places, new)
    except Failure as error:
        raise _back(places, before, say, error) from error


def _verified(places: Places, before: Path | None, new: Path, say: Say, seconds: float) -> None:
    try:
        services.start()
        health.wait(places, seconds)
    except Failure as error:
        raise _back(places, before if before != new else None, say, error) from error


def _back(places: Places, before: Path | None, say: Say, error: Failure) -> Failure:
    """Return to the release before if it can work; the failure to raise."""
    if before is None:
        return Failure(f"{error} There is no release to go back to", "Correct that and deploy again")
    if not database.fits(places, before):
        return Failure(
            f"{error} {before.name} does not know the schema any more, so it was not put back",
            "Correct that and deploy again; or see 'Going back' in docs/how-to/deploy.md",
        )
    say(f"going back to {before.name}")
    services.stop()
    switch.to(places, before)
    services.start()
    return Failure(f"{error} {before.name} is in use again", "Correct that and deploy again")
