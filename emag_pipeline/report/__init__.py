"""The report of an account: one HTML file, readable offline.

`marts.charts` draws the charts of report and UI, `facts` reads everything at once, `page` renders and writes it.
It does not contain its own time, so the same data give the same bytes.
"""

from emag_pipeline.report.facts import Facts, facts_of
from emag_pipeline.report.page import page, write

__all__ = ["Facts", "facts_of", "page", "write"]
