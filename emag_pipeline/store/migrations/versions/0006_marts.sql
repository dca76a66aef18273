-- The buy button, told truthfully: what is lost without a rank, and within the day ------------------------------------
COMMENT ON TABLE {schema}.emag_buy_button IS
    'Existing offers that have a place in the race for the buy button, or had the button within 24 hours before the publish. Prices without VAT unless named so.';
COMMENT ON COLUMN {schema}.emag_buy_button.buy_button_rank IS
    'Place in the race for the add-to-cart button; 1 has it; null when it was lost with the place, as by selling out. Source: the marketplace.';
COMMENT ON COLUMN {schema}.emag_buy_button.change IS
    'Within 24 hours before the publish: lost (had it at some moment, has it no more), won, kept (had it a day ago and has it), missed (had it not), new (no rank a day ago). Source: the history.';
COMMENT ON COLUMN {schema}.emag_buy_button.gap IS
    'sale_price less best_offer_sale_price, without VAT, in `currency`; above 0 when the best offer is cheaper; null where the best price is 0 or not known.';
COMMENT ON COLUMN {schema}.emag_buy_button.sale_price_with_vat IS
    'sale_price with VAT, rounded to two decimals; null when the VAT rate is not known. Source: emag_vat_rates.';
COMMENT ON COLUMN {schema}.emag_buy_button.best_price_with_vat IS
    'best_offer_sale_price with VAT, rounded to two decimals; null when the VAT rate is not known. Source: emag_vat_rates.';
COMMENT ON COLUMN {schema}.emag_buy_button.gap_with_vat IS
    'sale_price_with_vat less best_price_with_vat; null when the VAT rate or the gap is not known. Source: emag_vat_rates.';

