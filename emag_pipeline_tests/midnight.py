"""Midnight (UTC), which no test is played across.

Many tests ask for today's figures and compare them with rows that they wrote a moment before. That is right on
every day, and wrong in the moment in which one day becomes the next. What the pipeline itself does at midnight is
tested with days of the tests' own choice, never with the clock of the machine.
"""

#: Longer than any test takes that compares days.
ROOM_SECONDS = 90
_DAY_SECONDS = 24 * 60 * 60


def seconds_to_wait(now: float) -> float:
    """How long a test that would begin at `now` (seconds since the epoch) has to wait: 0 for nearly all of the day."""
    left = _DAY_SECONDS - now % _DAY_SECONDS
    return left + 1 if left < ROOM_SECONDS else 0
