"""The data's story, as Dagster tells it: staged offers, published offers."""
