"""The report of an account: one HTML file that is readable offline.

`pictures` draws what the report and the UI show, `facts` reads everything at once, `page` renders it, `file` writes it.
Nothing in it says when it was made: the same data give the same bytes.
"""

from emag_pipeline.report.facts import Facts, facts_of
from emag_pipeline.report.file import write
from emag_pipeline.report.page import page

__all__ = ["Facts", "facts_of", "page", "write"]
