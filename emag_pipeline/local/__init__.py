"""Runs the pipeline on one machine: its environment, and the supervisor of `emag-pipeline up`.

Dagster's processes are started as programs. Only `run` and `backfill`, which are such programs, import Dagster.
"""
