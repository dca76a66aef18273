from pathlib import Path

from emag_pipeline import wording


def test_a_log_is_named_only_where_something_was_written_since(tmp_path: Path) -> None:
    log = tmp_path / "{odd} name.log"
    assert wording.see("see {log}", log) == "", "there is none"
    log.touch()
    assert wording.see("see {log}", log) == "", "it is empty"
    log.write_text("before\n")
    before = wording.size(log)
    assert wording.see("see {log}", log) == f"see {log}"
    assert wording.see("see {log}", log, before) == "", "those are another's words"
    log.write_text("before\nnow\n")
    assert wording.see("; see {log}", log, before) == f"; see {log}"
