"""The rights of the database's roles, as far as this user may grant them."""

from emag_pipeline.db import roles
from emag_pipeline.operations.surroundings import Databases, opened
from emag_pipeline.settings import Settings


def granted(found: Databases, settings: Settings) -> bool:
    """Grant writer and readers their rights on the tables. False where there are no roles, or for another user."""
    with opened(found, settings) as database:
        return roles.grant(database)


def script(settings: Settings) -> str:
    """What a superuser runs in psql to make the roles."""
    return roles.script(settings.db_schema)
