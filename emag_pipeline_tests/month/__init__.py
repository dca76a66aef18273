"""The month: a sandbox lives for thirty days, and every mart is reconciled against what truly happened.

It alone proves the marts and the history: after each of some 130 syncs every row of every mart, and at the end every
past moment and every backfilled day, equal what `judge` works out of the remembered truth, in plain Python. The judge
shares no rule and no SQL with the pipeline, so its comparison (reconcile.py) stays apart from that of drills.

`make month` (`DAYS=`, `SEED=` and `KEEP=` change it) syncs two accounts one to three times a day (play.py), while
life.py lets their catalogues live and past.py remembers what the sandbox truly held at each publish.
"""
