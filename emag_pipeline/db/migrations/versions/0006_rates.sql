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
    WHERE a.account_type = account
    ORDER BY h.vat_id, h.valid_from <= at DESC, CASE WHEN h.valid_from <= at THEN h.valid_from END DESC, h.valid_from
$$;
COMMENT ON FUNCTION {schema}.emag_vat_rates_as_of(text, timestamptz) IS
    'The VAT rates of the account''s marketplace at that moment, as shares of 1, for `JOIN … USING (vat_id)` with emag_offers_as_of. Before the first reading the earliest known rate holds; one that is no longer shown holds on for the offers that name it, as in emag_current_offers.';
