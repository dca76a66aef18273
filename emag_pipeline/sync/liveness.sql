-- The signs of life of running syncs, by the database's clock.

-- name: running
-- All syncs that hold a lease; the caller appends further conditions.
SELECT sync_id, account_type AS account, phase, attempt, dagster_run_id, dagster_instance_id, host, boot_id, namespaces,
       process_id, process_start_ticks, attempt_started_at, pages_done, pages_expected, obstacle,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS silent_seconds,
       extract(epoch FROM clock_timestamp() - progressed_at)::float8 AS idle_seconds
FROM emag_offer_syncs
WHERE status = 'running'

-- name: bring_back_signs
-- Signs of life in the future, because the clock was set back, are set to now.
UPDATE emag_offer_syncs
SET heartbeat_at = least(heartbeat_at, clock_timestamp()), progressed_at = least(progressed_at, clock_timestamp())
WHERE status = 'running' AND (CAST(:account AS text) IS NULL OR account_type = :account)
  AND greatest(heartbeat_at, progressed_at) > clock_timestamp() + interval '5 seconds';

-- name: waits
-- Sessions that wait for a lock, each with those that block it, the longest wait first.
SELECT w.pid AS process, w.application_name AS application,
       extract(epoch FROM clock_timestamp() - l.waitstart)::float8 AS seconds,
       coalesce((SELECT c.relname FROM pg_class c WHERE c.oid = coalesce(l.relation,
           (SELECT t.relation FROM pg_locks t WHERE t.pid = l.pid AND t.locktype = 'tuple' LIMIT 1))), '') AS "table",
       h.pid AS holder, coalesce(h.usename, '') AS holder_user, coalesce(h.application_name, '') AS holder_application,
       h.xact_start AS holder_since, h.state AS holder_state
FROM pg_locks l
JOIN pg_stat_activity w ON w.pid = l.pid
CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b(pid)
JOIN pg_stat_activity h ON h.pid = b.pid
WHERE NOT l.granted AND w.datname = current_database()
  AND l.waitstart < clock_timestamp() - :bound * interval '1 second'
  AND (CAST(:of AS int[]) IS NULL OR w.pid = ANY(CAST(:of AS int[])))
ORDER BY l.waitstart, h.pid;
