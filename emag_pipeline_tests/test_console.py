import os
from io import StringIO

from emag_pipeline.console import Narrator


def test_a_broken_pipe_keeps_nothing_from_going_on() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as file:
        narrator = Narrator(file=file)
        for _ in range(3):
            narrator.say("stopping")


def test_brackets_are_text() -> None:
    output = StringIO()
    Narrator(file=output).say("why: [Errno 2] [/bold]")
    assert output.getvalue() == "why: [Errno 2] [/bold]\n"
