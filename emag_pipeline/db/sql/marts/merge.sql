-- How every mart is refreshed. {fresh} is the mart's own statement; words in braces are its table and columns.

-- name: lock
-- One refresh of a mart of an account at a time; the statement after this one sees what the last one wrote.
SELECT pg_advisory_xact_lock(hashtextextended('emag mart ' || CAST(:mart AS text) || ' ' || CAST(:account AS text), 0));

-- name: merge
-- One statement, so one snapshot: the publish that is named is the one that the rows show. What is equal is not written.
WITH newest AS (
    SELECT sync_id, completed_at AS published_at
    FROM {schema}.emag_offer_syncs
    WHERE account_type = :account AND status = 'completed'
    ORDER BY completed_at DESC
    LIMIT 1
),
fresh AS MATERIALIZED ({fresh}),
deleted AS (
    DELETE FROM {schema}.{table} m
    WHERE {scope} AND NOT EXISTS (SELECT FROM fresh f WHERE ({f_key}) = ({m_key}))
    RETURNING 1
),
updated AS (
    UPDATE {schema}.{table} m
    SET ({columns}) = ROW({f_columns})
    FROM fresh f
    WHERE ({f_key}) = ({m_key}) AND ({m_columns}) IS DISTINCT FROM ({f_columns})
    RETURNING 1
),
inserted AS (
    INSERT INTO {schema}.{table} ({key}, {columns})
    SELECT {f_key}, {f_columns}
    FROM fresh f
    WHERE NOT EXISTS (SELECT FROM {schema}.{table} m WHERE ({f_key}) = ({m_key}))
    RETURNING 1
),
counted AS (
    SELECT n.sync_id, n.published_at,
           (SELECT count(*) FROM fresh) AS rows,
           (SELECT count(*) FROM inserted) AS inserted,
           (SELECT count(*) FROM updated) AS updated,
           (SELECT count(*) FROM deleted) AS deleted
    FROM newest n
),
noted AS (
    INSERT INTO {schema}.emag_mart_refreshes AS r (account_type, mart, sync_id, published_at, rows, rows_changed)
    SELECT :account, :mart, sync_id, published_at, rows, inserted + updated + deleted
    FROM counted
    WHERE {shows_newest}
    ON CONFLICT (account_type, mart) DO UPDATE
    SET sync_id = excluded.sync_id, published_at = excluded.published_at, refreshed_at = excluded.refreshed_at,
        rows = excluded.rows, rows_changed = excluded.rows_changed
)
SELECT * FROM counted;
