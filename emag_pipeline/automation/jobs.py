"""The job that brings one account up to date.

How long a run of it may take is asked when it is launched, by whomever: by its account's last count.
"""

from math import ceil

import dagster as dg

from emag_pipeline import runs
from emag_pipeline.assets.offers import offers
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.staged_offers import staged_offers
from emag_pipeline.automation.runtime import most_seconds
from emag_pipeline.checks.audit import audit
from emag_pipeline.checks.offers import publish_review
from emag_pipeline.settings import current

refresh_offers = dg.define_asset_job(
    runs.REFRESH_JOB,
    # the other checks on offers run with the marts: they read the whole catalogue, and a sync need not wait for them
    selection=dg.AssetSelection.assets(staged_offers, offers).without_checks()
    | dg.AssetSelection.checks(audit, publish_review),
    description="Read an account's catalogue, audit it, publish it. One run an account.",
    config=dg.PartitionedConfig(
        partitions_def=accounts,
        run_config_for_partition_key_fn=lambda _: {},
        tags_for_partition_key_fn=lambda account: {"dagster/max_runtime": str(ceil(most_seconds(account, current())))},
    ),
    tags={
        # a crash or a timeout is retried as a whole: the ledger knows which pages need not be read again
        "dagster/retry_strategy": "ALL_STEPS",
    },
)
