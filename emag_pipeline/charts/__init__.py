"""Charts as small SVG texts, for Dagster's UI and the report. Knows no database and no Dagster.

Each module draws one kind of chart: the same numbers give the same bytes, colour-blind people can tell the colours
apart, every text is escaped, and no chart needs a library (docs/decisions/0014-charts-drawn-by-hand.md).
"""
