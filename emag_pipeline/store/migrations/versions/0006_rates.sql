-- VAT rates of every past moment: a price with VAT of last year does not change with this year's rate --------------------
CREATE TABLE {schema}.emag_vat_rate_history (
    marketplace text NOT NULL,
    vat_id      bigint NOT NULL,
    rate        numeric(9,4),
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz CHECK (valid_to > valid_from),
    PRIMARY KEY (marketplace, vat_id, valid_from)
);
CREATE UNIQUE INDEX emag_vat_rate_history_one_open
    ON {schema}.emag_vat_rate_history (marketplace, vat_id) WHERE valid_to IS NULL;
COMMENT ON TABLE {schema}.emag_vat_rate_history IS
    'Which VAT rates a marketplace had from when to when; asked by emag_vat_rates_as_of. Source: vat/read, by the job refresh_reference.';
COMMENT ON COLUMN {schema}.emag_vat_rate_history.marketplace IS
    'The marketplace that it holds for, e.g. `emag_ro`; `sandbox` for the sandbox. Source: the address of its API.';
COMMENT ON COLUMN {schema}.emag_vat_rate_history.vat_id IS 'The marketplace''s id of the rate. Source: vat/read.';
COMMENT ON COLUMN {schema}.emag_vat_rate_history.rate IS
    'The rate as a share of 1: 0.21 is 21 percent. Source: vat/read.';
COMMENT ON COLUMN {schema}.emag_vat_rate_history.valid_from IS
    'The reading that first showed it (UTC); of what was stored before this table was, the reading that last changed it. Source: refresh_reference.';
COMMENT ON COLUMN {schema}.emag_vat_rate_history.valid_to IS
    'The first reading that showed another rate, or no longer the id (UTC); null while it is shown. Source: refresh_reference.';

-- Of what is gone already, only its end is known.
INSERT INTO {schema}.emag_vat_rate_history (marketplace, vat_id, rate, valid_from, valid_to)
SELECT marketplace, vat_id, rate, least(changed_at, deleted_at - interval '1 microsecond'), deleted_at
FROM {schema}.emag_vat_rates;

CREATE FUNCTION {schema}.emag_vat_rates_as_of(account text, at timestamptz)
RETURNS TABLE (vat_id bigint, vat_rate numeric)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT DISTINCT ON (h.vat_id) h.vat_id, h.rate
    FROM {schema}.emag_accounts a
    JOIN {schema}.emag_vat_rate_history h ON h.marketplace = a.marketplace
    WHERE a.account_type = account AND at <= greatest(clock_timestamp(), {schema}.emag_known_until(account))
    ORDER BY h.vat_id, h.valid_from <= at DESC, CASE WHEN h.valid_from <= at THEN h.valid_from END DESC, h.valid_from
$$;
COMMENT ON FUNCTION {schema}.emag_vat_rates_as_of(text, timestamptz) IS
    'The VAT rates of the account''s marketplace at that moment, as shares of 1, for `LEFT JOIN … USING (vat_id)` with emag_offers_as_of. Before the first reading the earliest known rate holds; one that is no longer shown holds on for the offers that name it, as in emag_current_offers. No rows, and no error, of a moment that is yet to come, of no moment (null), and of an unknown account.';

-- What has changed since: a mart's refresh, and readers, look at no more than that -----------------------------------------
CREATE INDEX emag_offer_states_by_time ON {schema}.emag_offer_states (account_type, stamp_from);
CREATE INDEX emag_product_offers_by_deletion ON {schema}.emag_product_offers (account_type, deleted_at)
    WHERE deleted_at IS NOT NULL;
CREATE INDEX emag_products_by_time ON {schema}.emag_products (account_type, changed_at);
CREATE INDEX emag_offer_issues_with_lost_sales ON {schema}.emag_offer_issues (account_type, emag_offer_id)
    WHERE sales_lost_a_day IS NOT NULL;
ALTER TABLE {schema}.emag_mart_refreshes ADD COLUMN basis text;
COMMENT ON COLUMN {schema}.emag_mart_refreshes.basis IS
    'What the mart rests on beside offers: fingerprints of its rules, the schema''s version, VAT rates; when another one holds, it is computed from scratch. Null: as when another one holds. Source: the pipeline.';

-- What people look an offer up by. Texts may be of any length: a hash index keeps four bytes of one, and an entry for an EAN
-- is bounded, so that GIN takes it (2,704 bytes at most).
CREATE INDEX emag_product_offers_by_part_number
    ON {schema}.emag_product_offers USING hash (part_number) WHERE part_number IS NOT NULL;
CREATE INDEX emag_offer_rejects_by_offer ON {schema}.emag_offer_rejects (account_type, emag_offer_id, reject_id)
    WHERE emag_offer_id IS NOT NULL;
CREATE FUNCTION {schema}.emag_ean_keys(codes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY(SELECT left(code, 100) FROM unnest(codes) code) $$;
COMMENT ON FUNCTION {schema}.emag_ean_keys(text[]) IS
    'The beginnings of these codes, by which an index finds them; emag_offers_by_ean asks it.';
CREATE INDEX emag_products_by_ean ON {schema}.emag_products USING gin ({schema}.emag_ean_keys(ean)) WITH (fastupdate = off);
CREATE FUNCTION {schema}.emag_offers_by_ean(code text) RETURNS SETOF {schema}.emag_current_offers
LANGUAGE sql STABLE
AS $$
    SELECT * FROM {schema}.emag_current_offers o
    WHERE {schema}.emag_ean_keys(o.ean) @> ARRAY[left(code, 100)] AND o.ean @> ARRAY[code]
$$;
COMMENT ON FUNCTION {schema}.emag_offers_by_ean(text) IS
    'The offers of all accounts that the marketplace holds now and whose product has this EAN, found by an index.';
