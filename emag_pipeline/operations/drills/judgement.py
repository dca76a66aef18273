"""How a run that met a fault differs from what was expected of it, a sentence each."""

from collections.abc import Iterator

from emag_pipeline.operations.drills.compare import Comparison
from emag_pipeline.operations.drills.messages import is_said
from emag_pipeline.operations.drills.runs import Ending
from emag_pipeline.operations.drills.scenario import Expected
from emag_pipeline.plurals import counted


def of_ending(expected: Expected, met: Ending) -> Iterator[str]:
    """How it ended."""
    if met.exit_code != expected.exit_code:
        yield f"exit code {met.exit_code}, not {expected.exit_code}: {met.said}"
    if met.sync is not None and met.error_class != expected.error_class:
        yield f"error class {met.error_class or 'none'}, not {expected.error_class or 'none'}"
    if not is_said(expected.message, met.said):
        yield f"it said {met.said!r}"
    if met.sync is not None and met.exit_code == 0 and met.sync.offers_rejected != expected.quarantined:
        yield f"{counted(met.sync.offers_rejected, 'row')} quarantined, not {expected.quarantined}"


def of_published(found: Comparison) -> Iterator[str]:
    """What readers see when all is over."""
    for offers, what in (
        (found.lost, "lost or wrong"),
        (found.wrongly_deleted, "wrongly deleted"),
        (found.kept, "published still, though gone"),
    ):
        if offers:
            yield f"{counted(len(offers), 'offer')} {what}"


def of_published_meanwhile(expected: Expected, found: Comparison) -> Iterator[str]:
    """What readers see while a fault that does not stop the publish still lasts: its rows may be of yesterday."""
    if len(found.lost) > expected.quarantined + expected.altered:
        allowed = f"{expected.quarantined} were quarantined, {expected.altered} shown otherwise than they are"
        yield f"{counted(len(found.lost), 'offer')} lost or wrong meanwhile, {allowed}"
    if found.wrongly_deleted:
        yield f"{counted(len(found.wrongly_deleted), 'offer')} wrongly deleted meanwhile"
