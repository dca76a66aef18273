"""Arguments and options that several commands share, and how their text is read."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from math import inf
from typing import Annotated
from uuid import UUID

import typer

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import Settings

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account, such as main.")]
AccountsOption = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="NAME", help="Only this account; repeat for more. Default: all."),
]


def whole_number(text: str) -> int:
    """Reads the value of an option: a whole number from 1 on that fits into a bigint."""
    with suppress(ValueError):
        if 1 <= (number := int(text)) < 2**63:
            return number
    raise typer.BadParameter(f"{text!r} is not a whole number from 1")


def amount(text: str) -> float:
    """Reads the value of an option: a number that is not negative, fractions allowed."""
    with suppress(ValueError):
        if 0 <= (number := float(text)) < inf:
            return number
    raise typer.BadParameter(f"{text!r} is not a number from 0")


def _offer_id(text: str) -> int:
    try:
        return whole_number(text)
    except typer.BadParameter:
        what = f"{text!r} is not the id of an offer: give its emag_offer_id, a whole number from 1"
        raise typer.BadParameter(what) from None


def _sync_id(text: str) -> UUID:
    with suppress(ValueError):
        return UUID(text)
    raise typer.BadParameter(f"{text!r} is not the id of a sync: give one that `emag-pipeline status --json` shows")


OfferArgument = Annotated[
    int, typer.Argument(metavar="OFFER_ID", parser=_offer_id, help="The seller's own id: emag_offer_id.")
]
RefusedSyncArgument = Annotated[
    UUID,
    typer.Argument(
        metavar="SYNC_ID", parser=_sync_id, help="The refused sync, as shown by `status` and by the run's error."
    ),
]
SyncArgument = Annotated[
    UUID, typer.Argument(metavar="SYNC_ID", parser=_sync_id, help="The sync, as shown by `status`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs (docs/json-output.md).")]


def chosen_accounts(settings: Settings, names: Sequence[str] | None) -> list[str]:
    """The accounts named, each once, or all that are configured. Raises SettingsError for an unknown one."""
    chosen = [settings.account(name) for name in dict.fromkeys(names or [])]
    return [account.name for account in chosen or settings.accounts]


def moment(option: str, text: str | None) -> datetime | None:
    """The time given to an option: UTC unless it has a time zone, midnight unless it has a time. None stays None.

    Raises SettingsError for text that is not ISO 8601.
    """
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(
            f"{option} is {text!r}", remedy="Give a date or a time such as 2026-03-01T06:00+02:00"
        ) from None


def day(option: str, text: str) -> date:
    """The day given to an option. Raises SettingsError for text that is not an ISO 8601 date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option} is {text!r}", remedy="Give a day such as 2026-11-01") from None
