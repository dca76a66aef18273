-- Roles of the pipeline's database, for psql: run it as a superuser, connected to the pipeline's database.
-- It may be run again at any time. Privileges on single tables are granted by `emag-pipeline migrate` (rights.sql).
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;

-- emag_owner runs migrations, emag_writer runs the pipeline; both still need a password: \password emag_owner
-- emag_reader is the data team's group: CREATE ROLE ana LOGIN IN ROLE emag_reader
DO $$
BEGIN
    IF to_regrole('emag_owner') IS NULL THEN CREATE ROLE emag_owner LOGIN; END IF;
    IF to_regrole('emag_writer') IS NULL THEN CREATE ROLE emag_writer LOGIN; END IF;
    IF to_regrole('emag_reader') IS NULL THEN CREATE ROLE emag_reader NOLOGIN; END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO emag_owner, emag_writer, emag_reader', current_database());
    -- restoring an older backup uses a scratch schema
    EXECUTE format('GRANT CREATE ON DATABASE %I TO emag_owner', current_database());
END $$;

-- An existing schema may hold other software's tables: its owner and those tables are left unchanged.
CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION emag_owner;
GRANT USAGE, CREATE ON SCHEMA {schema} TO emag_owner;
GRANT USAGE ON SCHEMA {schema} TO emag_writer, emag_reader;

-- Objects that an earlier installation created with another user get the new owner, so that they can be migrated.
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT format('ALTER %s %s OWNER TO emag_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                      oid::regclass) AS statement
        FROM pg_class
        WHERE relnamespace = '{schema}'::regnamespace AND relkind IN ('r', 'p', 'v') AND relname LIKE 'emag\_%'
          AND relowner <> 'emag_owner'::regrole
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO emag_owner', oid::regprocedure)
        FROM pg_proc
        WHERE pronamespace = '{schema}'::regnamespace AND proname LIKE 'emag\_%' AND proowner <> 'emag_owner'::regrole
    LOOP
        EXECUTE found.statement;
    END LOOP;
END $$;

-- Tables of later migrations: granted to the writer at once, to the reader when rights.sql names them.
ALTER DEFAULT PRIVILEGES FOR ROLE emag_owner IN SCHEMA {schema}
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO emag_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE emag_owner IN SCHEMA {schema} GRANT SELECT ON SEQUENCES TO emag_writer;
COMMIT;

-- Dagster creates and changes its own tables, in its own database.
SELECT format('CREATE DATABASE %I OWNER emag_writer', current_database() || '_dagster')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = current_database() || '_dagster') \gexec
SELECT format('ALTER DATABASE %I OWNER TO emag_writer', current_database() || '_dagster') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database() || '_dagster') \gexec
SELECT current_database() || '_dagster' AS dagster \gset
\connect :"dagster"
-- Tables that an earlier installation created there with another user; a sequence follows its table.
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relowner <> 'emag_writer'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO emag_writer', found.name);
    END LOOP;
    GRANT CREATE ON SCHEMA public TO emag_writer;
END $$;
