"""Install a wheel, or go back to an earlier release.

Installing: check, build next to the running release, stop, back up, migrate, switch, start, verify. After a failure
before the switch, or after it with an unchanged schema, the previous release is in use again. If the schema has
changed, the previous release refuses it: the new one stays, and a person decides (docs/how-to/deploy.md).
"""

from pathlib import Path

from deployer import checks, programs, release, services
from deployer.places import Failure, Places, say

_AGAIN = "Correct that and deploy again"
_STOPPING = "stopping the services; running syncs record how far they came"


def install(
    places: Places, wheel: Path, *, packages_of: Path | None, keep: int, verify_seconds: float, dry_run: bool
) -> None:
    """Make a wheel the release in use. Raises Failure, which says what was rolled back.

    `packages_of`: borrow the packages of this virtual environment, to try things out. `keep`: so many other releases.
    """
    if not wheel.is_file():
        raise Failure(f"there is no file {wheel}", "Build it: .venv/bin/hatchling build -t wheel")
    say("checking this machine and the settings")
    checks.require(checks.machine(places))
    new, before = release.path_of(places, wheel), places.release_in_use()
    building = f"{new.name} is built already" if (new / "complete").exists() else f"building {new}"
    if dry_run:
        say(building.replace("building", "would build"))
        say(f"would stop the services, back up into {places.backups}, migrate")
        say(f"would switch {places.current} from {before.name if before else 'nothing'} to {new.name}, start, verify")
        say("dry run: nothing was changed")
        return
    say(building)
    release.build(new, wheel, packages_of)
    release.prepare(places, new)
    say("asking its doctor about settings, database, clocks and disk")
    checks.require(checks.pipeline(places, new))
    if new == before and not services.inactive():
        say(f"{new.name} is in use already and runs")
    else:
        _replace(places, before, new)
    say("waiting for the services to work")
    try:
        services.start()
        services.await_health(places, verify_seconds)
    except Failure as error:
        raise _back(places, before if before != new else None, error) from error
    for name in release.remove_old(places, keep):
        say(f"removed {name}")
    say(f"{new.name} works")


def _replace(places: Places, before: Path | None, new: Path) -> None:
    if before is not None:
        say(_STOPPING)
        services.stop()
    try:
        if programs.has_schema(places, new):
            say(f"backed up into {programs.back_up(places, new)}")
        say(programs.migrate(places, new))
        release.use(places, new)
    except Failure as error:
        raise _back(places, before, error) from error


def _back(places: Places, before: Path | None, error: Failure) -> Failure:
    """Return to the previous release if it can work; the failure to raise."""
    if before is None:
        return Failure(f"{error} There is no release to go back to", _AGAIN)
    if not programs.fits(places, before):
        return Failure(
            f"{error} {before.name} does not know the schema any more, so it was not put back",
            f"{_AGAIN}; or see 'Going back' in docs/how-to/deploy.md",
        )
    say(f"going back to {before.name}")
    services.stop()
    release.use(places, before)
    services.start()
    return Failure(f"{error} {before.name} is in use again", _AGAIN)


def roll_back(places: Places, name: str, verify_seconds: float) -> None:
    """Use an earlier release again by a person's decision, by default the newest of those not in use.

    Migrations only go forward, and a release refuses a schema that is newer than itself: Failure, before anything is
    stopped. Then a backup from before has to take the schema's place first, which is for a person to do.
    """
    others = places.others()
    target = release.found(places, name or (others[0].name if others else ""))
    if not programs.fits(places, target):
        raise Failure(
            f"{target.name} cannot work with the schema that is there, nothing was changed",
            f"See 'Going back' in docs/how-to/deploy.md; the backups are in {places.backups}",
        )
    say(_STOPPING)
    services.stop()
    release.use(places, target)
    say(f"{target.name} is in use; waiting for the services to work")
    services.start()
    services.await_health(places, verify_seconds)
    say(f"{target.name} works")
