"""What is mutated, and the tests that judge it: quick ones first, so that most mutants end in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """Some modules of one idea. Paths are relative to the checkout."""

    modules: tuple[str, ...]
    """Globs."""
    tests: tuple[str, ...]
    options: tuple[str, ...] = ()
    """Further options of pytest."""


_SYNC = "emag_pipeline_tests/sync"
_MARKETPLACE = "emag_pipeline_tests/marketplace"
_COMPLETENESS = "emag_pipeline_tests/completeness"

SUBJECTS = {
    "fields": Subject(
        tuple(f"emag_pipeline/marketplace/{name}.py" for name in ("fields", "normalise", "reading", "fingerprint")),
        tuple(
            f"{_MARKETPLACE}/test_{name}.py"
            for name in (
                "limits",
                "rules",
                "offer",
                "offer_spellings",
                "offer_rejects",
                "offer_unreadable",
                "offer_fingerprints",
                "reference_rows",
                "unchanged_rows",
                "personal",
            )
        ),
    ),
    "completeness": Subject(
        ("emag_pipeline/sync/completeness/*.py",),
        tuple(
            f"{_COMPLETENESS}/test_{name}.py"
            for name in ("reads", "scan", "evidence", "previous_order", "judge", "mutations")
        ),
    ),
    "publish": Subject(
        ("emag_pipeline/sync/publish.py",),
        tuple(
            f"{_SYNC}/test_{name}.py"
            for name in ("publish", "publish_in_parts", "quarantine", "confirmations", "publish_order", "resume")
        ),
        ("-m", "not slow"),
    ),
    "lease": Subject(
        tuple(f"emag_pipeline/sync/{name}.py" for name in ("lease", "ledger", "locks", "liveness")),
        tuple(
            f"{_SYNC}/test_{name}.py"
            for name in ("liveness_rule", "transitions", "ledger", "liveness", "progress", "clock_jumps", "resume")
        ),
        ("-m", "not slow"),
    ),
}
