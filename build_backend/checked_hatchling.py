"""Hatchling, on a Python that the package runs on: said in one sentence where pip would end in a traceback.

pip calls the build before it looks at `requires-python`; so this must be valid for any Python.
"""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit("Python 3.11 to 3.13 is needed, this is %d.%d" % sys.version_info[:2])  # noqa: UP031

from hatchling.build import *  # noqa: F403
