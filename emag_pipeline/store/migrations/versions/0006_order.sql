-- The order in which publishes became visible, and their times. A publish of 100,000 changes takes a while; its time is drawn
-- at its very end, in a row of its own. States name their publish by its stamp, so no row of theirs is written for it.

-- Every publish, for ever: a row an hour ------------------------------------------------------------------------------
CREATE TABLE {schema}.emag_publishes (
    account_type   text NOT NULL,
    stamp          timestamptz NOT NULL,
    published_at   timestamptz NOT NULL CHECK (published_at >= stamp),
    publish_number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    sync_id        uuid,
    PRIMARY KEY (account_type, stamp),
    UNIQUE (account_type, published_at)
);
COMMENT ON TABLE {schema}.emag_publishes IS
    'One row for each publish that readers ever saw, kept for ever: its number and its time. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_publishes.account_type IS
    'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_publishes.stamp IS
    'When the publish began to merge (UTC): by it states and offers name their publish. It grows from publish to publish of an account. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_publishes.published_at IS
    'When it became visible: the last thing that it did before its commit (UTC). It grows from publish to publish of all accounts. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_publishes.publish_number IS
    'Grows from publish to publish of all accounts, in the order in which they became visible: whoever has seen a number sees no lower one appear. There may be gaps. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_publishes.sync_id IS
    'The sync that published; null of old publishes of which only the end of states is known. Source: the publish.';

-- Publishes of before: what the ledger knows, and each moment at which a state began or ended. Of two in the same
-- microsecond nobody knows which was first: the ids of their syncs decide, so that every database that is upgraded, and
-- every copy of one, has the same numbers. Two of one account are one publish, that of the lower id.
INSERT INTO {schema}.emag_publishes (account_type, stamp, published_at, sync_id)
SELECT account_type, at, at, told.first_sync
FROM (
    SELECT account_type, at,
           (array_agg(sync_id ORDER BY told_by, sync_id) FILTER (WHERE sync_id IS NOT NULL))[1] AS first_sync
    FROM (
        SELECT account_type, completed_at AS at, sync_id, 1 AS told_by FROM {schema}.emag_offer_syncs
        WHERE status = 'completed' AND completed_at IS NOT NULL
        UNION
        SELECT DISTINCT account_type, valid_from, sync_id, 2 FROM {schema}.emag_offer_history
        UNION
        SELECT DISTINCT account_type, valid_to, CAST(NULL AS uuid), 3 FROM {schema}.emag_offer_history
        WHERE valid_to IS NOT NULL
    ) one
    GROUP BY account_type, at
) told
ORDER BY at, told.first_sync NULLS FIRST, account_type;

ALTER TABLE {schema}.emag_offer_syncs ADD COLUMN publish_number bigint;
UPDATE {schema}.emag_offer_syncs s SET publish_number = p.publish_number
FROM {schema}.emag_publishes p
WHERE s.status = 'completed' AND p.account_type = s.account_type AND p.stamp = s.completed_at AND p.sync_id = s.sync_id;
CREATE UNIQUE INDEX emag_offer_syncs_by_publish
    ON {schema}.emag_offer_syncs (publish_number) WHERE publish_number IS NOT NULL;
COMMENT ON COLUMN {schema}.emag_offer_syncs.publish_number IS
    'Orders all publishes of all accounts as they became visible; null unless it published. Whoever has seen a number sees no lower one appear; there may be gaps. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.completed_at IS
    'When it ended (UTC); of a completed one, the moment at which readers saw it (emag_publishes.published_at). Source: the pipeline.';

-- The states, by the stamps of their publishes; the history tells the times --------------------------------------------
DROP FUNCTION {schema}.emag_offers_as_of(text, timestamptz);
ALTER TABLE {schema}.emag_offer_history RENAME TO emag_offer_states;
ALTER TABLE {schema}.emag_offer_states RENAME COLUMN valid_from TO stamp_from;
ALTER TABLE {schema}.emag_offer_states RENAME COLUMN valid_to TO stamp_to;
ALTER INDEX {schema}.emag_offer_history_pkey RENAME TO emag_offer_states_pkey;
ALTER TABLE {schema}.emag_offer_states
    RENAME CONSTRAINT emag_offer_history_check TO emag_offer_states_check;

CREATE VIEW {schema}.emag_offer_history AS
SELECT s.account_type, s.emag_offer_id, began.published_at AS valid_from, ended.published_at AS valid_to, s.sync_id,
       s.part_number_key, s.part_number, s.status, s.sale_price, s.recommended_price,
       s.best_offer_sale_price, s.best_offer_recommended_price, s.buy_button_rank, s.number_of_offers,
       s.currency, s.general_stock, s.estimated_stock, s.offer_validation_status, s.validation_status,
       s.translation_validation_status, s.is_saleable, s.handling_time, s.warranty, s.vat_id,
       s.unreadable, s.min_sale_price, s.max_sale_price, s.commission, s.supply_lead_time, s.emag_club,
       s.has_smart_deals_badge, s.start_date, s.stock_by_warehouse, s.availability_by_warehouse
