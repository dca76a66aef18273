"""Pictures from numbers: small SVG charts for the UI and the report. Knows no database and no Dagster.

Each module draws one kind of chart and returns SVG text: the same numbers give the same bytes, colours can be told
apart by colour-blind people and in grey, and every text is escaped. matplotlib costs 40 MB and half a second: it is
imported by the first chart that is drawn.
"""
