"""Where the next run of a sync that did not publish begins."""


def goes_on(pages_done: int | None) -> str:
    """E.g. `goes on after the last durable page`; `pages_done`: how many are durable, None where nobody knows."""
    if pages_done is None:
        return "goes on after the last durable page, or starts from the beginning where none is durable"
    return "goes on after the last durable page" if pages_done else "starts from the beginning: no page is durable yet"
