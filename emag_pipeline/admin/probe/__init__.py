"""How the marketplace really responds, described without any value, to report what this version does not know yet."""

from emag_pipeline.admin.probe.probe import Probed, probe

__all__ = ["Probed", "probe"]
