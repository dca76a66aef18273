"""The ports: free, ours, or somebody else's."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.operations import ports
from emag_pipeline.operations.doctor.finding import Finding, broken, not_examined, ok, warning
from emag_pipeline.settings import Settings

SUBJECT = "ports"

_TIMEOUT_SECONDS = 4.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to look, not where to listen


@dataclass(frozen=True, slots=True)
class Listener:
    """One of our programs, and a page by which it is known: the text that only its answer holds."""

    name: str
    variable: str
    host: str
    port: int
    page: str
    mark: str
    #: whose it shall be; None for whoever's
    home: Path | None = None


def examine(one: Listener) -> Iterator[Finding]:
    """Who listens on the port that one of our programs wants."""
    answer = _answer(one)
    if answer is None:
        yield ok(SUBJECT, f"port {one.port} is free: {one.name} does not run")
    elif one.mark.encode() in answer:
        yield _answers(one, ports.holder(one.port))
    else:
        yield _wrong(one, ports.holder(one.port), is_silent=not answer)


def _answers(one: Listener, holder: ports.Holder | None) -> Finding:
    what = f"port {one.port}: {one.name} answers"
    if one.home is None or holder is None or holder.home in (None, one.home.resolve()):
        return ok(SUBJECT, what)
    remedy = f"If that one is meant, set EMAG_HOME to {holder.home}; else set {one.variable} to another port"
    return warning(SUBJECT, f"{what}, and is that of the `up` in EMAG_HOME {holder.home}", remedy)


def _wrong(one: Listener, holder: ports.Holder | None, *, is_silent: bool) -> Finding:
    """What there is instead of the answer. A program of ours that is silent, or an unknown one, may only be busy."""
    or_else = f"set {one.variable} to another port"
    if holder is not None and holder.is_stopped:
        return broken(SUBJECT, f"port {one.port}: {holder.words}", f"{holder.let_go_on}; or {or_else}")
    if is_silent and (holder is None or holder.program):
        who = holder.words if holder else "it is not known who listens there"
        what = f"port {one.port}: {one.name} gave no answer within {_TIMEOUT_SECONDS:g} seconds; {who}"
        return not_examined(SUBJECT, what, f"end that process, or {or_else}")
    how = "does not answer" if is_silent else "is another program"
    who = f" ({holder.words})" if holder else ""
    what = f"port {one.port} is taken: what listens there instead of {one.name} {how}{who}"
    return broken(SUBJECT, what, f"Stop that program, or {or_else}")


def listeners(settings: Settings) -> Iterator[Listener]:
    """The ports that `up` or a service listens on."""
    bind = _ANYWHERE.get(settings.bind, settings.bind)
    home = settings.home
    yield Listener(
        "Dagster's UI", "EMAG_UI_PORT", ports.HOST, settings.ui_port, "/server_info", "dagster_webserver", home
    )
    yield Listener("/metrics", "EMAG_SYNC_METRICS_PORT", bind, settings.metrics_port, "/metrics", "emag_sync_", home)
    yield Listener("/health", "EMAG_SYNC_HEALTH_PORT", bind, settings.health_port, "/health", '"accounts"', home)
    if settings.starts_sandbox:
        yield Listener(
            "the sandbox",
            "EMAG_SANDBOX_PORT",
            settings.sandbox_host,
            settings.sandbox_port,
            "/api-3/product_offer/count",
            "isError",
            home,
        )


def _answer(one: Listener) -> bytes | None:
    """What it says; nothing when it hangs or speaks no HTTP, None where nobody listens."""
    connection = http.client.HTTPConnection(one.host, one.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.connect()
    except TimeoutError:  # somebody listens, and takes no more connections
        return b""
    except OSError:
        return None
    try:
        connection.request("GET", one.page)
        return connection.getresponse().read(2**20)
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
