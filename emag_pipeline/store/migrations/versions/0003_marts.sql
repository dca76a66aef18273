-- Which marketplace an account sells on: what SQL needs to find its VAT rates and categories ----------------------
CREATE TABLE {schema}.emag_accounts (
    account_type text PRIMARY KEY,
    marketplace  text NOT NULL,
    currency     text,
    noted_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE {schema}.emag_accounts IS 'The accounts and the marketplace that each sells on. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_accounts.marketplace IS
    'As in emag_categories, emag_vat_rates and emag_handling_times, e.g. `emag_ro`.';
COMMENT ON COLUMN {schema}.emag_accounts.currency IS
    'The marketplace''s currency (ISO 4217); null where it is not known. Source: emag-api.md, section 1.';

-- When each resource of reference data was last read to its end -----------------------------------------------------
CREATE TABLE {schema}.emag_reference_reads (
    marketplace  text NOT NULL,
    resource     text NOT NULL CHECK (resource IN ('categories', 'vat_rates', 'handling_times')),
    read_at      timestamptz NOT NULL,
    rows         bigint NOT NULL,
    account_type text NOT NULL,
    PRIMARY KEY (marketplace, resource)
);
COMMENT ON TABLE {schema}.emag_reference_reads IS
    'When reference data was last read completely, how many rows it has, and with which account''s login.';

-- A past moment is one look-up for each offer that ever was: it costs by offers, however long the history has grown ----
CREATE OR REPLACE FUNCTION {schema}.emag_offers_as_of(account text, at timestamptz)
RETURNS SETOF {schema}.emag_offer_history
LANGUAGE sql STABLE
AS $$
    -- the key comes from `o`, so that a caller's condition on it is applied before the look-ups
    SELECT o.account_type, o.emag_offer_id, h.valid_from, h.valid_to, h.sync_id,
           h.part_number_key, h.part_number, h.status, h.sale_price, h.recommended_price,
           h.best_offer_sale_price, h.best_offer_recommended_price, h.buy_button_rank, h.number_of_offers,
           h.currency, h.general_stock, h.estimated_stock, h.offer_validation_status, h.validation_status,
           h.translation_validation_status, h.is_saleable, h.handling_time, h.warranty, h.vat_id
    FROM {schema}.emag_product_offers o
    CROSS JOIN LATERAL (
        SELECT * FROM {schema}.emag_offer_history n
        WHERE n.account_type = o.account_type AND n.emag_offer_id = o.emag_offer_id AND n.valid_from <= at
        ORDER BY n.valid_from DESC LIMIT 1
    ) h
    WHERE o.account_type = account AND (h.valid_to IS NULL OR h.valid_to > at)
$$;

-- Why an offer cannot be bought: the one place of that rule in SQL (emag-api.md, section 5) ----------------------------
CREATE FUNCTION {schema}.emag_issue_codes(
    status smallint, general_stock bigint, offer_validation_status smallint,
    validation_status smallint[], translation_validation_status smallint[]
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(DISTINCT code ORDER BY code), '{}')
    FROM (
        SELECT CASE WHEN general_stock IS NULL THEN 'stock_unknown'
                    WHEN general_stock <= 0 THEN 'out_of_stock' END
        UNION ALL
        SELECT CASE WHEN status IS NULL OR status NOT IN (0, 1, 2) THEN 'status_unknown'
                    WHEN status = 0 THEN 'inactive'
                    WHEN status = 2 THEN 'end_of_life' END
        UNION ALL
        SELECT CASE WHEN offer_validation_status = 2 THEN 'price_invalid'
                    WHEN offer_validation_status IS DISTINCT FROM 1 THEN 'price_not_validated' END
        UNION ALL
        SELECT 'product_not_validated' WHERE cardinality(validation_status) = 0
        UNION ALL
        SELECT 'product_' || v FROM unnest(validation_status) v WHERE v NOT IN (3, 9, 11, 12)
        UNION ALL
        SELECT 'translation_' || v FROM unnest(translation_validation_status) v WHERE v NOT IN (3, 9, 11, 12, 17)
    ) found (code)
    WHERE code IS NOT NULL
$$;
COMMENT ON FUNCTION {schema}.emag_issue_codes(smallint, bigint, smallint, smallint[], smallint[]) IS
    'Every reason why an offer in this state cannot be bought, as codes in order; empty exactly when it can be bought.';

-- The marts: what is multiplied or added up has no bound of digits, so that one absurd stock costs no refresh -------------
ALTER TABLE {schema}.emag_offer_issues
    ALTER COLUMN value_held_back TYPE numeric,
    ADD COLUMN said     text,
    ADD COLUMN currency text;
COMMENT ON COLUMN {schema}.emag_offer_issues.issue_code IS 'As emag_issue_codes names it, e.g. `out_of_stock`, `product_8`.';
COMMENT ON COLUMN {schema}.emag_offer_issues.reason IS 'The code in plain words.';
COMMENT ON COLUMN {schema}.emag_offer_issues.remedy IS 'What the seller can do about it.';
COMMENT ON COLUMN {schema}.emag_offer_issues.said IS
    'What the marketplace itself says of it; null where it says nothing. Source: emag_products.validation_details, doc_errors.';
COMMENT ON COLUMN {schema}.emag_offer_issues.since IS
    'The publish since which the offer has had this issue without a break; an absence of the offer is a break (UTC).';
COMMENT ON COLUMN {schema}.emag_offer_issues.stock_held_back IS
    'Pieces that cannot be sold while it lasts: the stock, 0 where it is not known. Several issues hold back the same pieces.';
COMMENT ON COLUMN {schema}.emag_offer_issues.value_held_back IS
    'Those pieces at the sale price, without VAT, in `currency`; null without a price.';

ALTER TABLE {schema}.emag_buy_button
    ALTER COLUMN gap_percent TYPE numeric,
    ALTER COLUMN gap_with_vat TYPE numeric,
    ADD COLUMN has_buy_button      boolean,
    ADD COLUMN change              text CHECK (change IN ('won', 'lost', 'kept', 'missed', 'new')),
    ADD COLUMN vat_rate            numeric(9,4),
    ADD COLUMN sale_price_with_vat numeric,
    ADD COLUMN best_price_with_vat numeric,
    ADD COLUMN is_saleable         boolean;
COMMENT ON COLUMN {schema}.emag_buy_button.buy_button_rank IS 'Place in the race for the add-to-cart button; 1 has it.';
COMMENT ON COLUMN {schema}.emag_buy_button.rank_a_day_ago IS
    'The rank 24 hours before the publish that the mart shows (emag_mart_refreshes); null when the offer or its rank was not there.';
COMMENT ON COLUMN {schema}.emag_buy_button.has_buy_button IS 'Rank 1.';
COMMENT ON COLUMN {schema}.emag_buy_button.change IS
    'Against a day ago: won, lost, kept (had it and has it), missed (neither), new (no rank a day ago).';
COMMENT ON COLUMN {schema}.emag_buy_button.gap IS
    'sale_price less best_offer_sale_price, without VAT, in `currency`; above 0 when the best offer is cheaper.';
COMMENT ON COLUMN {schema}.emag_buy_button.gap_percent IS
    'The gap in percent of the best offer''s price; null where that is 0 or not known.';
COMMENT ON COLUMN {schema}.emag_buy_button.gap_with_vat IS 'The gap with VAT; null when the VAT rate is not known.';
COMMENT ON COLUMN {schema}.emag_buy_button.vat_rate IS
    'As a share of 1; null when emag_vat_rates does not hold the offer''s vat_id.';

ALTER TABLE {schema}.emag_low_stock
    ALTER COLUMN sold_a_day TYPE numeric,
    ADD COLUMN sold        numeric,
    ADD COLUMN sold_out_on date,
    ADD COLUMN sale_price  numeric(18,4),
    ADD COLUMN currency    text;
COMMENT ON COLUMN {schema}.emag_low_stock.sold IS
    'Pieces by which the stock fell from state to state in the 30 days before the publish that the mart shows; rises (deliveries) are not counted, nor what happened while the stock was not known or the offer not there.';
COMMENT ON COLUMN {schema}.emag_low_stock.observed_days IS
    'Days of these 30 in which the stock was known and above 0: what the pace rests on.';
COMMENT ON COLUMN {schema}.emag_low_stock.sold_a_day IS
    'sold / observed_days: pieces a day while there was stock; less than a day of observation counts as a day.';
COMMENT ON COLUMN {schema}.emag_low_stock.days_of_cover IS
    'general_stock / sold_a_day: days until the stock is gone, from the publish that the mart shows; 0 when it is gone.';
COMMENT ON COLUMN {schema}.emag_low_stock.sold_out_on IS
    'The day on which the stock is gone at that pace (UTC); null when it is gone already.';

ALTER TABLE {schema}.emag_daily_assortment
    ALTER COLUMN stock TYPE numeric,
    ALTER COLUMN stock_value TYPE numeric,
    ADD COLUMN as_of          timestamptz,
    ADD COLUMN currency       text,
    ADD COLUMN saleable_share numeric(9,6),
    ADD COLUMN price_rises    bigint NOT NULL DEFAULT 0,
    ADD COLUMN price_cuts     bigint NOT NULL DEFAULT 0,
    ADD COLUMN issues         jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN {schema}.emag_daily_assortment.as_of IS
    'The moment that the figures stand for, as emag_offers_as_of takes it: the last microsecond of the day, or the last publish while the day is not over (UTC).';
COMMENT ON COLUMN {schema}.emag_daily_assortment.currency IS
    'The currency of most offers; amounts of offers in another one are in no figure.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.saleable_share IS 'saleable_offers / offers; null without offers.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.stock IS 'Pieces of all offers, whether or not they can be bought.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.stock_value IS
    'Those pieces at their sale prices, without VAT, in `currency`.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.median_price IS 'The median sale price of all offers that have one, without VAT, in `currency`.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.arrivals IS
    'Offers that are here at `as_of` and were not at the end of the day before.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.departures IS
    'Offers that were here at the end of the day before and are not at `as_of`.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.price_moves IS
    'Offers here at both moments whose sale price differs: price_rises + price_cuts, and prices that came or went.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.issues IS
    'How many offers have each reason not to be bought: {issue code: offers}.';

CREATE TABLE {schema}.emag_mart_refreshes (
    account_type text NOT NULL,
    mart         text NOT NULL,
    sync_id      uuid NOT NULL,
    published_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    rows         bigint NOT NULL,
    rows_changed bigint NOT NULL,
    PRIMARY KEY (account_type, mart)
);
COMMENT ON TABLE {schema}.emag_mart_refreshes IS
    'Which publish each mart of an account shows, and what its last refresh did.';
COMMENT ON COLUMN {schema}.emag_mart_refreshes.mart IS 'Name of the asset, e.g. `offer_issues`.';
COMMENT ON COLUMN {schema}.emag_mart_refreshes.sync_id IS 'The sync whose publish the mart shows.';
COMMENT ON COLUMN {schema}.emag_mart_refreshes.published_at IS 'When that publish became visible (UTC).';
COMMENT ON COLUMN {schema}.emag_mart_refreshes.rows_changed IS 'Rows that the last refresh inserted, updated or deleted.';

-- Known deviations that the data team has accepted ---------------------------------------------------------------------
CREATE TABLE {schema}.emag_accepted_deviations (
    deviation_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_type  text NOT NULL,
    check_name    text NOT NULL,
    emag_offer_id bigint,
    reason        text NOT NULL CHECK (reason <> ''),
    accepted_by   text NOT NULL,
    accepted_at   timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL CHECK (expires_at > accepted_at),
    withdrawn_at  timestamptz
);
CREATE INDEX emag_accepted_deviations_by_check ON {schema}.emag_accepted_deviations (account_type, check_name);
COMMENT ON TABLE {schema}.emag_accepted_deviations IS
    'Findings of a check that are known and accepted until a day: they are shown, and do not fail the check.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.check_name IS 'Name of the Dagster check, e.g. `prices_are_plausible`.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.emag_offer_id IS 'The offer that it holds for; null: all of the account.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.reason IS 'Why it is right as it is, in words for the next reviewer.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.expires_at IS 'From then on the check fails on it again (UTC).';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.withdrawn_at IS 'When it was taken back before its time (UTC).';

-- Categories and VAT where they are known; an unknown id leaves null, never drops the offer ------------------------------
CREATE OR REPLACE VIEW {schema}.emag_current_offers AS
SELECT o.account_type, o.emag_offer_id, o.part_number_key, o.part_number, p.name, p.brand, p.category_id,
       o.status, o.is_saleable, o.sale_price, o.recommended_price, o.best_offer_sale_price,
       o.best_offer_recommended_price, o.buy_button_rank, o.number_of_offers, o.currency,
       o.general_stock, o.estimated_stock, o.offer_validation_status, o.validation_status,
       o.translation_validation_status, o.handling_time, o.warranty, o.vat_id,
       p.description, p.url, p.ean, p.images, p.characteristics, p.family_id, p.family_name,
       p.vendor_category_id, p.ownership, p.genius_eligibility, p.genius_eligibility_type, p.genius_computed,
       p.safety_information, p.has_manufacturer, p.has_eu_representative, p.validation_details, p.doc_errors,
       o.first_seen_at, o.changed_at, p.changed_at AS content_changed_at, o.rejected_at, o.last_sync_id,
       a.marketplace, c.name AS category_name, v.rate AS vat_rate,
       round(o.sale_price * (1 + v.rate), 4)::numeric(18,4) AS sale_price_with_vat
FROM {schema}.emag_product_offers o
JOIN {schema}.emag_products p USING (account_type, emag_offer_id)
LEFT JOIN {schema}.emag_accounts a USING (account_type)
LEFT JOIN {schema}.emag_categories c ON c.marketplace = a.marketplace AND c.category_id = p.category_id
LEFT JOIN {schema}.emag_vat_rates v ON v.marketplace = a.marketplace AND v.vat_id = o.vat_id
WHERE o.deleted_at IS NULL;
COMMENT ON COLUMN {schema}.emag_current_offers.category_name IS
    'In the marketplace''s own language; null when emag_categories does not hold the category.';
COMMENT ON COLUMN {schema}.emag_current_offers.vat_rate IS 'As a share of 1; null when the vat_id is not known.';
