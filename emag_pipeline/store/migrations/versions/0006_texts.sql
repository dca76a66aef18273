-- Texts of the marketplace may be of any length. A b-tree's entry is bounded (2,704 bytes), a hash index keeps four bytes of
-- any text, and is asked for equality alone.
DROP INDEX {schema}.emag_product_offers_by_part_number_key;
CREATE INDEX emag_product_offers_by_part_number_key
    ON {schema}.emag_product_offers USING hash (part_number_key) WHERE part_number_key IS NOT NULL;

-- A person may throw the staged pages of a sync away, so that the next run reads anew.
ALTER TABLE {schema}.emag_offer_syncs
    ADD COLUMN discarded_at timestamptz,
    ADD COLUMN discarded_by text;
COMMENT ON COLUMN {schema}.emag_offer_syncs.discarded_at IS
    'When a person threw its staged pages away; it is never resumed then, nor approved (UTC). Source: `emag-pipeline discard`.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.discarded_by IS
    'Who did so: the user of the operating system. Source: `emag-pipeline discard`.';

-- The planner's statistics are brought up to date by whoever changed much. Before PostgreSQL 17 that is the owner's right
-- alone, and without it ANALYZE does nothing: the writer is granted this function there (sql/rights.sql).
CREATE FUNCTION {schema}.emag_analyze(table_name text, column_names text[] DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF table_name !~ '^emag_' THEN
        RAISE insufficient_privilege USING MESSAGE = table_name || ' is not a table of the pipeline';
    END IF;
    EXECUTE 'ANALYZE (SKIP_LOCKED) {schema}.' || quote_ident(table_name)
        || coalesce(' (' || (SELECT string_agg(quote_ident(name), ', ') FROM unnest(column_names) name) || ')', '');
END
$$;
COMMENT ON FUNCTION {schema}.emag_analyze(text, text[]) IS
    'ANALYZE of one of the pipeline''s tables, or of columns of it, as the tables'' owner.';
REVOKE ALL ON FUNCTION {schema}.emag_analyze(text, text[]) FROM PUBLIC;
