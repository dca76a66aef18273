-- Facts about the server, this connection and this user's privileges.

-- name: connection
SELECT current_setting('server_version') AS version, current_user AS "user",
       current_database() AS database, pg_database_size(current_database()) AS size_bytes,
       pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS is_read_only,
       pg_backend_pid() AS pid,
       (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS tls;

-- name: missing_rights
-- The tables on which this user lacks privileges, each with the missing ones.
SELECT c.relname AS "table", array_agg(wanted ORDER BY wanted) AS rights
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
     unnest(CAST(:rights AS text[])) AS wanted
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname LIKE 'emag\_%'
  AND c.relname <> 'emag_alembic_version'
  AND NOT has_table_privilege(c.oid, wanted)
GROUP BY c.relname ORDER BY c.relname;

-- name: incarnation
-- Differs for every copy of a table: by the cluster's system identifier or timeline, or by the oid of the database or
-- of the table.
SELECT (SELECT system_identifier FROM pg_control_system()) AS cluster,
       (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
       (SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = current_database()) AS database,
       CAST(CAST(to_regclass(:table) AS oid) AS bigint) AS "table";
