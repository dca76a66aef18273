"""Bring one account up to date: read → stage → audit → publish. Knows nothing of Dagster.

`stage_account`, `audit_scan` and `publish_scan` are called in this order with the same SyncContext; the lease in
the ledger ties them together.
"""

from emag_pipeline.sync.audit import Audit, AuditVerdict, audit_scan
from emag_pipeline.sync.context import Progress, SyncContext
from emag_pipeline.sync.publish import SyncSummary, publish_scan
from emag_pipeline.sync.stage import Staged, stage_account

__all__ = [
    "Audit",
    "AuditVerdict",
    "Progress",
    "Staged",
    "SyncContext",
    "SyncSummary",
    "audit_scan",
    "publish_scan",
    "stage_account",
]
