-- Published offers under the rules of 0005: what readers see, and what was published before.

-- Rows of earlier rules. An empty fingerprint says so: the next sync compares their columns of that time, and where they
-- are equal it fills in the younger ones without a new state.
UPDATE {schema}.emag_product_offers
SET row_hash = '',
    part_number_key = nullif(part_number_key, ''),
    part_number = nullif(part_number, ''),
    currency = nullif(upper(btrim(currency, E' \t\n\r\f\v')), ''),
    recommended_price = nullif(recommended_price, 0);
UPDATE {schema}.emag_offer_history
SET part_number_key = nullif(part_number_key, ''),
    part_number = nullif(part_number, ''),
    currency = nullif(upper(btrim(currency, E' \t\n\r\f\v')), ''),
    recommended_price = nullif(recommended_price, 0)
WHERE part_number_key = '' OR part_number = '' OR recommended_price = 0
   OR currency IS DISTINCT FROM nullif(upper(btrim(currency, E' \t\n\r\f\v')), '');

-- raw holds no longer what emag_product_offers holds (its prices were those of the day on which a text last changed),
-- and of contacts only whether there are any.
UPDATE {schema}.emag_products
SET row_hash = '',
    name = nullif(name, ''),
    brand = nullif(brand, ''),
    description = nullif(description, ''),
    url = nullif(url, ''),
    safety_information = nullif(safety_information, ''),
    family_name = nullif(family_name, ''),
    raw = raw - ARRAY['part_number_key', 'part_number', 'status', 'sale_price', 'recommended_price',
                      'best_offer_sale_price', 'best_offer_recommended_price', 'buy_button_rank', 'number_of_offers',
                      'currency', 'general_stock', 'estimated_stock', 'validation_status',
                      'translation_validation_status', 'offer_validation_status', 'handling_time', 'warranty',
                      'vat_id', 'min_sale_price', 'max_sale_price', 'commission', 'supply_lead_time', 'emag_club',
                      'has_smart_deals_badge', 'start_date', 'stock', 'availability']
        || CASE WHEN jsonb_typeof(raw -> 'offer_details') = 'object'
                THEN jsonb_build_object('offer_details', (raw -> 'offer_details') - 'supply_lead_time' - 'emag_club')
                ELSE '{}' END
        || CASE WHEN jsonb_typeof(raw -> 'manufacturer') IN ('array', 'object', 'string')
                THEN jsonb_build_object('manufacturer', coalesce(has_manufacturer, false)) ELSE '{}' END
        || CASE WHEN jsonb_typeof(raw -> 'eu_representative') IN ('array', 'object', 'string')
                THEN jsonb_build_object('eu_representative', coalesce(has_eu_representative, false)) ELSE '{}' END;
-- What the seller had sent of a refused offer is no longer kept (docs/privacy.md).
UPDATE {schema}.emag_products p
SET validation_details = (
    SELECT jsonb_object_agg(field, (
        SELECT jsonb_agg(
            CASE WHEN jsonb_typeof(verdict -> 'errors') = 'object'
                 THEN jsonb_set(verdict, '{errors}', (verdict -> 'errors') - 'seller_input') ELSE verdict END
            ORDER BY place)
        FROM jsonb_array_elements(verdicts) WITH ORDINALITY AS listed (verdict, place)))
    FROM jsonb_each(p.validation_details) AS told (field, verdicts))
WHERE strpos(p.validation_details::text, '"seller_input"') > 0;
COMMENT ON COLUMN {schema}.emag_products.raw IS
    'The offer as read, without what emag_product_offers holds in columns, unless that cannot be read; of manufacturer and eu_representative only whether they are given. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_products.row_hash IS
    'Fingerprint of this row''s columns and of what only `raw` holds; empty: published under earlier rules. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_products.ownership IS
    '1: the seller may change the product''s content; 2: not; null where it is told as true or false, which stands in raw. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_product_offers.row_hash IS
    'Fingerprint of the commercial columns as read; empty: published under earlier rules. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_scan_offers.content_hash IS
    'Fingerprint of the content''s columns and of what only `raw` holds. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_scan_offers.raw IS
    'The offer as read, without what the commercial columns hold. Source: product_offer/read.';

