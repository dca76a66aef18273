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
        tuple(f"emag_pipeline/sync/{name}" for name in ("publish.py", "publish.sql", "confirm.sql")),
        tuple(
            f"{_SYNC}/test_{name}.py"
            for name in (
                "publish",
                "publish_bounds",
                "quarantine",
                "confirmations",
                "clock_jumps",
                "publish_order",
                "publish_in_parts",
            )
        ),
        ("-m", "not slow"),
    ),
    "lease": Subject(
        tuple(f"emag_pipeline/sync/{name}" for name in ("lease.py", "ledger.py", "liveness.py", "ledger.sql")),
        tuple(
            f"{_SYNC}/test_{name}.py" for name in ("liveness_rule", "transitions", "ledger", "liveness", "clock_jumps")
        ),
        ("-m", "not slow"),
    ),
    "locks": Subject(
        ("emag_pipeline/sync/locks.py", "emag_pipeline/sync/liveness.sql"),
        (
            f"{_SYNC}/test_liveness.py",
            f"{_SYNC}/test_clock_jumps.py",
            "emag_pipeline_tests/local/test_locks.py",
        ),
    ),
}
