"""Mutations of the statements in .sql files: what coverage cannot see and cosmic-ray cannot read.

Each leaves a statement that PostgreSQL can run, so that a mutant is killed by what a test sees, not by a syntax error.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.testing import run_tests
from cosmic_ray.work_item import WorkerOutcome, WorkResult

_VALUE = r"(?::\w+|'\w*'|\d+|[a-z]\w*(?:\.\w+)?)"
_COMPARED = rf"[a-z]\w*(?:\.\w+)? (?:=|<>|<=|>=|<|>) {_VALUE}(?! [-+*/(]|[\w(.:])"
#: Name, what is replaced, by what. A number of more is left out on purpose: texts, types, names of columns.
_OPERATORS = (
    ("RemoveCondition", rf"(?<=\bWHERE ){_COMPARED}|(?<=\bAND ){_COMPARED}|(?<=\bON ){_COMPARED}", "true"),
    ("RemoveCondition", r"(?<=\bAND )[a-z]\w*(?:\.\w+)? IN \([^()]*\)", "true"),
    ("RemoveCondition", r"(?<=\bAND )[a-z]\w*(?:\.\w+)? IS (?:NOT )?NULL\b", "true"),
    ("RemoveCondition", r"(?<=\bAND )NOT [a-z]\w*\.\w+\b", "true"),
    ("ReplaceIsNull", r"\bIS NULL\b", "IS NOT NULL"),
    ("ReplaceIsNull", r"\bIS NOT NULL\b", "IS NULL"),
    ("ReplaceIsDistinct", r"\bIS DISTINCT FROM\b", "IS NOT DISTINCT FROM"),
    ("ReplaceIsDistinct", r"\bIS NOT DISTINCT FROM\b", "IS DISTINCT FROM"),
    ("RemoveNot", r"\bNOT (?=EXISTS\b|[a-z])", ""),
    ("ReplaceComparison", r" > (?!0)", " >= "),
    ("ReplaceComparison", r" > (?!0)", " < "),
    ("ReplaceComparison", r" >= ", " > "),
    ("ReplaceComparison", r" < ", " <= "),
    ("ReplaceComparison", r" <> ", " = "),
    ("ReplaceOrWithAnd", r"\bOR (?=[a-z(])", "AND "),
    ("ReplaceExtreme", r"\bgreatest\(", "least("),
    ("ReplaceExtreme", r"\bleast\(", "greatest("),
    ("ReplaceOrder", r" DESC\b", " ASC"),
    ("RemoveLock", r"\bFOR (?:KEY SHARE|UPDATE)\b", ""),
    ("ReplaceSign", r" \+ ", " - "),
)


@dataclass(frozen=True)
class Mutation:
    """One change at one place; the names are those of cosmic-ray's `MutationSpec`."""

    module_path: Path
    operator_name: str
    occurrence: int
    start_pos: tuple[int, int]
    definition_name: str
    """The statement."""
    mutated: str
    """The whole file."""

    def play(self, command: str, seconds: float) -> WorkResult:
        """Run the tests with the change, and take it back."""
        original = self.module_path.read_text(encoding="utf-8")
        try:
            self.module_path.write_text(self.mutated, encoding="utf-8")
            outcome, output = run_tests(command, seconds)
        finally:
            self.module_path.write_text(original, encoding="utf-8")
        diff = difflib.unified_diff(original.splitlines(), self.mutated.splitlines(), lineterm="")
        return WorkResult(
            worker_outcome=WorkerOutcome.NORMAL, output=output, test_outcome=outcome, diff="\n".join(diff)
        )


def mutations(module: Path) -> list[Mutation]:
    """All mutations of the statements of a file; comments stay."""
    text = module.read_text(encoding="utf-8")
    found = []
    for name, pattern, replacement in _OPERATORS:
        for number, match in enumerate(re.finditer(pattern, text)):
            line_start = text.rfind("\n", 0, match.start()) + 1
            heading = re.findall(r"^-- (?:name|fragment): (\w+)$", text[:line_start], re.MULTILINE)
            if "--" in text[line_start : match.start()] or not heading:
                continue
            position = text.count("\n", 0, match.start()) + 1, match.start() - line_start
            mutated = text[: match.start()] + replacement + text[match.end() :]
            found.append(Mutation(module, name, number, position, heading[-1], mutated))
    return found