CREATE OR REPLACE FUNCTION {schema}.emag_offers_as_of(account text, at timestamptz)
RETURNS SETOF {schema}.emag_offer_history
LANGUAGE sql STABLE
AS $$
    -- the key comes from `o`, so that a caller's condition on it is applied before the look-ups
    SELECT o.account_type, o.emag_offer_id, h.valid_from, h.valid_to, h.sync_id,
           h.part_number_key, h.part_number, h.status, h.sale_price, h.recommended_price,
           h.best_offer_sale_price, h.best_offer_recommended_price, h.buy_button_rank, h.number_of_offers,
           h.currency, h.general_stock, h.estimated_stock, h.offer_validation_status, h.validation_status,
           h.translation_validation_status, h.is_saleable, h.handling_time, h.warranty, h.vat_id,
           h.unreadable, h.min_sale_price, h.max_sale_price, h.commission, h.supply_lead_time, h.emag_club,
           h.has_smart_deals_badge, h.start_date, h.stock_by_warehouse, h.availability_by_warehouse
    FROM {schema}.emag_product_offers o
    CROSS JOIN LATERAL (
        SELECT * FROM {schema}.emag_offer_history n
        WHERE n.account_type = o.account_type AND n.emag_offer_id = o.emag_offer_id AND n.valid_from <= at
        ORDER BY n.valid_from DESC LIMIT 1
    ) h
    WHERE o.account_type = account AND (h.valid_to IS NULL OR h.valid_to > at)
$$;