FROM {schema}.emag_offer_states s
LEFT JOIN {schema}.emag_publishes began ON began.account_type = s.account_type AND began.stamp = s.stamp_from
LEFT JOIN {schema}.emag_publishes ended ON ended.account_type = s.account_type AND ended.stamp = s.stamp_to;

COMMENT ON VIEW {schema}.emag_offer_history IS
    'One row for each commercial state of an offer, from the publish that first showed it to the publish that ended it. Source: emag_offer_states and emag_publishes.';
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT quote_ident(v.attname) AS name, col_description(t.attrelid, t.attnum) AS meaning
        FROM pg_attribute v
        JOIN pg_attribute t ON t.attrelid = '{schema}.emag_offer_states'::regclass
            AND t.attname = CASE v.attname WHEN 'valid_from' THEN 'stamp_from' WHEN 'valid_to' THEN 'stamp_to'
                                           ELSE v.attname END
        WHERE v.attrelid = '{schema}.emag_offer_history'::regclass
    LOOP
        EXECUTE 'COMMENT ON COLUMN {schema}.emag_offer_history.' || found.name || ' IS ' || quote_literal(found.meaning);
    END LOOP;
END $$;
COMMENT ON COLUMN {schema}.emag_offer_history.valid_from IS
    'When readers first saw the state (UTC). Source: emag_publishes.published_at.';
COMMENT ON COLUMN {schema}.emag_offer_history.valid_to IS
    'When readers saw it no more (UTC); null while it is current. Source: emag_publishes.published_at.';
COMMENT ON TABLE {schema}.emag_offer_states IS
    'What emag_offer_history shows, with the stamps of the publishes for their times: read that one. Source: product_offer/read, kept by the publish.';
COMMENT ON COLUMN {schema}.emag_offer_states.stamp_from IS
    'The publish that first showed it. Source: emag_publishes.stamp.';
COMMENT ON COLUMN {schema}.emag_offer_states.stamp_to IS
    'The publish that ended it; null while it is current. Source: emag_publishes.stamp.';
DO $$
DECLARE found record;
BEGIN
    -- what the comment said, and which of its moments it is
    FOR found IN
        SELECT a.attrelid::regclass AS of, quote_ident(a.attname) AS name,
               regexp_replace(col_description(a.attrelid, a.attnum), ' Source: .*$', '') AS meaning
        FROM (VALUES ('emag_product_offers', 'first_seen_at'), ('emag_product_offers', 'changed_at'),
                     ('emag_product_offers', 'deleted_at'), ('emag_product_offers', 'rejected_at'),
                     ('emag_products', 'changed_at')) told (of_table, of_column)
        JOIN pg_attribute a ON a.attrelid = ('{schema}.' || of_table)::regclass AND a.attname = of_column
    LOOP
        EXECUTE 'COMMENT ON COLUMN ' || found.of || '.' || found.name || ' IS ' || quote_literal(found.meaning
            || ' It is the publish''s stamp, when it began to merge; emag_current_offers and emag_offer_history tell when readers saw it. Source: emag_publishes.stamp.');
    END LOOP;
END $$;

-- What readers of offers are told of times ------------------------------------------------------------------------------
CREATE OR REPLACE VIEW {schema}.emag_current_offers AS
SELECT o.account_type, o.emag_offer_id, o.part_number_key, o.part_number, p.name, p.brand, p.category_id,
       o.status, o.is_saleable, o.sale_price, o.recommended_price, o.best_offer_sale_price,
       o.best_offer_recommended_price, o.buy_button_rank, o.number_of_offers, o.currency,
       o.general_stock, o.estimated_stock, o.offer_validation_status, o.validation_status,
       o.translation_validation_status, o.handling_time, o.warranty, o.vat_id,
       p.description, p.url, p.ean, p.images, p.characteristics, p.family_id, p.family_name,
       p.vendor_category_id, p.ownership, p.genius_eligibility, p.genius_eligibility_type, p.genius_computed,
       p.safety_information, p.has_manufacturer, p.has_eu_representative, p.validation_details, p.doc_errors,
       coalesce(first.published_at, o.first_seen_at) AS first_seen_at, coalesce(last.published_at, o.changed_at) AS changed_at,
       coalesce(content.published_at, p.changed_at) AS content_changed_at,
       coalesce(rejected.published_at, o.rejected_at) AS rejected_at, o.last_sync_id,
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
-- the times at which readers saw it
LEFT JOIN {schema}.emag_publishes first ON first.account_type = o.account_type AND first.stamp = o.first_seen_at
LEFT JOIN {schema}.emag_publishes last ON last.account_type = o.account_type AND last.stamp = o.changed_at
LEFT JOIN {schema}.emag_publishes content ON content.account_type = p.account_type AND content.stamp = p.changed_at
LEFT JOIN {schema}.emag_publishes rejected ON rejected.account_type = o.account_type AND rejected.stamp = o.rejected_at
WHERE o.deleted_at IS NULL;

