"""Drills: every fault that the pipeline claims to survive, played by real runs and judged by the sandbox's truth.

They alone prove docs/faults.md line by line: each fault, one at a time, ends with the exit code, the message and the
counts that the document states, and a user can play it with `emag-pipeline drill`. The table in docs/faults.md and
the list that is played are the same (scenarios/), so neither can drift from the other.

A scenario (scenario.py) states in words and in code what goes wrong and what is expected. Runs are processes
(runs.py), so that kill -9 and signals are real. Each scenario has its own sandbox (market.py) and database (stage.py)
on a PostgreSQL server in a temporary EMAG_HOME (scratch_server.py, scratch.py): nothing of the user's is touched.
Tests use the same runs, market, server and comparison (judgement.py).
"""
