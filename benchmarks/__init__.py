"""Timings as ratios within one run, and sizes: `make bench`. Not tests: a slow machine is not a defect."""
