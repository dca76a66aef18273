"""Is this machine so busy that what lives may not answer in time?"""

import os

from emag_pipeline.plurals import counted


def busy_words() -> str:
    """That this machine is busy, in numbers; empty when it is not."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    return f"this machine is busy (load {load:.1f} on {counted(processors, 'processor')})" if load > processors else ""
