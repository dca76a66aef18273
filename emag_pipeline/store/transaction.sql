-- The settings of a transaction, and its outcome.

-- name: settings
-- Local to the transaction, for PgBouncer in transaction mode. They end what a killed or frozen process leaves behind and
-- others would wait for: a statement whose client is gone (checked every two seconds), and an idle transaction.
SELECT set_config('search_path', quote_ident(:schema) || ', pg_temp', true),
       set_config('statement_timeout', :milliseconds, true), set_config('timezone', 'UTC', true),
       set_config('lock_timeout', :lock_milliseconds, true),
       set_config('synchronous_commit', :durable, true),
       set_config('client_connection_check_interval', '2000', true),
       set_config('idle_in_transaction_session_timeout', '10000', true),
       pg_backend_pid() AS process_id, now() AS began_at;

-- name: number
-- The transaction's id, and an identifier of the server's lifetime between two crashes. A crash, even of one server
-- process, resets the statistics, and a promoted replica has its own; a clean restart keeps them.
SELECT CAST(pg_current_xact_id_if_assigned() AS text) AS number,
       CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life;

-- name: status
-- The outcome of an ended transaction, and the lifetime of the server that reports it.
SELECT pg_xact_status(CAST(:number AS xid8)) AS status,
       CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life;

-- name: end
-- Ends the transaction of another connection. It goes to the driver directly, hence the driver's form of parameters.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = %s AND xact_start = %s AND datname = current_database();
