"""The partition keys: the seller account of offers, the marketplace of reference data."""

import dagster as dg

from emag_pipeline.settings import current

accounts = dg.StaticPartitionsDefinition([account.name for account in current().accounts])
marketplaces = dg.StaticPartitionsDefinition(current().marketplaces)
