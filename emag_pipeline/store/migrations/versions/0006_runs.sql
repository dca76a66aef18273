-- Who runs a sync, how old what it published is, and which sync is the newest whatever a clock says.

ALTER TABLE {schema}.emag_offer_syncs
    ADD COLUMN sync_number         bigint,
    ADD COLUMN dagster_instance_id text,
    ADD COLUMN host                text,
    ADD COLUMN boot_id             text,
    ADD COLUMN namespaces          text,
    ADD COLUMN process_id          integer,
    ADD COLUMN process_start_ticks bigint,
    ADD COLUMN oldest_page_at      timestamptz,
    ADD COLUMN worked_seconds      double precision NOT NULL DEFAULT 0;

UPDATE {schema}.emag_offer_syncs s
SET sync_number = numbered.place,
    -- of what was published before, the pages are gone: none of them is older than the last attempt's sync
    oldest_page_at = CASE WHEN s.status = 'completed' THEN least(s.started_at, s.completed_at) END,
    worked_seconds = CASE WHEN s.status = 'completed'
        THEN greatest(0, extract(epoch FROM s.completed_at - s.attempt_started_at)) ELSE 0 END
FROM (SELECT sync_id, row_number() OVER (ORDER BY started_at, sync_id) AS place
      FROM {schema}.emag_offer_syncs) numbered
WHERE s.sync_id = numbered.sync_id;

ALTER TABLE {schema}.emag_offer_syncs ALTER COLUMN sync_number SET NOT NULL;
ALTER TABLE {schema}.emag_offer_syncs ALTER COLUMN sync_number ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval(CAST(pg_get_serial_sequence('{schema}.emag_offer_syncs', 'sync_number') AS regclass),
              (SELECT coalesce(max(sync_number), 0) + 1 FROM {schema}.emag_offer_syncs), false);

DROP INDEX {schema}.emag_offer_syncs_by_account;
CREATE UNIQUE INDEX emag_offer_syncs_by_account ON {schema}.emag_offer_syncs (account_type, sync_number DESC);

COMMENT ON COLUMN {schema}.emag_offer_syncs.sync_number IS
    'Grows from sync to sync: the account''s newest one has the highest, whatever the clock says. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.dagster_instance_id IS
    'Whose Dagster run it is: another id, another Dagster database, also one that was restored. Source: Dagster.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.host IS
    'Name of the machine or container of its latest attempt. Source: its operating system.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.boot_id IS
    'Of the kernel that this attempt''s process runs on, new at each boot. Source: its operating system.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.namespaces IS
    'Within which process_id and process_start_ticks mean something: containers have their own. Source: its kernel.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.process_id IS
    'Number of its latest attempt''s process. Source: its operating system.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.process_start_ticks IS
    'When that process began, in the kernel''s ticks since its boot: numbers are given again. Source: its kernel.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.oldest_page_at IS
    'When the oldest page of what it published was read; of a running one, of what it goes on with (UTC). Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.worked_seconds IS
    'Seconds of work on it in attempts that have ended, without the time between them. Source: the pipeline.';

-- Whom the marketplace sees cannot be told from an account's name here; pauses that it asked for are minutes at most.
DELETE FROM {schema}.emag_rate_budget;
ALTER TABLE {schema}.emag_rate_budget RENAME COLUMN account_type TO login;
COMMENT ON COLUMN {schema}.emag_rate_budget.login IS
    'Fingerprint of the base URL and user name whose budget it is, for all accounts that use them. Source: the settings.';
COMMENT ON TABLE {schema}.emag_rate_budget IS
    'When a login may call the marketplace next, for all processes together. Source: the pipeline.';

-- Calls are saved in batches; whoever did not hear whether one was saved saves it again.
ALTER TABLE {schema}.emag_requests ADD COLUMN batch_id uuid;
CREATE UNIQUE INDEX emag_requests_by_batch ON {schema}.emag_requests (batch_id) WHERE batch_id IS NOT NULL;
COMMENT ON COLUMN {schema}.emag_requests.batch_id IS
    'On the first of the calls that were saved together: their number, so that they count once; else null. Source: the pipeline.';
