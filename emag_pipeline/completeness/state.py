"""How a chain of windows stands."""

from enum import Enum


class State(Enum):
    """How a chain stands."""

    READING = "reading"
    #: one run reaches from head to tail
    JOINED = "joined"
    #: there is nothing in the listing
    EMPTY = "empty"
    #: what lies behind the last offer repeats it: an end only if the count agrees
    REPEATS = "repeats"
    #: the windows do not join: read plain pages twice
    TORN = "torn"
    #: what keeps them apart is `fault`
    FAULTY = "faulty"
