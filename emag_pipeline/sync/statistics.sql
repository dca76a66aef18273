-- The planner's statistics, and who may renew them.

-- name: knows
-- Whether the statistics show that most rows of a table belong to this sync.
SELECT EXISTS (
    SELECT FROM pg_stats
    WHERE schemaname = :schema AND tablename = :table AND attname = 'sync_id'
      AND CAST(:sync AS text) = ANY (CAST(CAST(most_common_vals AS text) AS text[])));

-- name: offers
-- The number of published offers of an account.
SELECT coalesce(sum(offers), 0) FROM emag_account_figures WHERE account_type = :account;

-- name: rights
-- The privileges of this user.
SELECT pg_has_role(c.relowner, 'USAGE') AS may_analyze,
       has_function_privilege(f.oid, 'EXECUTE') AS may_ask_the_owner
FROM pg_class c, pg_proc f
WHERE c.oid = to_regclass(:table) AND f.oid = to_regprocedure(:function);

-- name: is_free
-- Whether no session holds or awaits a lock that conflicts with ANALYZE; the advisory lock serialises our own sessions.
SELECT pg_try_advisory_xact_lock(hashtextextended('analyze ' || :table, 0)) AND NOT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'relation' AND relation = to_regclass(:table)
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock'));

-- name: is_done
-- ANALYZE (SKIP_LOCKED) does not report whether it was skipped. If not, it holds this lock until the commit.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'relation' AND relation = to_regclass(:table) AND pid = pg_backend_pid() AND granted
      AND mode = 'ShareUpdateExclusiveLock');
