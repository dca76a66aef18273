"""What answers hold about people, and how little of it is kept (docs/privacy.md).

`manufacturer` and `eu_representative` are lists of contacts in a read by id; that there are any is all that is kept.
`seller_input` repeats what the seller had sent of a refused offer, contacts included; the reasons stand beside it.
"""

from collections.abc import Mapping

CONTACTS = ("manufacturer", "eu_representative")
SELLER_INPUT = "seller_input"

_DEEPEST = 100


def without_seller_input(value: object, depth: int = 0) -> object:
    """The value without `seller_input` anywhere in it, nor what is nested deeper than 100 levels."""
    if isinstance(value, dict | list) and depth > _DEEPEST:
        return "… nested deeper"
    if isinstance(value, dict):
        return {key: without_seller_input(item, depth + 1) for key, item in value.items() if key != SELLER_INPUT}
    if isinstance(value, list):
        return [without_seller_input(item, depth + 1) for item in value]
    return value


def without_people(row: object) -> object:
    """A row as it may go to quarantine: of contacts only whether there are any, and no `seller_input`."""
    kept = without_seller_input(row)
    if not isinstance(kept, dict):
        return kept
    return kept | {name: bool(kept[name]) for name in CONTACTS if _is_told(kept, name)}


def _is_told(row: Mapping[str, object], name: str) -> bool:
    return isinstance(row.get(name), list | dict | str)
