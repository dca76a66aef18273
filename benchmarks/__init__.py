"""Figures as ratios within one run, sizes and counts: `make bench`. Not tests: a slow machine is not a defect.

Each module has `NAME`, `SPOILT` (how `--spoil` makes its figures come out bad) and `measure(spoil)`.
"""
