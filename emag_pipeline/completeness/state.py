"""How a scan and its chain of windows stand."""

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


class Phase(Enum):
    """What is done now; END is the count that all of it is compared with."""

    BEGIN = 0
    CHAIN = 1
    PLAIN = 2
    DOUBLES = 3
    HEAD = 4
    TAIL = 5
    CONFIRM = 6
    END = 7
