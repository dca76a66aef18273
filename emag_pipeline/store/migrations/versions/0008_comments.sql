-- Words of columns that said less than is true, or named a document that only developers have.
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass::text || '.' || quote_ident(a.attname) AS name, meaning
        FROM (VALUES
            ('is_saleable', 'A customer can buy it: stock above 0, status 1, a price above 0 whose verdict (offer_validation_status) is 1, a product that has validation states and each of them a saleable one, so also each state of its translation, if there are any, and no field in `unreadable`. Source: worked out from those columns.',
             ARRAY['emag_product_offers', 'emag_offer_states', 'emag_offer_history', 'emag_current_offers', 'emag_scan_offers', 'emag_buy_button']),
            ('general_stock', 'Pieces in all warehouses together, as the marketplace tells it: also below 0, which sums and paces count as 0; moves with orders; null when it was told as no number. Source: product_offer/read.',
             ARRAY['emag_product_offers', 'emag_offer_states', 'emag_offer_history', 'emag_current_offers', 'emag_scan_offers', 'emag_low_stock']),
            ('stock_held_back', 'Pieces that cannot be sold while it lasts: the stock, 0 where it is below 0 or not known. Several issues hold back the same pieces.',
             ARRAY['emag_offer_issues']),
            ('stock', 'Pieces of all offers, whether or not they can be bought; a stock below 0 counts as 0.',
             ARRAY['emag_daily_assortment']),
            ('price_moves', 'Offers here at both moments whose sale price differs, in the same currency: price_rises + price_cuts, and prices that came or went. An offer without a currency at one of them is not among them. Source: emag_offer_history.',
             ARRAY['emag_daily_assortment']),
            ('ean', 'EAN codes as text, as the marketplace tells them: the check ean_check_digits_are_right finds those that are none; empty without any. Source: product_offer/read.',
             ARRAY['emag_products', 'emag_current_offers', 'emag_scan_offers']),
            ('validation_details', 'The verdicts by field, without what the seller had sent (`seller_input`): {validation_status: [{value, description, errors}], …}. Source: product_offer/read.',
             ARRAY['emag_products', 'emag_current_offers', 'emag_scan_offers']),
            ('content_changed_at', 'The last publish that changed what the product''s page shows, or what stands in no column but `raw` (UTC). Source: emag_products, changed_at.',
             ARRAY['emag_current_offers']),
            ('content_changed', 'Whether what the product''s page shows, or what stands in no column but `raw`, changed too. Source: the publish.',
             ARRAY['emag_scan_changes']),
            ('times', 'Rows that showed it since then; a row counts each time that it comes, so twice where two windows of the listing show it. Source: the pipeline.',
             ARRAY['emag_answer_surprises'])
        ) words (column_name, meaning, tables)
        JOIN pg_attribute a ON a.attname = column_name AND a.attnum > 0
        JOIN pg_class c ON c.oid = a.attrelid AND c.relname = ANY (tables)
        WHERE c.relnamespace = '{schema}'::regnamespace
    LOOP
        EXECUTE 'COMMENT ON COLUMN ' || found.name || ' IS ' || quote_literal(found.meaning);
    END LOOP;
END $$;
COMMENT ON COLUMN {schema}.emag_product_offers.changed_at IS
    'The last publish that changed any column of emag_offer_history, not only prices, stock and status, that made the offer go or come again, or that could represent it again (rejected_at). It is the publish''s stamp, when it began to merge (UTC); emag_current_offers and emag_offer_history tell when readers saw it. Source: emag_publishes.stamp.';
COMMENT ON COLUMN {schema}.emag_current_offers.changed_at IS
    'The last publish that changed any column of emag_offer_history, not only prices, stock and status, that brought the offer back, or that could represent it again (UTC). Source: emag_product_offers.';
COMMENT ON COLUMN {schema}.emag_scan_changes.change IS
    'What the publish did with the offer: `created`, `updated` (also where it can be represented again and is as it was), `revived`, `content`, `deleted`. Source: the publish.';
COMMENT ON TABLE {schema}.emag_daily_assortment IS
    'One row for each day (UTC) of an account, from its first publish on: the assortment at the end of that day. Under `up` and wherever a daemon runs, days are computed by themselves; where only `emag-pipeline sync` is called, those between two calls are missing until `emag-pipeline backfill`. Source: emag_offer_history, by the job refresh_daily_assortment; any past day can be computed again.';
COMMENT ON COLUMN {schema}.emag_accounts.currency IS
    'The marketplace''s currency (ISO 4217); null where the marketplace is not known. Source: the pipeline''s list of marketplaces.';
COMMENT ON COLUMN {schema}.emag_check_results.severity IS
    'ERROR: it refuses a scan, or the copy is not to be relied upon: it is old, not what was read, or its sums lack something. WARN: the copy is right and the catalogue looks wrong, or what would be an ERROR may be so because a mart is older than the publish. Said also where the check passes. Source: the check.';
