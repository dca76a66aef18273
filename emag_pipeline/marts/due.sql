-- name: due
-- What is missing in each account's marts; an account that was never published has no row. Days are searched only as far
-- back as the ledger goes, which is a month.
SELECT a.account, n.sync_id, (n.published_at AT TIME ZONE 'UTC')::date AS published_on,
       EXISTS (
           SELECT FROM unnest(CAST(:marts AS text[])) AS m (mart)
           LEFT JOIN emag_mart_refreshes r ON r.account_type = a.account AND r.mart = m.mart
           WHERE r.sync_id IS DISTINCT FROM n.sync_id
       ) AS marts_are_older,
       NOT EXISTS (
           SELECT FROM emag_mart_refreshes r
           WHERE r.account_type = a.account AND r.mart = :assortment AND r.sync_id = n.sync_id
       ) AS assortment_is_older,
       ARRAY(
           SELECT d.day::date
           FROM generate_series(
               greatest(n.first_known_at, now() - :most_days * interval '1 day') AT TIME ZONE 'UTC',
               now() AT TIME ZONE 'UTC', interval '1 day') AS s (moment)
           CROSS JOIN LATERAL (SELECT date_trunc('day', s.moment)) AS d (day)
           WHERE d.day < date_trunc('day', now() AT TIME ZONE 'UTC') AND NOT EXISTS (
               SELECT FROM emag_daily_assortment t
               WHERE t.account_type = a.account AND t.day = d.day::date
                 -- null: written by a version that did not record it
                 AND t.is_carried_forward IS NOT NULL
                 AND t.as_of = (d.day + interval '1 day' - interval '1 microsecond') AT TIME ZONE 'UTC')
           ORDER BY 1 DESC
           LIMIT :most_at_once
       ) AS past_days
FROM unnest(CAST(:accounts AS text[])) WITH ORDINALITY AS a (account, place)
CROSS JOIN LATERAL (
    SELECT s.sync_id, s.completed_at AS published_at,
           (SELECT min(completed_at) FROM emag_offer_syncs f
            WHERE f.account_type = a.account AND f.status = 'completed') AS first_known_at
    FROM emag_offer_syncs s
    WHERE s.account_type = a.account AND s.status = 'completed'
    ORDER BY s.completed_at DESC
    LIMIT 1
) AS n
ORDER BY a.place;
