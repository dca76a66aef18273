-- The role that reads the embedded server's database: it logs in without a password, as everybody who reaches the socket does.

-- name: is_there
-- Whether it may log in and has its rights (rights.sql).
SELECT coalesce((SELECT rolcanlogin AND has_table_privilege(oid, '{schema}.emag_publishes', 'SELECT')
                 FROM pg_roles WHERE rolname = 'emag_reader'), false);

-- name: make
DO $$
BEGIN
    IF to_regrole('emag_reader') IS NULL THEN
        CREATE ROLE emag_reader;
    END IF;
    ALTER ROLE emag_reader LOGIN CONNECTION LIMIT 20;
    EXECUTE format('ALTER ROLE emag_reader IN DATABASE %I SET idle_in_transaction_session_timeout = 900000', current_database());
    EXECUTE format('ALTER ROLE emag_reader IN DATABASE %I SET search_path = {schema}, public', current_database());
    EXECUTE format('ALTER ROLE emag_reader IN DATABASE %I SET default_transaction_read_only = on', current_database());
END $$;
