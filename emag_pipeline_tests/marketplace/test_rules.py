"""The fingerprint of the rules changes with the code that reads rows, and with nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import emag_pipeline

_SHOW = "from emag_pipeline.marketplace.fingerprint import of_rules; print(of_rules().hex())"


def _of_rules(copy: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    command = [sys.executable, "-c", _SHOW]
    return subprocess.run(command, env=environment, cwd=copy, capture_output=True, text=True, check=True).stdout


def test_the_rules_are_the_code_of_the_readers_and_the_model(tmp_path: Path) -> None:
    package = tmp_path / "emag_pipeline"
    shutil.copytree(Path(emag_pipeline.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    seen = [_of_rules(tmp_path)]
    for name in ("marketplace/fields.py", "model.py"):
        with (package / name).open("a", encoding="utf-8") as file:
            file.write("# another rule\n")
        seen.append(_of_rules(tmp_path))
    assert len(set(seen)) == 3
    (package / "console.py").write_text("", encoding="utf-8")
    assert _of_rules(tmp_path) == seen[-1]
