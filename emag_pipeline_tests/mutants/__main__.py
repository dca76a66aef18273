"""`make mutants`: a sample of small changes to the kernel, each judged by the tests; a report of those that survive.

It runs in the environment of cosmic-ray (.venv-mutants), the tests in that of the project. What is mutated is a copy of
the checkout in a temporary directory. Python is mutated by cosmic-ray, SQL by `sql.py`.
"""

import argparse
import ast
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import chdir, suppress
from functools import partial
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkResult

from emag_pipeline_tests.mutants import sql
from emag_pipeline_tests.mutants.subjects import SUBJECTS, Subject

_ROOT = Path(__file__).parents[2]
#: A mutant that takes this many times as long as the unchanged code hangs. Tests have no time limit of their own here:
#: at low priority on a busy machine it would end good ones.
_PATIENCE = 4
_LEAST_SECONDS = 600


def _copied(to: Path) -> None:
    """The files of the checkout as they are, committed or not."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=_ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (_ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, to / name)


def _without_operators(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where `|`, `*` and `/` compute nothing: annotations, and the marks between parameters of a function."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(((node.lineno, node.col_offset), (node.body[0].lineno, node.body[0].col_offset)))
        elif isinstance(node, ast.AnnAssign):
            end = node.annotation.end_lineno or 0, node.annotation.end_col_offset or 0
            found.append(((node.annotation.lineno, node.annotation.col_offset), end))
    return found


def _mutations(modules: list[Path]) -> Iterator[list[MutationSpec] | list[sql.Mutation]]:
    """The possible mutations of each module."""
    for module in modules:
        if module.suffix == ".sql":
            yield sql.mutations(module)
            continue
        places = _without_operators(module.read_text(encoding="utf-8"))
        work: WorkDB
        with use_db(":memory:") as work:
            init([module], work, {})
            specs = [item.mutations[0] for item in work.work_items]
        yield [
            one
            for one in specs
            if "BinaryOperator" not in one.operator_name
            or not any(start <= one.start_pos < end for start, end in places)
        ]


def _sampled(
    specs: list[MutationSpec] | list[sql.Mutation], size: int, chance: random.Random
) -> list[MutationSpec | sql.Mutation]:
    """As many places of a module, one mutation of each: a comparison has ten mutations, and would fill the sample."""
    if not size:
        return [*specs]
    places = defaultdict(list)
    for spec in sorted(specs, key=lambda one: (one.start_pos, one.operator_name, one.occurrence)):
        places[spec.start_pos].append(spec)
    chosen = chance.sample(sorted(places), min(size, len(places)))
    return [chance.choice(places[place]) for place in sorted(chosen)]


def _end_servers(temporary: Path) -> None:
    """A test process that was killed leaves its PostgreSQL behind."""
    for file in temporary.rglob("postmaster.pid"):
        with suppress(OSError, ValueError, IndexError):
            os.kill(int(file.read_text(encoding="utf-8").splitlines()[0]), signal.SIGQUIT)


def _command(python: Path, subject: Subject) -> list[str]:
    return [
        *(str(python), "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"),
        *("-o", "timeout=0", *subject.options, *subject.tests),
    ]


def _report(name: str, spec: MutationSpec | sql.Mutation, result: WorkResult) -> str:
    changed = [line for line in (result.diff or result.output or "").splitlines() if line[:1] in "-+"]
    shown = "\n".join(f"    {line}" for line in changed if not line.startswith(("---", "+++")))
    at = f"{spec.module_path}:{spec.start_pos[0]}"
    return f"{name}: {at} {spec.definition_name or 'module'} ({spec.operator_name.removeprefix('core/')})\n{shown}\n"


def _judge(
    name: str, subject: Subject, python: Path, size: int, seed: str, only: str
) -> tuple[Counter[str], list[str]]:
    """How many mutants of each outcome, and a description of each that survived. Runs in the copy."""
    command = _command(python, subject)
    began = time.monotonic()
    if subprocess.run(command).returncode:
        sys.exit(f"{name}: the tests fail without any mutation: nothing can be measured. Repair them first.")
    limit = max(_LEAST_SECONDS, _PATIENCE * (time.monotonic() - began))
    modules = sorted(path for glob in subject.modules for path in Path().glob(glob) if only in str(path))
    counted: Counter[str] = Counter()
    survivors = []
    for module, specs in zip(modules, _mutations(modules), strict=True):
        sample = _sampled(specs, size, random.Random(f"{seed} {module}"))
        print(f"{name}: {module}: {len(sample)} of {len(specs)} mutations, at most {limit:.0f} s each", flush=True)
        for spec in sample:
            played = spec.play if isinstance(spec, sql.Mutation) else partial(mutate_and_test, [spec])
            result = played(shlex.join(command), limit)
            outcome = result.test_outcome.value if result.test_outcome else "none"
            outcome = "timeout" if result.output == "timeout" else outcome
            counted[outcome] += 1
            description = f"{outcome}: {_report(name, spec, result)}"
            print(description, flush=True)
            if outcome != TestOutcome.KILLED.value:  # a timeout is shown too: it may be a slow machine
                survivors.append(description)
            if outcome == "timeout":
                _end_servers(Path(os.environ["TMPDIR"]))
    return counted, survivors


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--python", type=Path, required=True, help="the interpreter that runs the tests")
    parser.add_argument("--sample", type=int, default=5, help="mutants per file (0: all, which takes days)")
    parser.add_argument("--seed", default="1", help="the same seed takes the same sample from the same code")
    parser.add_argument("--of", nargs="*", choices=sorted(SUBJECTS), default=list(SUBJECTS), help="subjects")
    parser.add_argument("--only", default="", help="only files whose path contains this, such as publish.sql")
    options = parser.parse_args()
    os.nice(15)
    python = options.python.absolute()
    lines = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as home, chdir(home):
        _copied(Path(home) / "copy")
        temporary = Path(home) / "t"
        temporary.mkdir()
        os.environ.update(PYTHONPATH=str(Path(home) / "copy"), TMPDIR=str(temporary))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the first, unchanged run compiles all modules for the others
        for name in options.of:
            with chdir("copy"):
                counted, survivors = _judge(name, SUBJECTS[name], python, options.sample, options.seed, options.only)
            total = counted.total()
            figures = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items()))
            lines += [f"{name}: {total} mutants: {figures}", *survivors]
    print("\n".join(["", f"sample {options.sample} per file, seed {options.seed}", *lines]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