-- The past -----------------------------------------------------------------------------------------------------------
CREATE FUNCTION {schema}.emag_known_since(account text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT min(p.published_at) FROM {schema}.emag_publishes p WHERE p.account_type = account $$;
COMMENT ON FUNCTION {schema}.emag_known_since(text) IS
    'The account''s first publish: the first moment of which its offers are known. Null for an account that was never published.';

-- Where the clock was set back, what is published lies ahead of it.
CREATE FUNCTION {schema}.emag_known_until(account text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN max(p.published_at) IS NOT NULL THEN greatest(max(p.published_at), clock_timestamp()) END
    FROM {schema}.emag_publishes p WHERE p.account_type = account
$$;
COMMENT ON FUNCTION {schema}.emag_known_until(text) IS
    'The last moment of which an account''s offers are known: now, or its newest publish where that lies ahead of the clock. Null for an account that was never published.';

CREATE FUNCTION {schema}.emag_offers_as_of_if_known(account text, at timestamptz)
RETURNS SETOF {schema}.emag_offer_history
LANGUAGE sql STABLE
AS $$
    -- the key comes from `o`, so that a caller's condition on it is applied before the look-ups
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
    WHERE o.account_type = account AND (h.stamp_to IS NULL OR h.stamp_to > shown.stamp)
$$;
COMMENT ON FUNCTION {schema}.emag_offers_as_of_if_known(text, timestamptz) IS
    'As emag_offers_as_of, for what asks about moments of which nothing may be known: it answers with no rows then, be it before the account''s first publish, of an unknown account, or of a moment that is yet to come.';

-- It gives the account itself: so it stands in the conditions that every plan must evaluate to find any offer. A condition
-- of its own is dropped where others can never hold (an account that is null), and in the nullable half of a LEFT JOIN
-- it is asked of rows that were found only, so that nothing is found, and nothing said.
CREATE FUNCTION {schema}.emag_require_known(account text, at timestamptz)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
AS $$
DECLARE
    first_at timestamptz;
    until timestamptz;
    accounts text;
    asked text;
    form constant text := 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"';
BEGIN
    -- the usual case by one look into an index: a plan may ask anew for each row of what it joins
    IF at <= clock_timestamp() AND EXISTS (
        SELECT FROM {schema}.emag_publishes p WHERE p.account_type = account AND p.published_at <= at) THEN
        RETURN account;
    END IF;
    first_at := {schema}.emag_known_since(account);
    until := {schema}.emag_known_until(account);
    asked := CASE WHEN isfinite(at) THEN to_char(at AT TIME ZONE 'UTC', form) ELSE CAST(at AS text) END;
    IF first_at IS NULL THEN
        SELECT string_agg(known.account_type, ', ' ORDER BY known.account_type) INTO accounts
        FROM (SELECT DISTINCT p.account_type FROM {schema}.emag_publishes p) known;
        RAISE EXCEPTION USING ERRCODE = 'EM001',
            MESSAGE = coalesce('the account ' || quote_literal(account) || ' was never published, so nothing is known of its past',
                               'no account is given'),
            HINT = coalesce('Ask for one of: ' || accounts, 'Publish it first: emag-pipeline sync');
    END IF;
    IF at IS NULL OR at > until THEN
        RAISE EXCEPTION USING ERRCODE = 'EM001',
            MESSAGE = coalesce(asked || ' is yet to come', 'no moment is given')
                || ': it is ' || to_char(until AT TIME ZONE 'UTC', form) || ' now',
            HINT = 'Ask for a past moment';
    END IF;
    IF at < first_at THEN
        RAISE EXCEPTION USING ERRCODE = 'EM001',
            MESSAGE = 'nothing is known of the account ' || account || ' at ' || asked
                || ': it was first published at ' || to_char(first_at AT TIME ZONE 'UTC', form),
            HINT = 'Ask for that moment or a later one';
    END IF;
    RETURN account;
END
$$;
COMMENT ON FUNCTION {schema}.emag_require_known(text, timestamptz) IS
    'The account, where its offers at that moment are known; else an error (SQLSTATE EM001) that says what is: the first known moment, the accounts, or what time it is.';

CREATE FUNCTION {schema}.emag_offers_as_of(account text, at timestamptz)
RETURNS SETOF {schema}.emag_offer_history
LANGUAGE sql STABLE
AS $$
    SELECT * FROM {schema}.emag_offers_as_of_if_known({schema}.emag_require_known(account, at), at)
$$;
COMMENT ON FUNCTION {schema}.emag_offers_as_of(text, timestamptz) IS
    'The offers of an account as readers saw them at a past moment. An error (SQLSTATE EM001) where that is not known: before the account''s first publish, of an unknown account or of none (null), of a moment that is yet to come.';