-- Without a price above 0 nothing can be bought, as a recommended or best price of 0 is none ---------------------------
DROP FUNCTION {schema}.emag_issue_codes(smallint, bigint, smallint, smallint[], smallint[], text[]);
CREATE FUNCTION {schema}.emag_issue_codes(
    status smallint, general_stock bigint, sale_price numeric, offer_validation_status smallint,
    validation_status smallint[], translation_validation_status smallint[], unreadable text[] DEFAULT '{}'
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(DISTINCT code ORDER BY code), '{}')
    FROM (
        SELECT 'field_unreadable' WHERE cardinality(unreadable) > 0
        UNION ALL
        SELECT CASE WHEN general_stock IS NULL THEN 'stock_unknown'
                    WHEN general_stock <= 0 THEN 'out_of_stock' END
        UNION ALL
        SELECT CASE WHEN status IS NULL OR status NOT IN (0, 1, 2) THEN 'status_unknown'
                    WHEN status = 0 THEN 'inactive'
                    WHEN status = 2 THEN 'end_of_life' END
        UNION ALL
        SELECT 'no_price' WHERE sale_price > 0 IS NOT TRUE
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
COMMENT ON FUNCTION {schema}.emag_issue_codes(smallint, bigint, numeric, smallint, smallint[], smallint[], text[]) IS
    'Every reason why an offer in this state cannot be bought, as codes in order; empty exactly when it can be bought.';

-- What was taken for saleable, also in the past and in scans that wait: the verdicts on an offer are worked out from its
-- columns. Its fingerprint is the reader's, so the next sync publishes such an offer once more.
UPDATE {schema}.emag_product_offers SET is_saleable = false WHERE is_saleable AND sale_price > 0 IS NOT TRUE;
UPDATE {schema}.emag_offer_history SET is_saleable = false WHERE is_saleable AND sale_price > 0 IS NOT TRUE;
UPDATE {schema}.emag_scan_offers SET is_saleable = false WHERE is_saleable AND sale_price > 0 IS NOT TRUE;
UPDATE {schema}.emag_account_figures f
SET saleable = (SELECT count(*) FROM {schema}.emag_product_offers o
                WHERE o.account_type = f.account_type AND o.deleted_at IS NULL AND o.is_saleable);
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass AS of, c.relkind = 'v' AS is_view
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attrelid = ANY (ARRAY['{schema}.emag_product_offers', '{schema}.emag_offer_history',
                                      '{schema}.emag_scan_offers', '{schema}.emag_current_offers']::regclass[])
          AND a.attname = 'is_saleable'
    LOOP
        EXECUTE 'COMMENT ON COLUMN ' || found.of || '.is_saleable IS ' || quote_literal(
            'A customer can buy it: stock above 0, status 1, a price above 0 that is valid, product (and translation, if any) in a saleable validation state. Source: worked out from those columns.');
    END LOOP;
END $$;

-- One currency an account: what amounts are added up in -------------------------------------------------------------
CREATE FUNCTION {schema}.emag_usual_currency(currencies text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT mode() WITHIN GROUP (ORDER BY currency) FROM unnest(currencies) currency $$;
COMMENT ON FUNCTION {schema}.emag_usual_currency(text[]) IS
    'The most frequent of these currencies, of several the first by name; null where none is known.';

-- Planned anew at each call, for this account: a plan for any account reads all of a large one for a small one.
CREATE FUNCTION {schema}.emag_account_currency(account text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE found text;
BEGIN
    EXECUTE 'SELECT coalesce(
        {schema}.emag_usual_currency(ARRAY(
            SELECT o.currency FROM {schema}.emag_product_offers o
            WHERE o.account_type = $1 AND o.deleted_at IS NULL)),
        (SELECT a.currency FROM {schema}.emag_accounts a WHERE a.account_type = $1))'
    INTO found USING account;
    RETURN found;
END $$;
COMMENT ON FUNCTION {schema}.emag_account_currency(text) IS
    'The account''s currency: that of most existing offers, else the marketplace''s. Amounts are added up in it only.';

CREATE FUNCTION {schema}.emag_in_currency(currency text, account_currency text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(currency, account_currency) IS NOT DISTINCT FROM account_currency $$;
COMMENT ON FUNCTION {schema}.emag_in_currency(text, text) IS
    'Whether an amount is added up: an offer without a currency is taken to be in the account''s.';

-- The pace of sales: the one place of that rule ---------------------------------------------------------------------
CREATE FUNCTION {schema}.emag_sales_pace(account text, offers bigint[], since timestamptz, until timestamptz)
RETURNS TABLE (emag_offer_id bigint, sold numeric, days numeric, has_jumps boolean)
LANGUAGE sql STABLE
AS $$
    -- Numbers are numeric: the difference of two absurd stocks has no bigint. A stock below 0 counts as 0: more than there
    -- was cannot be sold. The stock before a state counts only when
    -- that state reached up to it; a state without a stock is compared with nothing, nor is the one after it.
    -- One pass from states to offers, without a join: nobody knows before how many there are.
    WITH states AS (
        SELECT h.emag_offer_id, h.valid_from,
               sum(least(coalesce(h.valid_to, until), until) - greatest(h.valid_from, since))
                   FILTER (WHERE h.general_stock > 0) OVER (PARTITION BY h.emag_offer_id) AS observed,
               CASE WHEN lag(h.valid_to) OVER past = h.valid_from THEN lag(there.stock) OVER past END - there.stock AS fell_by
        FROM {schema}.emag_offer_history h
        CROSS JOIN LATERAL (
            SELECT CASE WHEN h.general_stock < 0 THEN 0 ELSE h.general_stock::numeric END
        ) there (stock)
        WHERE h.account_type = account AND h.emag_offer_id = ANY (offers)
          AND h.valid_from <= until AND (h.valid_to IS NULL OR h.valid_to > since)
        WINDOW past AS (PARTITION BY h.emag_offer_id ORDER BY h.valid_from)
    ),
    changes AS (
        SELECT s.emag_offer_id, s.observed, s.fell_by,
               s.fell_by > 10 AND coalesce(lead(s.fell_by) OVER next = - s.fell_by, false) AS was_taken_back
        FROM states s
        WHERE s.fell_by IS DISTINCT FROM 0
        WINDOW next AS (PARTITION BY s.emag_offer_id ORDER BY s.valid_from)
    ),
    falling AS (
        SELECT c.emag_offer_id, max(c.observed) AS observed, array_agg(c.fell_by) AS falls,
               array_agg(c.was_taken_back) AS taken_back,
               -- of two in the middle the smaller one
               percentile_disc(0.5) WITHIN GROUP (ORDER BY c.fell_by) FILTER (WHERE NOT c.was_taken_back) AS usual
        FROM changes c
        WHERE c.fell_by > 0
        GROUP BY c.emag_offer_id
    )
    SELECT f.emag_offer_id, told.sold, coalesce(extract(epoch FROM f.observed) / 86400, 0) AS days, told.has_jumps
    FROM falling f
    CROSS JOIN LATERAL (
        SELECT sum(one.fell_by) FILTER (WHERE NOT one.is_jump) AS sold, bool_or(one.is_jump) AS has_jumps
        FROM (
            SELECT fall.by AS fell_by, fall.was_taken_back OR (fall.by > 10 AND fall.by > 5 * f.usual) AS is_jump
            FROM unnest(f.falls, f.taken_back) fall (by, was_taken_back)
        ) one
    ) told
    WHERE f.usual IS NOT NULL
$$;
COMMENT ON FUNCTION {schema}.emag_sales_pace(text, bigint[], timestamptz, timestamptz) IS
    'What of these offers was sold between two moments, by falls of the stock (one below 0 counts as 0), and in how many days with stock; pieces a day are sold / greatest(days, 1). An offer without sales has no row. A fall of more than 10 pieces is a correction and no sale when it is more than five times the offer''s usual fall (the median, of two in the middle the smaller one), or when the next change of the stock takes back exactly as much.';

ALTER TABLE {schema}.emag_low_stock
    ADD COLUMN is_saleable boolean,
    ADD COLUMN has_jumps   boolean;
COMMENT ON COLUMN {schema}.emag_low_stock.is_saleable IS
    'Whether a customer can buy the offer now; false also for those that are sold out. Source: emag_product_offers.';
COMMENT ON COLUMN {schema}.emag_low_stock.has_jumps IS
    'Whether a fall of the stock was taken as a correction and is not in `sold`: one of more than 10 pieces that is more than five times the offer''s usual (median) fall, or that the next change of the stock takes back exactly. Source: emag_offer_history.';
COMMENT ON COLUMN {schema}.emag_low_stock.sold IS
    'Pieces by which the stock fell from state to state in the 30 days before the publish that the mart shows, but for corrections (`has_jumps`); a stock below 0 counts as 0; rises (deliveries) are not counted, nor what happened while the stock was not known or the offer not there. Source: emag_offer_history.';
COMMENT ON COLUMN {schema}.emag_low_stock.days_of_cover IS
    'general_stock / sold_a_day: days until the stock is gone, from the publish that the mart shows; 0 when it is gone. A fall of more than 10 pieces that is more than five times the offer''s usual (median) fall, or that the next change takes back exactly, is a correction and not in the pace. Source: emag_offer_history.';

ALTER TABLE {schema}.emag_offer_issues ADD COLUMN sales_lost_a_day numeric;
COMMENT ON COLUMN {schema}.emag_offer_issues.sales_lost_a_day IS
    'Only with `out_of_stock`: what the offer sold a day while it had stock in the 30 days before the publish (as sold_a_day of emag_low_stock, but of the pace before it is rounded) at its sale price, without VAT, in `currency`, rounded to two decimals; null where no pace or no price is known. Source: emag_offer_history.';

-- Days without a publish are told as such -----------------------------------------------------------------------------
ALTER TABLE {schema}.emag_daily_assortment
    ADD COLUMN publishes                  integer,
    ADD COLUMN last_published_at          timestamptz,
    ADD COLUMN is_carried_forward         boolean,
    ADD COLUMN offers_in_other_currencies bigint,
    ALTER COLUMN arrivals DROP NOT NULL;
COMMENT ON COLUMN {schema}.emag_daily_assortment.publishes IS
    'Publishes on that day up to `as_of`; null when the ledger''s rows of the day had been pruned before the day was first computed. Source: emag_offer_syncs.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.last_published_at IS
    'The last publish up to `as_of`, which the figures rest on (UTC); null when the ledger no longer told it. Source: emag_offer_syncs.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.is_carried_forward IS
    'Whether nothing was published on that day, so that the figures are those of an earlier one; null where that is not known. Source: emag_offer_syncs, emag_offer_history.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.offers_in_other_currencies IS
    'Offers whose currency is another than `currency`: their amounts are in no figure; null in rows of older versions. Source: emag_offer_history.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.arrivals IS
    'Offers that are here at `as_of` and were not at the end of the day before; null on the day of the first publish, before which nothing was known. Source: emag_offer_history.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.price_moves IS
    'Offers here at both moments whose sale price differs, in the same currency: price_rises + price_cuts, and prices that came or went. Source: emag_offer_history.';
UPDATE {schema}.emag_daily_assortment d SET arrivals = NULL
FROM (SELECT account_type, min(valid_from) AS at FROM {schema}.emag_offer_history GROUP BY account_type) first
WHERE d.account_type = first.account_type AND d.day = (first.at AT TIME ZONE 'UTC')::date;

-- What a customer pays has two decimals ---------------------------------------------------------------------------------
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
       round(o.sale_price * (1 + v.rate), 2)::numeric(18,4) AS sale_price_with_vat,
       o.unreadable, o.min_sale_price, o.max_sale_price, o.commission, o.supply_lead_time, o.emag_club,
       o.has_smart_deals_badge, o.start_date, o.stock_by_warehouse, o.availability_by_warehouse,
       p.family_type_id, p.rrp_guidelines, p.auto_translated
FROM {schema}.emag_product_offers o
JOIN {schema}.emag_products p USING (account_type, emag_offer_id)
LEFT JOIN {schema}.emag_accounts a USING (account_type)
LEFT JOIN {schema}.emag_categories c ON c.marketplace = a.marketplace AND c.category_id = p.category_id
LEFT JOIN {schema}.emag_vat_rates v ON v.marketplace = a.marketplace AND v.vat_id = o.vat_id
WHERE o.deleted_at IS NULL;
COMMENT ON COLUMN {schema}.emag_current_offers.sale_price_with_vat IS
    'What a customer pays for a piece, with VAT, rounded to two decimals, in `currency`; null when the price or the VAT rate is not known. Source: sale_price and vat_rate.';
