-- A transaction's settings, and what became of it.

-- name: settings
-- Local to the transaction, for PgBouncer in transaction mode. They end what a killed or frozen process would otherwise
-- leave for others to wait for: a statement whose client is gone (the server looks every two seconds), and a transaction
-- in which nobody goes on.
SELECT set_config('search_path', quote_ident(:schema) || ', pg_temp', true),
       set_config('statement_timeout', :milliseconds, true), set_config('timezone', 'UTC', true),
       set_config('lock_timeout', :lock_milliseconds, true),
       set_config('synchronous_commit', :durable, true),
       set_config('client_connection_check_interval', '2000', true),
       set_config('idle_in_transaction_session_timeout', '10000', true),
       pg_backend_pid() AS process_id, now() AS began_at;

-- name: number
-- The transaction's number, and the life of its server: from one crash to the next. The server loses its statistics in a
-- crash, whether all of it died or one of its processes, and a replica in its place has others; a stop keeps them.
SELECT CAST(pg_current_xact_id_if_assigned() AS text) AS number,
       CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life;

-- name: status
-- What became of a transaction that has ended, and the life of the server that says so.
SELECT pg_xact_status(CAST(:number AS xid8)) AS status,
       CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life;
