-- Names in functions are bound when the function is made, not when it is called: a reader's search path, or one that
-- holds an object named like PostgreSQL's own, changes nothing, and the functions of a schema that is renamed still read
-- its own tables.
--
-- SQL functions get a parsed body (BEGIN ATOMIC, PostgreSQL 14): `SET search_path` on them would end inlining, and with it
-- the use of indexes for a caller's conditions (emag_offers_as_of). PostgreSQL records what such a body reads, therefore:
--   - a table or column that a function reads is not dropped, nor a column's type changed, before the function is dropped
--     or replaced; renaming is followed;
--   - `SELECT *` in a body means the columns of today: whoever adds one to a view that a function returns
--     (emag_offer_history, emag_current_offers) replaces its functions in the same migration;
--   - comments within a body are not kept, so they are above the function.
-- The statements are those of 0006 and 0008, unchanged.

CREATE OR REPLACE FUNCTION {schema}.emag_ean_keys(codes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ARRAY(SELECT left(code, 100) FROM unnest(codes) code);
END;

CREATE OR REPLACE FUNCTION {schema}.emag_in_currency(currency text, account_currency text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(currency, account_currency) IS NOT DISTINCT FROM account_currency;
END;

CREATE OR REPLACE FUNCTION {schema}.emag_usual_currency(currencies text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT mode() WITHIN GROUP (ORDER BY currency) FROM unnest(currencies) currency;
END;

CREATE OR REPLACE FUNCTION {schema}.emag_issue_codes(
    status smallint, general_stock bigint, sale_price numeric, offer_validation_status smallint,
    validation_status smallint[], translation_validation_status smallint[], unreadable text[] DEFAULT '{}'
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
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
    WHERE code IS NOT NULL;
END;

-- At most 63 bytes; no two accounts share a name, and no partition that of another one's index.
CREATE OR REPLACE FUNCTION {schema}.emag_room_name(table_name text, account text)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT table_name || '_' || left(regexp_replace(account, '[^a-z0-9_]', '_', 'g'), 30)
           || '_' || left(encode(sha256(convert_to(account, 'UTF8')), 'hex'), 8);
END;

CREATE OR REPLACE FUNCTION {schema}.emag_known_since(account text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT min(p.published_at) FROM {schema}.emag_publishes p WHERE p.account_type = account;
END;

CREATE OR REPLACE FUNCTION {schema}.emag_known_until(account text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE WHEN max(p.published_at) IS NOT NULL THEN greatest(max(p.published_at), clock_timestamp()) END
    FROM {schema}.emag_publishes p WHERE p.account_type = account;
END;

-- The key comes from `o`, so that a caller's condition on it is applied before the look-ups.
CREATE OR REPLACE FUNCTION {schema}.emag_offers_as_of_if_known(account text, at timestamptz)
RETURNS SETOF {schema}.emag_offer_history
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT o.account_type, o.emag_offer_id, began.published_at, ended.published_at, h.sync_id,
           h.part_number_key, h.part_number, h.status, h.sale_price, h.recommended_price,
           h.best_offer_sale_price, h.best_offer_recommended_price, h.buy_button_rank, h.number_of_offers,
           h.currency, h.general_stock, h.estimated_stock, h.offer_validation_status, h.validation_status,
           h.translation_validation_status, h.is_saleable, h.handling_time, h.warranty, h.vat_id,
           h.unreadable, h.min_sale_price, h.max_sale_price, h.commission, h.supply_lead_time, h.emag_club,
           h.has_smart_deals_badge, h.start_date, h.stock_by_warehouse, h.availability_by_warehouse
    FROM (
        SELECT p.stamp FROM {schema}.emag_publishes p
        WHERE p.account_type = account AND p.published_at <= at AND at <= {schema}.emag_known_until(account)
        ORDER BY p.published_at DESC LIMIT 1
    ) shown
    CROSS JOIN {schema}.emag_product_offers o
    CROSS JOIN LATERAL (
        SELECT * FROM {schema}.emag_offer_states n
        WHERE n.account_type = o.account_type AND n.emag_offer_id = o.emag_offer_id AND n.stamp_from <= shown.stamp
        ORDER BY n.stamp_from DESC LIMIT 1
    ) h
    LEFT JOIN {schema}.emag_publishes began ON began.account_type = account AND began.stamp = h.stamp_from
    LEFT JOIN {schema}.emag_publishes ended ON ended.account_type = account AND ended.stamp = h.stamp_to
    WHERE o.account_type = account AND (h.stamp_to IS NULL OR h.stamp_to > shown.stamp);
END;

CREATE OR REPLACE FUNCTION {schema}.emag_offers_as_of(account text, at timestamptz)
RETURNS SETOF {schema}.emag_offer_history
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM {schema}.emag_offers_as_of_if_known({schema}.emag_require_known(account, at), at);
END;

CREATE OR REPLACE FUNCTION {schema}.emag_vat_rates_as_of(account text, at timestamptz)
RETURNS TABLE (vat_id bigint, vat_rate numeric)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT DISTINCT ON (h.vat_id) h.vat_id, h.rate
    FROM {schema}.emag_accounts a
    JOIN {schema}.emag_vat_rate_history h ON h.marketplace = a.marketplace
    WHERE a.account_type = account AND at <= greatest(clock_timestamp(), {schema}.emag_known_until(account))
    ORDER BY h.vat_id, h.valid_from <= at DESC, CASE WHEN h.valid_from <= at THEN h.valid_from END DESC, h.valid_from;
END;

CREATE OR REPLACE FUNCTION {schema}.emag_offers_by_ean(code text) RETURNS SETOF {schema}.emag_current_offers
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM {schema}.emag_current_offers o
    WHERE {schema}.emag_ean_keys(o.ean) @> ARRAY[left(code, 100)] AND o.ean @> ARRAY[code];
END;

-- Numeric, because the difference of two extreme stocks does not fit a bigint. A stock below 0 counts as 0: no more than
-- the stock can be sold. A state is compared with the one before only if they are adjacent and both have a stock. One
-- pass from states to offers, without a join: their number is not known beforehand. Of an even number of falls the lower
-- middle one is the usual one.
CREATE OR REPLACE FUNCTION {schema}.emag_sales_pace(account text, offers bigint[], since timestamptz, until timestamptz)
RETURNS TABLE (emag_offer_id bigint, sold numeric, days numeric, has_jumps boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
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
    WHERE f.usual IS NOT NULL;
END;

-- PL/pgSQL parses its statements at each first call: a path of their own. They name the schema in full.
ALTER FUNCTION {schema}.emag_account_currency(text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION {schema}.emag_plain_text(text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION {schema}.emag_reason_texts(jsonb, text, integer) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION {schema}.emag_refusal_said(text, jsonb, jsonb, text) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION {schema}.emag_require_known(text, timestamptz) SET search_path = pg_catalog, pg_temp;
