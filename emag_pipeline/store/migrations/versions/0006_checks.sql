-- What each check said last, for everybody who does not look at Dagster's UI ------------------------------------------
CREATE TABLE {schema}.emag_check_results (
    subject        text NOT NULL,
    check_name     text NOT NULL,
    part           text NOT NULL DEFAULT '',
    asset          text NOT NULL,
    severity       text NOT NULL CHECK (severity IN ('ERROR', 'WARN')),
    passed         boolean NOT NULL,
    said           text NOT NULL,
    remedy         text NOT NULL DEFAULT '',
    findings       bigint,
    sample         jsonb NOT NULL DEFAULT '[]',
    dagster_run_id text,
    checked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    failing_since  timestamptz,
    PRIMARY KEY (subject, check_name, part),
    CHECK (passed = (failing_since IS NULL))
);
COMMENT ON TABLE {schema}.emag_check_results IS
    'What each check said last of each account or marketplace. Source: the checks; offers_are_fresh also the sensor run_failures.';
COMMENT ON COLUMN {schema}.emag_check_results.subject IS
    'The account, or of a check on reference data the marketplace. Source: the partition of the check.';
COMMENT ON COLUMN {schema}.emag_check_results.check_name IS 'Name of the check, see docs/checks.md. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.part IS
    'The day of a check on one day of an account, as YYYY-MM-DD; else empty. Source: the partition of the check.';
COMMENT ON COLUMN {schema}.emag_check_results.asset IS 'The asset that it judges. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.severity IS
    'ERROR: the copy is not to be relied upon, an incident; WARN: the catalogue looks wrong. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.passed IS 'Whether all was as it should be, or accepted. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.said IS 'The answer in one sentence. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.remedy IS
    'What to do about it, in one sentence; empty when it passed. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.findings IS
    'How many offers, fields or rows it found; null where it does not count. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.sample IS
    'Some of what it found, a list of objects, the worst first. Source: the check.';
COMMENT ON COLUMN {schema}.emag_check_results.dagster_run_id IS
    'The Dagster run in which it was asked; null when a sensor asked. Source: Dagster.';
COMMENT ON COLUMN {schema}.emag_check_results.checked_at IS 'When it was asked last (UTC). Source: the database''s clock.';
COMMENT ON COLUMN {schema}.emag_check_results.failing_since IS
    'When it was first asked and did not pass, since it last passed (UTC); null while it passes. Source: the database''s clock.';

ALTER TABLE {schema}.emag_incidents
    DROP CONSTRAINT emag_incidents_kind_check,
    ADD CONSTRAINT emag_incidents_kind_check CHECK (kind IN ('failing', 'refused', 'stale', 'stuck', 'silent', 'red'));
COMMENT ON COLUMN {schema}.emag_incidents.kind IS
    '`failing` (runs or looks fail), `refused` (an audit waits for a person), `stale`, `stuck`, `silent`, `red` (a check of severity ERROR does not pass). Source: monitoring.';
COMMENT ON COLUMN {schema}.emag_sensor_ticks.ticked_at IS
    'When its last evaluation that went well came to its end (UTC), before Dagster stored it: one that it cannot store is an incident of the kind `failing`. Source: the sensors.';

-- What a sync meets while calls fail, for whoever watches it --------------------------------------------------------
ALTER TABLE {schema}.emag_offer_syncs ADD COLUMN obstacle text;
COMMENT ON COLUMN {schema}.emag_offer_syncs.obstacle IS
    'What keeps a running sync waiting: the newest call that failed and when it is tried again; null while calls succeed. Source: the client.';

-- What is wrong and what to do stand in columns of their own, each once -------------------------------------------------
UPDATE {schema}.emag_offer_syncs
SET error_message = rtrim(left(error_message, -(length(error_remedy) + 2)), '.')
WHERE error_remedy <> '' AND right(error_message, length(error_remedy) + 2) = ' ' || error_remedy || '.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.error_message IS
    'Why it did not publish, in one line, without the remedy. Source: the pipeline.';
