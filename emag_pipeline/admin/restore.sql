-- Restoring a backup (admin/restore.py), in one transaction. {schema} is the schema that is filled, {scratch} the scratch
-- schema. Names of tables and columns come from the catalog.

-- name: limits
-- Time limits for all waits of the transaction, and the encoding of backups.
SELECT set_config('lock_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '10min', true),
       set_config('client_encoding', 'UTF8', true);

-- name: held
-- The rows that would be lost if the schema were overwritten.
SELECT (SELECT count(*) FROM {schema}.emag_product_offers) AS offers,
       (SELECT count(*) FROM {schema}.emag_offer_syncs) AS syncs,
       (SELECT count(*) FROM {schema}.emag_offer_history) AS history;

-- name: running_syncs
-- Accounts with a sync that holds its lease.
SELECT account_type FROM {schema}.emag_offer_syncs WHERE status = 'running' ORDER BY 1;

-- name: take_from_scratch
-- The rows of one table, once the scratch schema has the version of the target.
INSERT INTO {schema}.{table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT {columns} FROM {scratch}.{table};

-- name: follow_ids
-- Makes new ids follow the restored ones. A sequence is only ever raised: it is not rolled back if the transaction fails,
-- and must not assign an id twice.
SELECT setval(sequence, greatest((SELECT max({column}) FROM {schema}.{table}), pg_sequence_last_value(sequence), 1))
FROM (SELECT CAST(pg_get_serial_sequence(:table, :column) AS regclass) AS sequence) s;

-- name: end_running_syncs
-- A sync that was running when the backup was taken has no process here, and backups contain no staging.
UPDATE {schema}.emag_offer_syncs
SET status = 'failed', completed_at = clock_timestamp(), error_class = 'OwnerDied',
    error_message = 'a backup was restored that was taken while this sync was running',
    error_remedy = 'Nothing to do: the next run starts a new sync'
WHERE status = 'running';
