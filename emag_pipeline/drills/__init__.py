"""Drills: every fault that the pipeline claims to survive, played for real and judged by the sandbox's truth.

A scenario (scenario.py) says in words and in code what goes wrong, and what is expected of the pipeline. The table
in docs/faults.md and what `emag-pipeline drill` plays are the same list (scenarios/), so neither can drift from the
other: a message that the document shows has been said by a real run.

Runs are processes (`python -m emag_pipeline.local.run`), so that kill -9 and signals are real. Each scenario has a
sandbox and a database of its own (stage.py) on a PostgreSQL server in a temporary EMAG_HOME (scratch.py): nothing of
the user's is touched.
"""
