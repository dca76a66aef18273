-- Merges reference data into {table} with the key {key}. One statement, so that counts and writes are of the same state;
-- equal rows are not written. {typed} is {columns} with their types.

-- name: merge
WITH read AS (
    SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({typed})
), changes AS (
    SELECT r.*, CASE WHEN t.{key} IS NULL THEN 'created' WHEN t.deleted_at IS NULL THEN 'updated' ELSE 'revived' END
               AS change
    FROM read r
    LEFT JOIN {table} t ON t.marketplace = :marketplace AND t.{key} = r.{key}
    WHERE t.{key} IS NULL OR t.deleted_at IS NOT NULL OR ({t_columns}) IS DISTINCT FROM ({r_columns})
), written AS (
    INSERT INTO {table} AS t (marketplace, {columns}, changed_at)
    SELECT :marketplace, {columns}, now() FROM changes
    ORDER BY {key}  -- in a fixed order, so that two processes cannot deadlock
    ON CONFLICT (marketplace, {key}) DO UPDATE
        SET ({columns}) = ROW ({excluded_columns}), changed_at = excluded.changed_at, deleted_at = NULL
)
SELECT count(*) FILTER (WHERE change = 'created') AS created,
       count(*) FILTER (WHERE change = 'updated') AS updated,
       count(*) FILTER (WHERE change = 'revived') AS revived
FROM changes;

-- name: tombstone
UPDATE {table}
SET deleted_at = now(), changed_at = now()
WHERE marketplace = :marketplace AND deleted_at IS NULL
  AND {key} NOT IN (SELECT {key} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ({key} bigint));

-- name: close_vat_rates
-- Ends rates that have changed or are no longer returned; never before they began, even if the clock was set back.
UPDATE emag_vat_rate_history h
SET valid_to = greatest(now(), h.valid_from + interval '1 microsecond')
FROM emag_vat_rates r
WHERE h.marketplace = :marketplace AND h.valid_to IS NULL AND r.marketplace = h.marketplace AND r.vat_id = h.vat_id
  AND (r.deleted_at IS NOT NULL OR r.rate IS DISTINCT FROM h.rate);

-- name: open_vat_rates
-- Begins rates that are returned and have no open row, at the end of the rate before them.
INSERT INTO emag_vat_rate_history (marketplace, vat_id, rate, valid_from)
SELECT r.marketplace, r.vat_id, r.rate, greatest(now(), (
           SELECT max(h.valid_to) FROM emag_vat_rate_history h
           WHERE h.marketplace = r.marketplace AND h.vat_id = r.vat_id))
FROM emag_vat_rates r
WHERE r.marketplace = :marketplace AND r.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM emag_vat_rate_history h
                  WHERE h.marketplace = r.marketplace AND h.vat_id = r.vat_id AND h.valid_to IS NULL);

-- name: count
SELECT count(*) FROM {table} WHERE marketplace = :marketplace AND deleted_at IS NULL;

-- name: note_read
INSERT INTO emag_reference_reads (marketplace, resource, read_at, rows, account_type)
VALUES (:marketplace, :resource, now(), :count, :account)
ON CONFLICT (marketplace, resource) DO UPDATE
    SET read_at = excluded.read_at, rows = excluded.rows, account_type = excluded.account_type;

-- name: sample
SELECT {shown} FROM {table} WHERE marketplace = :marketplace AND deleted_at IS NULL ORDER BY {key} LIMIT :most;

-- name: last_reads
SELECT resource, read_at FROM emag_reference_reads WHERE marketplace = :marketplace;
