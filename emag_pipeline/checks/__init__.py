"""What stands between staging and publishing, and what the data team reviews."""

import warnings

import dagster as dg

# Checks by account: Dagster 1.13.27 calls that a preview at each import. Its version is pinned, our tests rest on it.
warnings.filterwarnings(
    "ignore", message="Specifying a partitions_def on an AssetCheckSpec", category=dg.PreviewWarning
)
