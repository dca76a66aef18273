-- Privileges on the tables (docs/how-to/roles.md), granted by their owner after each migration. A statement's name begins
-- with the role it grants to; statements for roles that do not exist are skipped.

-- name: roles
-- Which of the roles exist (roles.sql), and whether this user owns the tables.
SELECT pg_has_role(relowner, 'USAGE') AS is_owner, to_regrole('emag_writer') IS NOT NULL AS writer,
       to_regrole('emag_reader') IS NOT NULL AS reader
FROM pg_class WHERE oid = '{schema}.emag_offer_syncs'::regclass;

-- name: writer_of_schema
-- A schema that a restore has recreated has no privileges yet.
DO $$
BEGIN
    IF (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE oid = '{schema}'::regnamespace) THEN
        GRANT USAGE ON SCHEMA {schema} TO emag_writer;
    END IF;
END $$;

-- name: reader_of_schema
DO $$
BEGIN
    IF (SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE oid = '{schema}'::regnamespace) THEN
        GRANT USAGE ON SCHEMA {schema} TO emag_reader;
    END IF;
END $$;

-- name: writer
-- The rows of all tables, but no DDL. Sequences are read by pg_dump; identity columns need no privilege on theirs.
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT oid::regclass AS name, relkind
        FROM pg_class
        WHERE relnamespace = '{schema}'::regnamespace AND relname LIKE 'emag\_%' AND relkind IN ('r', 'p', 'v', 'S')
    LOOP
        IF found.relkind = 'S' THEN
            EXECUTE format('GRANT SELECT ON SEQUENCE %s TO emag_writer', found.name);
        ELSE
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO emag_writer', found.name);
        END IF;
    END LOOP;
END $$;

-- name: writer_statistics
-- A run that changed much renews the planner's statistics (sync/statistics.py); the function runs with the owner's
-- privileges, since only the owner may ANALYZE.
GRANT EXECUTE ON FUNCTION {schema}.emag_analyze(text, text[]) TO emag_writer;

-- name: writer_rooms
-- Each account has its own partitions in staging, created and dropped with the account (sync/staging_room.py).
GRANT EXECUTE ON FUNCTION
    {schema}.emag_make_room(text), {schema}.emag_empty_room(text, uuid[], boolean), {schema}.emag_remove_room(text)
TO emag_writer;

-- name: writer_of_version
-- Only a migration changes the schema's version.
REVOKE INSERT, UPDATE, DELETE ON {schema}.emag_alembic_version FROM emag_writer;

-- name: reader
-- The data for users: offers, their history, the marts, the reference data, the syncs and their problems.
-- Not granted: calls and their bodies, staging, counters and other internals.
GRANT SELECT ON
    {schema}.emag_product_offers, {schema}.emag_products, {schema}.emag_offer_history, {schema}.emag_current_offers,
    {schema}.emag_offer_warehouses,
    {schema}.emag_offer_issues, {schema}.emag_buy_button, {schema}.emag_low_stock, {schema}.emag_daily_assortment,
    {schema}.emag_categories, {schema}.emag_vat_rates, {schema}.emag_vat_rate_history, {schema}.emag_handling_times,
    {schema}.emag_accounts, {schema}.emag_reference_reads, {schema}.emag_mart_refreshes,
    {schema}.emag_accepted_deviations,
    {schema}.emag_offer_syncs, {schema}.emag_account_figures, {schema}.emag_incidents,
    {schema}.emag_check_results, {schema}.emag_publishes
TO emag_reader;

-- name: reader_of_states
-- emag_offers_as_of reads it with the caller's privileges; emag_offer_history has its columns with their times.
GRANT SELECT ON {schema}.emag_offer_states TO emag_reader;

-- name: reader_of_rejects
-- Which rows are in quarantine and why; not their payloads, which may contain anything.
GRANT SELECT (reject_id, account_type, sync_id, page, emag_offer_id, reason, rejected_at)
    ON {schema}.emag_offer_rejects TO emag_reader;

-- name: reader_of_surprises
-- Which fields of the marketplace's responses are unexpected; not the samples, which may contain anything.
GRANT SELECT (account_type, resource, field, kind, first_seen_at, last_seen_at, times)
    ON {schema}.emag_answer_surprises TO emag_reader;

-- name: reader_of_version
-- A reader's commands (export, history, explain) check the schema's version.
GRANT SELECT ON {schema}.emag_alembic_version TO emag_reader;
