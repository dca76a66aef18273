"""Network faults between this machine and the marketplace."""

from emag_pipeline.drills.actions import all_of, fault, nothing
from emag_pipeline.drills.runs import Ending
from emag_pipeline.drills.scenario import Persisting, Scenario, Theme
from emag_pipeline.drills.stage import Stage

_AWAY_SECONDS = 3.0
_SHORT = {"EMAG_API_SILENCE_SECONDS": "10", "EMAG_API_CALL_SECONDS": "20"}


_NETWORK = "check this machine's network and the marketplace's status"
#: the drills' marketplace is on this machine
_SILENT = (
    "the sandbox on this machine does not respond: if it was stopped, `kill -CONT` resumes it; else restart "
    "`emag-pipeline up` or `emag-pipeline sandbox`"
)


def _broken(kind: str, what: str, persists: str = _SILENT, **options: float) -> Persisting:
    message = f"main, offer …: {what} It is retried; if it persists, {persists}."
    return Persisting({"kind": kind, **options}, "ApiUnavailable", message)


def _network_gone(stage: Stage) -> Ending:
    run = stage.start()
    stage.wait_for_pages(run, 3)
    stage.market.stop()
    stage.scratch.halted.wait(_AWAY_SECONDS)
    stage.market.start_again()
    return stage.end_of(run)


THEME = Theme(
    "Network",
    (
        Scenario(
            name="connection-resets",
            fault="Connections are reset, some in the middle of a response",
            produced="8 calls end with RST, 3 of them after 2,000 bytes",
            answer="Retries the call",
            lasts="Up to 5 tries per call, 0.5 to 4 s apart with jitter",
            persisting=_broken("reset", "the connection was lost before the response was complete.", _NETWORK),
            arrange=all_of(fault("reset", count=5), fault("reset", count=3, after_bytes=2000)),
        ),
        Scenario(
            name="server-hangs",
            fault="The marketplace accepts calls but sends no response",
            produced="2 calls hang forever",
            answer="Aborts the call and retries it",
            lasts="EMAG_API_SILENCE_SECONDS per call (60; here 10), up to 5 tries (2 for a page, then smaller pages)",
            persisting=_broken("hang", "no data received for 10 s (read timeout)."),
            arrange=fault("hang", count=2, after=2),
            variables=_SHORT,
            long=True,
        ),
        Scenario(
            name="server-dribbles",
            fault="A response arrives byte by byte, so that the read timeout never expires",
            produced="1 response sends one byte every half second",
            answer="Aborts the call at its total timeout and retries it",
            lasts="EMAG_API_CALL_SECONDS per call (200; here 20), up to 5 tries (2 for a page, then smaller pages)",
            persisting=_broken("dribble", "the response was not complete after 20 s (total timeout).", seconds=2.0),
            arrange=fault("dribble", seconds=0.5, count=1, after=2),
            variables=_SHORT,
            long=True,
        ),
        Scenario(
            name="network-gone",
            fault="The network fails in the middle of a scan and recovers",
            produced="the sandbox's process is killed after 3 durable pages and restarted 3 s later",
            answer="Retries until the marketplace responds; durable pages are not read again",
            lasts="5 tries per call (about 9 s); the step is retried 3 times, after 5, 10 and 20 s",
            arrange=fault("hang", pages=list(range(4, 12))),
            act=_network_gone,
            repair=nothing,
            first=True,
            changes=False,
        ),
    ),
)
