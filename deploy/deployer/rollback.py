"""Go back to a release that is still there, by a person's decision."""

from collections.abc import Callable

from deployer import database, health, release, services, switch
from deployer.failure import Failure
from deployer.places import Places


def roll_back(places: Places, name: str, seconds: float, say: Callable[[str], None]) -> None:
    """Use an earlier release again, by default the newest of those not in use.

    Migrations only go forward, and a release refuses a schema that is newer than itself: Failure, before anything is
    stopped. Then a backup from before has to take the schema's place first, which is for a person to do.
    """
    others = places.others()
    target = release.found(places, name or (others[0].name if others else ""))
    if not database.fits(places, target):
        raise Failure(
            f"{target.name} cannot work with the schema that is there, nothing was changed",
            f"See 'Going back' in docs/how-to/deploy.md; the backups are in {places.backups}",
        )
    say("stopping the services; running syncs note how far they came")
    services.stop()
    switch.to(places, target)
    say(f"{target.name} is in use; waiting for the services to work")
    services.start()
    health.wait(places, seconds)
    say(f"{target.name} works")
