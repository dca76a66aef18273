"""Bring one account up to date: read → stage → audit → publish. Knows nothing of Dagster.

`scan.stage_account`, `audit.audit_scan` and `publish.publish_scan` are called in this order with the same SyncContext;
the lease in the ledger connects them.
"""
