"""What keeps the pipeline running on a machine: its surroundings, and the supervisor behind `emag-pipeline up`.

Dagster's processes are started as programs. Only `run` and `backfill`, which are such programs, import it.
"""
