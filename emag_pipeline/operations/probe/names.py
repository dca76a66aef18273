"""Which keys of an object are names of fields, and which may be data themselves: those are not told."""

import re

#: what stands in a path for such keys
ANY_KEY = "*"
ANY_LOCALE = "{locale}"
#: an object with more different names than this, beside the known ones, is keyed by data
MOST_NAMES = 40

_LOCALE = re.compile(r"[a-z]{2}_[A-Z]{2}")
_NAME = re.compile(r"[a-z][A-Za-z_]{0,39}")


def told(key: str) -> str:
    """The key where it can be a field's name: letters and underscores, small first; else what stands for it."""
    if _LOCALE.fullmatch(key):
        return ANY_LOCALE
    return key if _NAME.fullmatch(key) else ANY_KEY


def is_told(key: str) -> bool:
    """Whether the key is shown as it is."""
    return told(key) == key
