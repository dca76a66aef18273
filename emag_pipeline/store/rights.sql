-- Who may do what with the tables (docs/how-to/roles.md), granted by their owner after each migration. What is granted to
-- a role that is not there is left out: a statement's name begins with the role's.

-- name: roles
-- Which of the roles are there (roles.sql), and whether this user owns the tables.
SELECT pg_has_role(relowner, 'USAGE') AS is_owner, to_regrole('emag_writer') IS NOT NULL AS writer,
       to_regrole('emag_reader') IS NOT NULL AS reader
FROM pg_class WHERE oid = '{schema}.emag_offer_syncs'::regclass;

-- name: writer_of_schema
-- A schema that a restore has made anew has no rights yet.
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
-- Rows, never the tables themselves. Sequences are read by pg_dump; identity columns need no right on theirs.
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
-- The planner's statistics are renewed by whoever changed much (sync/statistics.py), which is the owner's right: he lends it.
GRANT EXECUTE ON FUNCTION {schema}.emag_analyze(text, text[]) TO emag_writer;

-- name: writer_rooms
-- Each account has partitions of its own in staging, which come and go with it (sync/staging_room.py).
GRANT EXECUTE ON FUNCTION
    {schema}.emag_make_room(text), {schema}.emag_empty_room(text, uuid[], boolean), {schema}.emag_remove_room(text)
TO emag_writer;

-- name: writer_of_version
-- Only a migration says which version the schema has.
REVOKE INSERT, UPDATE, DELETE ON {schema}.emag_alembic_version FROM emag_writer;

-- name: reader
-- The product: offers, their history, the marts, the reference data, how the syncs went and what is wrong.
-- Withheld: calls and their bodies, staging, counters and other machinery.
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
-- What emag_offers_as_of reads for whoever asks it; its columns with their times are emag_offer_history's.
GRANT SELECT ON {schema}.emag_offer_states TO emag_reader;

-- name: reader_of_rejects
-- Which rows wait in quarantine and why; not the rows as read, which may hold anything.
GRANT SELECT (reject_id, account_type, sync_id, page, emag_offer_id, reason, rejected_at)
    ON {schema}.emag_offer_rejects TO emag_reader;

-- name: reader_of_surprises
-- Which fields of the marketplace's answers are not as known; not the samples, which may hold anything.
GRANT SELECT (account_type, resource, field, kind, first_seen_at, last_seen_at, times)
    ON {schema}.emag_answer_surprises TO emag_reader;

-- name: reader_of_version
-- The commands of a reader (export, history, explain) see by it that the schema is theirs.
GRANT SELECT ON {schema}.emag_alembic_version TO emag_reader;
