"""Drills: every fault that the pipeline claims to survive, caused for real and checked against the sandbox's truth.

A scenario (scenario.py) describes, in words and in code, what goes wrong and what the pipeline must do. The table in
docs/faults.md and `emag-pipeline drill` use the same list (scenarios/), so they cannot diverge: every message in the
document was printed by a real run.

Runs are processes (`python -m emag_pipeline.local.run`), so that kill -9 and signals are real. Each scenario has its
own sandbox and database (stage.py) on a PostgreSQL server in a temporary EMAG_HOME (scratch.py): the user's own data
is never touched.
"""
