"""Whether a database's host takes connections at all.

A server that is only slow has its machine take the connection at once. Where even that does not come about, nothing is
there, or a firewall drops what is sent without a word: that stays so however often one looks.
"""

import socket
from collections.abc import Iterator

from emag_pipeline.db import libpq
from emag_pipeline.operations.doctor.finding import Finding, broken

#: For all addresses together; less than the look at the database has.
_SECONDS = 3.0


def unheard(subject: str, url: str, whose: str = "") -> Iterator[Finding]:
    """A finding where no address of the URL takes a connection, nor refuses one; nothing else, and no error."""
    places = libpq.addresses(url)
    if places and all(_is_silent(host, port, _SECONDS / len(places)) for host, port in places):
        where = " and ".join(f"{host} port {port}" for host, port in places)
        what = f"{whose}no connection to {where} within {_SECONDS:g} seconds, and no refusal (connect timeout)"
        remedy = (
            "Nothing listens there, or a firewall drops the packets: correct host and port in the database URL, or "
            "open the way from this machine"
        )
        yield broken(subject, what, remedy)


def _is_silent(host: str, port: str, seconds: float) -> bool:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:  # said by whoever connects in earnest
        return False
    return all(_drops(family, address, seconds / len(addresses)) for family, _, _, _, address in addresses)


def _drops(family: int, address: object, seconds: float) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as line:
        line.settimeout(seconds)
        try:
            line.connect(address)  # type: ignore[arg-type]
        except TimeoutError:
            return True
        except OSError:
            return False
    return False
