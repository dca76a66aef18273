"""What the marketplace really answers, in shapes only: for a report of what this version does not know yet."""

from emag_pipeline.admin.probe.probe import Probed, probe

__all__ = ["Probed", "probe"]
