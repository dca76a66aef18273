-- What a scrape reads, in a few short statements. None of them scans offers, calls or old syncs.

-- name: accounts
-- The newest sync and the newest success are each the first row of an index scan. The slots of the last sixty seconds are
-- those of this minute plus the part of the previous minute's that is not yet too old.
SELECT a.account, s.status, s.error_class, s.pages_expected, coalesce(s.pages_done, 0) AS pages_done,
       CASE WHEN s.status = 'running' THEN extract(epoch FROM clock_timestamp() - s.progressed_at)
            ELSE 0 END::float8 AS progress_age,
       CASE WHEN s.status = 'running' THEN extract(epoch FROM clock_timestamp() - s.heartbeat_at)
            ELSE 0 END::float8 AS heartbeat_age,
       extract(epoch FROM p.completed_at)::float8 AS last_success,
       extract(epoch FROM p.oldest_page_at)::float8 AS oldest_page, p.worked_seconds AS scan_seconds,
       coalesce(c.value, 0) + coalesce(s.total_offers_processed, 0) AS offers_processed,
       coalesce(f.saleable, 0) AS saleable, coalesce(f.offers - f.saleable, 0) AS not_saleable,
       coalesce(f.deleted, 0) AS deleted, coalesce(f.quarantined, 0) AS quarantined,
       CASE b.minute
           WHEN clock.minute THEN b.slots + b.slots_before * (1 - clock.share)
           WHEN clock.minute - interval '1 minute' THEN b.slots * (1 - clock.share)
           ELSE 0 END::float8 AS slots
FROM unnest(CAST(:accounts AS text[]), CAST(:logins AS text[])) WITH ORDINALITY AS a(account, login, place)
CROSS JOIN (SELECT date_trunc('minute', now()) AS minute, extract(second FROM now()) / 60 AS share) AS clock
LEFT JOIN LATERAL (
    SELECT * FROM emag_offer_syncs
    WHERE account_type = a.account ORDER BY sync_number DESC LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
    SELECT completed_at, oldest_page_at, worked_seconds FROM emag_offer_syncs
    WHERE account_type = a.account AND status = 'completed' ORDER BY sync_number DESC LIMIT 1
) AS p ON true
LEFT JOIN emag_counters c
    ON c.name = :processed AND c.labels = jsonb_build_object('account_type', a.account)
LEFT JOIN emag_account_figures f ON f.account_type = a.account
LEFT JOIN emag_rate_budget b ON b.login = a.login
ORDER BY a.place;

-- name: counters
-- One document per name: thousands of small ones would take much longer to receive and to parse.
SELECT name, jsonb_agg(jsonb_build_array(labels, value)) AS stored FROM emag_counters GROUP BY name;

-- name: sensors
-- Seconds since each sensor's last tick.
SELECT sensor AS name, extract(epoch FROM clock_timestamp() - ticked_at)::float8 AS value FROM emag_sensor_ticks;

-- name: incidents
SELECT kind AS name, count(*) AS value FROM emag_incidents WHERE closed_at IS NULL GROUP BY kind;

-- name: checks
-- 0 passes, 1 warns, 2 fails; for a check with one result per day, its worst day.
SELECT subject, check_name, max(CASE WHEN passed THEN 0 WHEN severity = 'WARN' THEN 1 ELSE 2 END)::float8 AS value
FROM emag_check_results
WHERE subject = ANY(CAST(:subjects AS text[]))
GROUP BY 1, 2;
