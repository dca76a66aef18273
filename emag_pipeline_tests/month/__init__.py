"""The month: a sandbox lives for thirty days, and every mart is reconciled against what truly happened.

`make month` (`DAYS=`, `SEED=` and `KEEP=` change it) syncs two accounts one to three times a day (play.py), while
life.py lets their catalogues live and past.py remembers what the sandbox truly held at each publish. At the end all
days are backfilled, and reconcile.py compares every mart and every past moment with what `judge` works out of that
memory alone, in plain Python: it shares no rule and no SQL with the pipeline.
"""
