"""The partition key of everything: the seller account."""

import dagster as dg

from emag_pipeline.settings import current

accounts = dg.StaticPartitionsDefinition([account.name for account in current().accounts])
