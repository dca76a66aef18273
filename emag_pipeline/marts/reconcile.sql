-- Whether a mart agrees with the published offers. Its statement `differences` gives one row per difference, computed in
-- another way than the mart itself; `totals` gives one row of the numbers compared.

-- name: reconcile
-- One statement, so one snapshot: a concurrent publish can make a mart outdated, but not make it look wrong.
WITH newest AS ({newest}),
existing AS (
    SELECT * FROM emag_product_offers WHERE account_type = :account AND deleted_at IS NULL
),
shown AS ({shown}),
differences AS MATERIALIZED ({differences})
SELECT newest.published_at AS newest_at, shown.shown_at, shown.is_current,
       (SELECT count(*) FROM differences) AS found,
       (SELECT coalesce(jsonb_agg(to_jsonb(d)), '[]') FROM (SELECT * FROM differences ORDER BY 1, 2 LIMIT :most) d) AS sample,
       (SELECT to_jsonb(n) FROM ({totals}) n) AS numbers
FROM newest
CROSS JOIN shown;

-- name: shown
-- Which publish a mart shows, and whether it is the newest one.
SELECT r.published_at AS shown_at, coalesce(r.sync_id = n.sync_id, false) AS is_current
FROM newest n
LEFT JOIN emag_mart_refreshes r ON r.account_type = :account AND r.mart = :mart;

-- name: shown_on_day
-- Which moment of :day a mart by day shows.
SELECT r.as_of AS shown_at,
       r.as_of IS NULL OR r.as_of >= n.published_at
           OR r.as_of = (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond' AS is_current
FROM newest n
LEFT JOIN {table} r ON r.account_type = :account AND r.day = CAST(:day AS date);
