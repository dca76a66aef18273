"""Where the next run of a sync that did not publish begins."""

#: Of an outage of the database nobody knows what it left: staging survives a stop, and no crash of the server.
AFTER_AN_OUTAGE = (
    "the next run goes on after the last durable page, or starts from the beginning where the server has crashed, "
    "which empties staging"
)


def goes_on(pages_left: int | None) -> str:
    """E.g. `goes on after the last durable page`; `pages_left`: how many are durable, None where nobody knows."""
    if pages_left is None:
        return "goes on after the last durable page, or starts from the beginning where none is durable"
    return "goes on after the last durable page" if pages_left else "starts from the beginning: no page is durable"
