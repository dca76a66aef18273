-- The schema as the database's catalog describes it.

-- name: tables
-- The project's tables and views with their comments, and the columns of their primary keys in order.
SELECT c.relname, c.relkind = 'v' AS is_view, coalesce(obj_description(c.oid), '') AS comment,
       ARRAY(SELECT a.attname::text FROM pg_index i
             CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts
             ORDER BY k.place) AS key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v') AND c.relname LIKE 'emag\_%'
  AND NOT c.relispartition
ORDER BY c.relname;

-- name: columns
-- The columns of a table in order, with whether they can be written and whether they are identity columns.
SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
       coalesce(col_description(a.attrelid, a.attnum), '') AS comment,
       a.attgenerated = '' AS is_writable, a.attidentity <> '' AS is_identity
FROM pg_attribute a
WHERE a.attrelid = to_regclass(quote_ident(:schema) || '.' || quote_ident(:table))
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;

-- name: functions
SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments,
       replace(pg_get_function_result(p.oid), quote_ident(n.nspname) || '.', '') AS result,
       coalesce(obj_description(p.oid), '') AS comment
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = :schema AND p.proname LIKE 'emag\_%' ORDER BY p.proname;

-- name: own_tables
-- All tables and partitions, at any version of the schema; without the table that holds that version.
SELECT c.relname, c.relispartition AS is_partition, c.relpersistence = 'p' AND c.relkind = 'r' AS is_logged
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname LIKE 'emag\_%' AND c.relname <> :version
ORDER BY c.relname;
