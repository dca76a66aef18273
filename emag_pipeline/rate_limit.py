"""The marketplace's rate limit as one even pace (docs/marketplace-api.md, "Rate limits").

Two sliding windows apply: so many calls in any second, so many in any minute. Calls that keep one even
distance satisfy both at once: with a pace of 1/r seconds, any r + 1 calls span more than a second. Unlike
bursts, a pace also leaves room for the seller's other programs, and four calls are never at a window's edge.
"""

#: A call that left on time may arrive late by some milliseconds, the next one less late. At 3 calls a
#: second this much air lets four arrivals be squeezed by 35 ms and still span a whole second.
SAFETY_MARGIN = 1.035

#: No pause that the marketplace asks for is kept longer; after it a call shows whether it still wants one.
LONGEST_PAUSE_SECONDS = 120.0


def pace_seconds(requests_per_second: float, requests_per_minute: float, share: float = 1.0) -> float:
    """Seconds between two calls of an account, all processes together.

    `share` is the part of the account's budget that this software may use (0 < share <= 1).
    """
    return max(1.0 / requests_per_second, 60.0 / requests_per_minute) * SAFETY_MARGIN / share
