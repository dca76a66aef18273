"""What a fault that passes would be called if it did not: asked by a single call, beside the run that recovers."""

from collections.abc import Iterator

from emag_pipeline.api import Marketplace, ProcessBudget
from emag_pipeline.errors import PipelineError
from emag_pipeline.operations.drills.messages import is_said
from emag_pipeline.operations.drills.runs import ACCOUNT
from emag_pipeline.operations.drills.scenario import Persisting
from emag_pipeline.operations.drills.stage import Stage
from emag_pipeline.sync.context import timeouts_of

#: No offer's id, so that no run asks for it.
_NOBODY = 1


def put_in_force(stage: Stage, persisting: Persisting) -> None:
    """Let every read of a certain id meet the fault."""
    stage.market.control.add_fault(**{**persisting.fault, "offer_ids": [_NOBODY]})


def differences(stage: Stage, persisting: Persisting) -> list[str]:
    """Make that call once, and say what is not as expected."""
    return list(_differences(persisting, _error_of(stage)))


def _error_of(stage: Stage) -> PipelineError | None:
    settings = stage.settings()
    budget = ProcessBudget(settings.requests_per_second, settings.requests_per_minute)
    account, timeouts = settings.account(ACCOUNT), timeouts_of(settings)
    client = Marketplace(account, budget, record=lambda _: None, timeouts=timeouts, attempts=1)
    try:
        client.read_offer(_NOBODY)
    except PipelineError as error:
        return error
    finally:
        client.close()
    return None


def _differences(persisting: Persisting, error: PipelineError | None) -> Iterator[str]:
    if error is None:
        yield "a call that meets the fault succeeds"
        return
    if error.error_class != persisting.error_class:
        yield f"persisting, it is {error.error_class}, not {persisting.error_class}"
    if not is_said(persisting.message, error.message):
        yield f"persisting, it says {error.message!r}"
