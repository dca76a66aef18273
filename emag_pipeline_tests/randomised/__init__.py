"""Stories that nobody thought of: Hypothesis lets a seller, a network, a scheduler and power cuts act in any order.

They alone prove that faults, edits, crashes and approvals in combination leave no published state that the
marketplace's answers do not justify. A copy may be of any moment of its sync, so the judge (judgement.py) compares it
with all of them, and reads the tables with its own SQL; it shares only `as_stored` with the comparison of drills.
"""
