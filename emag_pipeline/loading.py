"""While a process of Dagster loads its modules: no garbage is looked for. Importing this begins it, `end` ends it.

Thousands of classes and functions are made and none is thrown away; looking through all of them time and again is a
sixth of what the import costs.
"""

import gc

gc.disable()


def end() -> None:
    """Everything is loaded: it stays, and later searches pass it over."""
    gc.enable()
    gc.freeze()
