-- The read-only role of the embedded server's database. It logs in without a password, as any client of the socket does.
-- default_transaction_read_only is only a default that a reader can change; therefore the privileges that PUBLIC has on a
-- new server are revoked too: temporary tables, large objects, other databases. The pipeline itself is a superuser there.

-- name: is_there
-- Whether the role can log in, reads this schema, has its privileges (rights.sql), and has no others.
SELECT coalesce((
    SELECT role.rolcanlogin AND has_table_privilege(role.oid, '{schema}.emag_publishes', 'SELECT')
       AND EXISTS (
           SELECT FROM pg_db_role_setting
           WHERE setrole = role.oid AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND setconfig @> ARRAY['search_path=' || CAST('{schema}'::regnamespace AS text) || ', public',
                                    'default_transaction_read_only=on', 'idle_in_transaction_session_timeout=900000'])
       AND NOT has_database_privilege(role.oid, current_database(), 'TEMPORARY')
       AND NOT EXISTS (
           SELECT FROM pg_database
           WHERE datallowconn AND datname <> current_database() AND has_database_privilege(role.oid, oid, 'CONNECT'))
       AND NOT EXISTS (
           SELECT FROM pg_proc
           WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(role.oid, oid, 'EXECUTE')
             AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_open', 'lowrite', 'lo_truncate',
                             'lo_truncate64', 'lo_unlink'))
    FROM pg_roles role WHERE role.rolname = 'emag_reader'), false);

-- name: make
DO $$
DECLARE found record;
BEGIN
    IF to_regrole('emag_reader') IS NULL THEN
        CREATE ROLE emag_reader;
    END IF;
    ALTER ROLE emag_reader LOGIN CONNECTION LIMIT 20;
    EXECUTE format('ALTER ROLE emag_reader IN DATABASE %I SET idle_in_transaction_session_timeout = 900000', current_database());
    EXECUTE format('ALTER ROLE emag_reader IN DATABASE %I SET search_path = {schema}, public', current_database());
    EXECUTE format('ALTER ROLE emag_reader IN DATABASE %I SET default_transaction_read_only = on', current_database());
    FOR found IN SELECT datname AS name FROM pg_database WHERE datallowconn AND datname <> current_database() LOOP
        EXECUTE format('REVOKE CONNECT, TEMPORARY ON DATABASE %I FROM PUBLIC, emag_reader', found.name);
    END LOOP;
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, emag_reader', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO emag_reader', current_database());
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
          AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_open', 'lowrite', 'lo_truncate',
                          'lo_truncate64', 'lo_unlink')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, emag_reader', found.name);
    END LOOP;
END $$;
