"""One rule (`errors.rerun_after`), three places that ask it: the step, Dagster's run retry, the sensor."""

from collections.abc import Iterator

import dagster as dg
import pytest

from emag_pipeline import errors
from emag_pipeline.dagster_runs.resource import Pipeline, accounts
from emag_pipeline.errors import PipelineError
from emag_pipeline.monitoring.dagster import stale_accounts
from emag_pipeline.settings import Settings, load_settings

#: How often the step tries, whether Dagster repeats the run, what the sensor says once that retry is lost.
Decisions = tuple[int, bool, str]

_AT_ONCE: Decisions = (2, True, "main: next try in")
_AS_A_NEW_RUN: Decisions = (1, True, "main: next try in")
_NEVER: Decisions = (1, False, "main: waits for a person")
#: Nothing is wrong, so the sensor looks again.
_QUIETLY: Decisions = (1, False, "main: next try in")

_WANTED = {
    "PipelineError": _NEVER,
    "TransientError": _AT_ONCE,
    "ApiUnavailable": _AT_ONCE,
    "RateLimited": _AT_ONCE,
    "CallAborted": _AT_ONCE,
    "DatabaseUnavailable": _AT_ONCE,
    "SyncTimedOut": _AS_A_NEW_RUN,
    "StagingLost": _AS_A_NEW_RUN,
    "ScanNotProven": _AS_A_NEW_RUN,
    "PermanentError": _NEVER,
    "SettingsError": _NEVER,
    "AccessRefused": _NEVER,
    "RequestRefused": _NEVER,
    "ParametersIgnored": _NEVER,
    "PageBoundExceeded": _NEVER,
    "SchemaMismatch": _NEVER,
    "RefusedError": _NEVER,
    "LeaseError": _QUIETLY,
    "AnotherSyncRunning": _QUIETLY,
    "LeaseLost": _QUIETLY,
}


def _all(kind: type[PipelineError] = PipelineError) -> Iterator[type[PipelineError]]:
    if kind.__module__ == errors.__name__:
        yield kind
    for narrower in kind.__subclasses__():
        yield from _all(narrower)


@pytest.fixture
def main(database_url: str) -> Settings:
    """One account, of which nothing is asked."""
    given = {"DATABASE_SYNC_URL": database_url, "EMAG_API_USERNAME": "u", "EMAG_API_PASSWORD": "p"}
    return load_settings(given, env_file=None)


def _decisions(settings: Settings, error: Exception, **tags: str) -> Decisions:
    """Run a job `refresh_offers` whose step raises the error, then ask the sensor."""
    tries = []

    @dg.asset(partitions_def=accounts)
    def broken(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
        with pipeline.sync(context, retries=dg.RetryPolicy(max_retries=1, delay=0)):
            tries.append(1)
            raise error

    pipeline = {"pipeline": Pipeline(settings)}
    jobs = [dg.define_asset_job("refresh_offers", [broken])]
    definitions = dg.Definitions(assets=[broken], jobs=jobs, resources=pipeline, executor=dg.in_process_executor)
    retries = {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}  # as in dagster.yaml
    with dg.DagsterInstance.ephemeral(settings={"run_retries": retries}) as instance:
        job = definitions.resolve_job_def("refresh_offers")
        result = job.execute_in_process(partition_key="main", instance=instance, raise_on_error=False, tags=tags)
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        instance.add_run_tags(run.run_id, {"dagster/will_retry": "false"})  # as Dagster does when it cannot launch it
        context = dg.build_sensor_context(instance=instance, definitions=definitions, resources=pipeline)
        said = stale_accounts.evaluate_tick(context).skip_message or ""
    return len(tries), run.tags["dagster/will_retry"] == "true", said


def test_step_run_retry_and_sensor_decide_alike_for_every_error(main: Settings) -> None:
    decided = {kind.__name__: _decisions(main, kind("it broke")) for kind in _all()}
    without_time = {
        name: (tries, again, said[: len(_WANTED[name][2])]) for name, (tries, again, said) in decided.items()
    }
    assert without_time == _WANTED


def test_a_defect_is_worth_another_run(main: Settings) -> None:
    tries, again, said = _decisions(main, KeyError("x"))
    assert (tries, again) == (1, True)
    assert said.startswith("main: next try in")


def test_a_retry_inherits_the_tags_of_its_run_but_not_its_permission(main: Settings) -> None:
    inherited = {"dagster/retry_on_asset_or_op_failure": "true"}
    assert _decisions(main, errors.AccessRefused("it broke"), **inherited)[1] is False
