"""The soak: everything runs unattended while things go wrong at random, and a report says how it fared.

`make soak` (thirty minutes; `MINUTES=` and `SEED=` change that) starts `emag-pipeline up` in a temporary home, lets
troubles.py do harm to it, watches from outside (watch.py, the sandbox's truth), and prints what report.py makes of it.
"""
