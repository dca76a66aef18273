"""Clocks of others against this machine's: deadlines, heartbeats and certificates are compared across them."""

from datetime import UTC, datetime

from emag_pipeline.admin.doctor.finding import Finding, Verdict, ok
from emag_pipeline.wording import counted

SUBJECT = "clock"

_WARNING_SECONDS = 2.0
#: a living sync of another machine would look dead: EMAG_SYNC_HEARTBEAT_TIMEOUT is two minutes
_BROKEN_SECONDS = 60.0
_REMEDY = "Let NTP set both clocks: `timedatectl set-ntp true`, or chrony"


def of_database(ahead_seconds: float, uncertain_seconds: float) -> Finding:
    """The database's clock."""
    return _judged("the database's clock", ahead_seconds, uncertain_seconds)


def of_marketplace(account: str, dated: datetime) -> Finding:
    """The clock of an account's marketplace, which tells whole seconds and is some milliseconds away."""
    ahead = (dated - datetime.now(UTC)).total_seconds()
    return _judged(f"the clock of {account}'s marketplace", ahead + 0.5, 1.5)


def _judged(whose: str, ahead_seconds: float, uncertain_seconds: float) -> Finding:
    at_least = abs(ahead_seconds) - uncertain_seconds
    if at_least <= _WARNING_SECONDS:
        return ok(SUBJECT, f"{whose} agrees with this machine's")
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    verdict = Verdict.BROKEN if at_least > _BROKEN_SECONDS else Verdict.WARNING
    return Finding(
        SUBJECT,
        verdict,
        f"{whose} is {counted(round(abs(ahead_seconds)), 'second')} {direction} this machine's",
        _REMEDY,
    )
