"""Reproducible randomness: the same key always gives the same draws, on every machine and Python version."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

Item = TypeVar("Item")


def number(*key: object) -> int:
    """A 64-bit number that depends only on the key."""
    return int.from_bytes(blake2b("/".join(map(str, key)).encode(), digest_size=8).digest(), "big")


class Chance:
    """A stream of 512 random bits for one key: enough for about sixty small draws."""

    __slots__ = ("_bits",)

    def __init__(self, *key: object) -> None:
        digest = blake2b("/".join(map(str, key)).encode(), digest_size=64).digest()
        self._bits = int.from_bytes(digest, "big")

    def below(self, bound: int) -> int:
        """An integer from 0 to bound - 1."""
        self._bits, drawn = divmod(self._bits, bound)
        return drawn

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, all equally likely."""
        self._bits, drawn = divmod(self._bits, len(items))
        return items[drawn]

    def happens(self, per_mille: int) -> bool:
        """True with a probability of `per_mille` in a thousand."""
        self._bits, drawn = divmod(self._bits, 1000)
        return drawn < per_mille