-- Why an offer cannot be bought: the one place of that rule in SQL (emag-api.md, section 5) ----------------------------
DROP FUNCTION {schema}.emag_issue_codes(smallint, bigint, smallint, smallint[], smallint[]);
CREATE FUNCTION {schema}.emag_issue_codes(
    status smallint, general_stock bigint, offer_validation_status smallint,
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
COMMENT ON FUNCTION {schema}.emag_issue_codes(smallint, bigint, smallint, smallint[], smallint[], text[]) IS
    'Every reason why an offer in this state cannot be bought, as codes in order; empty exactly when it can be bought.';

-- What readers see: younger columns stand at the end ------------------------------------------------------------------
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
       round(o.sale_price * (1 + v.rate), 4)::numeric(18,4) AS sale_price_with_vat,
       o.unreadable, o.min_sale_price, o.max_sale_price, o.commission, o.supply_lead_time, o.emag_club,
       o.has_smart_deals_badge, o.start_date, o.stock_by_warehouse, o.availability_by_warehouse,
       p.family_type_id, p.rrp_guidelines, p.auto_translated
FROM {schema}.emag_product_offers o
JOIN {schema}.emag_products p USING (account_type, emag_offer_id)
LEFT JOIN {schema}.emag_accounts a USING (account_type)
LEFT JOIN {schema}.emag_categories c ON c.marketplace = a.marketplace AND c.category_id = p.category_id
LEFT JOIN {schema}.emag_vat_rates v ON v.marketplace = a.marketplace AND v.vat_id = o.vat_id
WHERE o.deleted_at IS NULL;

CREATE VIEW {schema}.emag_offer_warehouses AS
SELECT o.account_type, o.emag_offer_id, t.warehouse_id,
       max(t.number) FILTER (WHERE t.told = 'stock') AS stock,
       max(t.number) FILTER (WHERE t.told = 'handling_time') AS handling_time,
       max(t.number) FILTER (WHERE t.told = 'availability') AS availability
FROM {schema}.emag_product_offers o
CROSS JOIN LATERAL (
    -- what does not name its warehouse is that of the only one that is named
    SELECT told, number,
           coalesce(named, CASE WHEN min(named) OVER () = max(named) OVER () THEN min(named) OVER () END) AS warehouse_id
    FROM (
        SELECT told,
               CASE WHEN jsonb_typeof(item -> 'warehouse_id') = 'number' THEN (item ->> 'warehouse_id')::numeric END
                   AS named,
               CASE WHEN jsonb_typeof(item -> 'value') = 'number' THEN (item ->> 'value')::numeric
                    WHEN jsonb_typeof(item -> 'id') = 'number' THEN (item ->> 'id')::numeric END AS number
        FROM (
            SELECT 'stock' AS told, item FROM jsonb_array_elements(o.stock_by_warehouse) item
            UNION ALL
            SELECT 'handling_time', item FROM jsonb_array_elements(o.handling_time) item
            UNION ALL
            SELECT 'availability', item FROM jsonb_array_elements(o.availability_by_warehouse) item
        ) listed
    ) told
) t
WHERE o.deleted_at IS NULL
GROUP BY o.account_type, o.emag_offer_id, t.warehouse_id;
COMMENT ON VIEW {schema}.emag_offer_warehouses IS
    'One row for each warehouse of each offer that the marketplace holds now. Source: emag_product_offers.';
COMMENT ON COLUMN {schema}.emag_offer_warehouses.account_type IS
    'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_offer_warehouses.emag_offer_id IS
    'The seller''s own id of the offer: its key within the account. Source: product_offer/read, id.';
COMMENT ON COLUMN {schema}.emag_offer_warehouses.warehouse_id IS
    'The seller''s warehouse; null where the marketplace names none of the offer. What does not name its warehouse counts to the only one that is named. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_offer_warehouses.stock IS 'Pieces in the warehouse. Source: stock_by_warehouse.';
COMMENT ON COLUMN {schema}.emag_offer_warehouses.handling_time IS
    'Days from the order to the dispatch. Source: handling_time.';
COMMENT ON COLUMN {schema}.emag_offer_warehouses.availability IS
    'The marketplace''s code, which is not documented; 3 was seen with stock, 5 without. Source: availability_by_warehouse.';

-- What the new columns mean, in whatever table they stand
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass::text || '.' || quote_ident(a.attname) AS name, meaning
        FROM (VALUES
            ('unreadable', 'Those of sale_price, currency, general_stock (other than words, which are no number), status and translation_validation_status that the marketplace tells in a form which cannot be read: they show their last good value, and the offer is not saleable. Source: product_offer/read.'),
            ('min_sale_price', 'The lowest sale price that the marketplace accepts for the offer, without VAT, in `currency`. Source: product_offer/read.'),
            ('max_sale_price', 'The highest sale price that the marketplace accepts for the offer, without VAT, in `currency`. Source: product_offer/read.'),
            ('commission', 'The marketplace''s commission as it tells it; null when it does not. Source: product_offer/read.'),
            ('supply_lead_time', 'Days in which the seller is supplied. Source: product_offer/read, offer_details.supply_lead_time.'),
            ('emag_club', 'Whether the offer takes part in the eMAG Club. Source: product_offer/read, offer_details.emag_club.'),
            ('has_smart_deals_badge', 'Whether the offer shows the badge of Smart Deals. Source: product_offer/read.'),
            ('start_date', 'From when the offer can be bought, as the marketplace lists it. Source: product_offer/read.'),
            ('stock_by_warehouse', 'Pieces by warehouse: [{warehouse_id, value}]; an account with one warehouse may not name it. Source: product_offer/read, stock.'),
            ('availability_by_warehouse', 'Availability by warehouse: [{warehouse_id, value}], codes that are not documented; 3 was seen with stock, 5 without. Source: product_offer/read, availability.'),
            ('family_type_id', 'Kind of the family, such as colours or sizes. Source: product_offer/read, family.family_type_id.'),
            ('rrp_guidelines', 'What the marketplace says on setting a recommended price. Source: product_offer/read.'),
            ('auto_translated', 'Whether the marketplace translated the texts itself. Source: product_offer/read.')
        ) words (column_name, meaning)
        JOIN pg_attribute a ON a.attname = column_name AND a.attnum > 0
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = '{schema}'::regnamespace
          AND c.relname IN ('emag_product_offers', 'emag_products', 'emag_offer_history', 'emag_current_offers',
                            'emag_scan_offers')
          AND col_description(a.attrelid, a.attnum) IS NULL
    LOOP
        EXECUTE 'COMMENT ON COLUMN ' || found.name || ' IS ' || quote_literal(found.meaning);
    END LOOP;
END $$;
