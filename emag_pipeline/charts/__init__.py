"""Charts as small SVG texts, for Dagster's UI and the report. Independent of database and Dagster.

Each module draws one kind of chart: the same numbers give the same bytes, the colours are suitable for colour-blind
readers, every text is escaped, and no library is needed (docs/decisions/0014-charts-drawn-by-hand.md).
"""
