"""Arguments and options that several commands share, and how their text is read."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import Settings

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account, such as main.")]
AccountsOption = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="NAME", help="Only this account; repeat for more. Default: all."),
]
OfferArgument = Annotated[int, typer.Argument(metavar="OFFER_ID", min=1, help="The seller's own id: emag_offer_id.")]
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
