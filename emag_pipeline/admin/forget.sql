-- Removing an account (admin/forget.py). {table} comes from the catalog, {condition} from the columns that the table has.

-- name: running_sync
-- The account's sync that holds its lease.
SELECT sync_id FROM emag_offer_syncs WHERE account_type = :account AND status = 'running';

-- name: remove
-- One batch of the account's rows in a table.
DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM {table} t WHERE {condition} LIMIT :batch));
