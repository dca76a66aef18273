"""Drills: every fault that the pipeline claims to survive, caused for real and checked against the sandbox's truth.

They alone prove docs/faults.md line by line: each fault, one at a time, ends with the exit code, message and counts
that the document states, and a user can run it with `emag-pipeline drill`. Document and command use the same list
(scenarios/), so they cannot diverge: every message in the document was printed by a real run.

A scenario (scenario.py) describes, in words and in code, what goes wrong and what the pipeline must do. Runs are
processes (runs.py), so that kill -9 and signals are real. Each scenario has its own sandbox (market.py) and database
(stage.py) on a PostgreSQL server in a temporary EMAG_HOME (scratch_server.py, scratch.py): the user's own data is never
touched. Tests use the same runs, market, server and comparison (judgement.py).
"""
