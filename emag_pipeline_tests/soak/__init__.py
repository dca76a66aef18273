"""The soak: everything runs unattended while things go wrong at random, and a report shows the result.

It alone proves what needs the whole `up` over time: daemon, supervisor, alerts and recovery together keep both
accounts fresh for half an hour, within the marketplace's own limits, and lose nothing. `moving.py` (`make moving`)
alone proves that every sync of a catalogue that never stands still is published at these limits and complete.

`make soak` (thirty minutes; `MINUTES=` and `SEED=` change that) starts `emag-pipeline up` in a temporary home, lets
troubles.py do harm to it, watches it from outside (watch.py), compares what is published with the sandbox's truth as
drills do, and prints what report.py makes of it.
"""
