"""Moments in the command line's options."""

from datetime import UTC, datetime

from emag_pipeline.errors import SettingsError


def moment(option: str, text: str | None) -> datetime | None:
    """An option's moment in UTC; without a time zone it is UTC, without a time it is midnight. None stays None."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SettingsError(
            f"{option} is {text!r}", remedy="Give a day or a time such as 2026-03-01T06:00+02:00"
        ) from None
