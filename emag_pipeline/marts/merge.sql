-- How every mart is refreshed. {fresh} is the mart's own statement; {table}, {key}, {columns}, {f_key}, … are its table and
-- columns. Offers that cannot have changed since the mart's last refresh are neither computed nor compared: {touched} finds
-- the others, and {h_of_touched}, {m_of_touched} and {o_of_touched} select them by the alias h, m or o. In a refresh from
-- scratch these conditions are "true", or bounds of the offer's id: a large account is computed part by part, and then once
-- more for what was published meanwhile.

-- fragment: newest
-- The account's newest publish.
SELECT sync_id, completed_at AS published_at
FROM emag_offer_syncs
WHERE account_type = :account AND status = 'completed'
ORDER BY completed_at DESC
LIMIT 1

-- name: lock
-- One refresh per mart and account at a time; later statements see what the previous refresh wrote.
SELECT pg_advisory_xact_lock(hashtextextended('emag mart ' || CAST(:mart AS text) || ' ' || CAST(:account AS text), 0));

-- name: known
-- Which publish the mart shows, if it was computed by the same rules and rates as now. A mart whose check fails is computed
-- from scratch, unless it just was (:is_filled). Also the stamp from which on everything was published within the day before
-- that publish. It is queried separately, because a literal shows the planner how few states are younger. A stamp may be
-- any time before its publish, if the clock was set ahead in between.
SELECT r.published_at AS shown_at, r.rows AS shown_rows, b.basis,
       (SELECT p.stamp FROM emag_publishes p
        WHERE p.account_type = :account AND p.published_at > r.published_at - interval '24 hours'
        ORDER BY p.published_at LIMIT 1) AS day_before_stamp,
       coalesce((SELECT f.offers FROM emag_account_figures f WHERE f.account_type = :account), 0) AS offers
FROM (SELECT concat_ws(' ', CAST(:rules AS text), (SELECT version_num FROM emag_alembic_version), {rates})) b (basis)
LEFT JOIN emag_mart_refreshes r
    ON r.account_type = :account AND r.mart = :mart AND r.basis = b.basis
    AND r.published_at <= (SELECT max(completed_at) FROM emag_offer_syncs
                           WHERE account_type = :account AND status = 'completed')
    AND (:is_filled OR NOT EXISTS (SELECT FROM emag_check_results c
                                   WHERE c.subject = :account AND c.asset = :mart AND NOT c.passed));

-- name: parts
-- Ids that divide a large account's offers evenly, for a refresh from scratch; and the newest publish: each part shows it
-- or a later one.
SELECT sync_id, completed_at AS published_at,
       (SELECT coalesce(percentile_disc(ARRAY(SELECT CAST(n AS float8) / :parts FROM generate_series(1, :parts - 1) n))
                        WITHIN GROUP (ORDER BY emag_offer_id), '{}')
        FROM emag_product_offers WHERE account_type = :account) AS bounds
FROM emag_offer_syncs
WHERE account_type = :account AND status = 'completed'
ORDER BY completed_at DESC
LIMIT 1;

-- name: of_parts
-- The sums over all parts, in the form of `counted` below.
SELECT CAST(:sync_id AS uuid) AS sync_id, CAST(:published_at AS timestamptz) AS published_at, CAST(:rows AS bigint) AS rows,
       CAST(:inserted AS bigint) AS inserted, CAST(:updated AS bigint) AS updated, CAST(:deleted AS bigint) AS deleted;

-- name: note
-- Records which publish the mart shows now, and by which rules.
INSERT INTO emag_mart_refreshes AS r
    (account_type, mart, sync_id, published_at, rows, rows_changed, basis)
SELECT :account, :mart, sync_id, published_at, rows, inserted + updated + deleted, :basis
FROM {counted}
WHERE {shows_newest}
ON CONFLICT (account_type, mart) DO UPDATE
SET sync_id = excluded.sync_id, published_at = excluded.published_at, refreshed_at = excluded.refreshed_at,
    rows = excluded.rows, rows_changed = excluded.rows_changed, basis = excluded.basis;

-- name: merge
-- One statement, so one snapshot: the recorded publish is the one that the rows show. Equal rows are not written.
WITH newest AS ({newest}),
touched AS MATERIALIZED ({touched}),
fresh AS MATERIALIZED ({fresh}),
-- A full join is never a nested loop, however wrong the planner's row estimates are.
differences AS MATERIALIZED (
    SELECT f.*, m.place
    FROM fresh f
    FULL JOIN (SELECT m.*, m.ctid AS place FROM {table} m WHERE {scope} AND {m_of_touched}) m
        ON ({f_key}) = ({m_key})
    WHERE m.place IS NULL OR f.account_type IS NULL OR ({m_columns}) IS DISTINCT FROM ({f_columns})
),
deleted AS (
    DELETE FROM {table} m
    USING differences f
    WHERE m.ctid = f.place AND f.account_type IS NULL
    RETURNING 1
),
updated AS (
    UPDATE {table} m
    SET ({columns}) = ROW({f_columns})
    FROM differences f
    WHERE m.ctid = f.place AND f.account_type IS NOT NULL
    RETURNING 1
),
inserted AS (
    INSERT INTO {table} ({key}, {columns})
    SELECT {f_key}, {f_columns}
    FROM differences f
    WHERE f.place IS NULL
    RETURNING 1
),
changes AS (
    SELECT (SELECT count(*) FROM inserted) AS inserted,
           (SELECT count(*) FROM updated) AS updated,
           (SELECT count(*) FROM deleted) AS deleted
),
counted AS (
    SELECT n.sync_id, n.published_at,
           coalesce(CAST(:shown_rows AS bigint) + c.inserted - c.deleted, (SELECT count(*) FROM fresh)) AS rows,
           c.inserted, c.updated, c.deleted
    FROM newest n
    CROSS JOIN changes c
),
noted AS ({note})
SELECT * FROM counted;
