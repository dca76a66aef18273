-- Every table and column says what it means, in what unit, and where it comes from: docs/data-dictionary.md is made of
-- these words. Sources by name, such as product_offer/read, are resources of the marketplace's API.

-- What one row is --------------------------------------------------------------------------------------------------------
COMMENT ON VIEW {schema}.emag_current_offers IS
    'One row for each offer that the marketplace holds now: both parts joined, with category and VAT where they are known. Source: emag_product_offers, emag_products, emag_categories, emag_vat_rates.';
COMMENT ON TABLE {schema}.emag_product_offers IS
    'One row for each offer that was ever published, as it is now, the part that moves: prices, stock, status. Offers that are gone stay, with a tombstone. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_products IS
    'One row for each offer that was ever published, as it is now, the part that rarely moves: texts, pictures, characteristics. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_offer_history IS
    'One row for each commercial state of an offer, from the publish that first showed it to the publish that ended it. Source: product_offer/read, kept by the publish; never pruned.';
COMMENT ON TABLE {schema}.emag_offer_issues IS
    'One row for each reason why an existing offer cannot be bought, in words, with the remedy, as of the newest publish. Source: emag_product_offers and emag_offer_history, by the job refresh_marts.';
COMMENT ON TABLE {schema}.emag_buy_button IS
    'One row for each existing offer that has a rank: who has the buy button, by how much an own offer misses it, what has changed within 24 hours. Source: emag_product_offers, emag_offer_history, emag_vat_rates, by the job refresh_marts.';
COMMENT ON TABLE {schema}.emag_low_stock IS
    'One row for each existing offer whose stock lasts 30 days at most at the sales pace of the last 30 days, or which has sold out within them. Source: emag_product_offers and emag_offer_history, by the job refresh_marts.';
COMMENT ON TABLE {schema}.emag_daily_assortment IS
    'One row for each day (UTC) of an account, from its first publish on: the assortment at the end of that day. Source: emag_offer_history, by the job refresh_daily_assortment; any past day can be computed again.';
COMMENT ON TABLE {schema}.emag_mart_refreshes IS
    'One row for each mart of an account: which publish it shows, and what its last refresh did. Source: the marts'' refreshes.';
COMMENT ON TABLE {schema}.emag_accepted_deviations IS
    'One row for each finding of a check that is known and accepted until a day: it is shown, and does not fail the check. Source: `emag-pipeline accept`.';
COMMENT ON TABLE {schema}.emag_accounts IS
    'One row for each account: the marketplace that it sells on. Source: the settings.';
COMMENT ON TABLE {schema}.emag_categories IS
    'One row for each category that a marketplace has or had. Source: category/read, once a day by the job refresh_reference.';
COMMENT ON TABLE {schema}.emag_vat_rates IS
    'One row for each VAT rate that a marketplace has or had. Source: vat/read, once a day by the job refresh_reference.';
COMMENT ON TABLE {schema}.emag_handling_times IS
    'One row for each handling time that a marketplace allows or allowed. Source: handling_time/read, once a day by the job refresh_reference.';
COMMENT ON TABLE {schema}.emag_reference_reads IS
    'One row for each kind of reference data of a marketplace: when it was last read to its end. Source: refresh_reference.';
COMMENT ON TABLE {schema}.emag_offer_syncs IS
    'The ledger: one row for each sync, which is all attempts to bring an account up to date once. Source: the pipeline.';
COMMENT ON TABLE {schema}.emag_account_figures IS
    'One row for each account: how many offers it had after its last publish. Source: emag_product_offers, counted by the publish.';
COMMENT ON TABLE {schema}.emag_offer_rejects IS
    'Quarantine: one row for each row of the marketplace that cannot be represented, with the reason in words. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_incidents IS
    'One row for each thing that is or was wrong, until it was well again: one open row a subject and kind, so that each is told once. Source: monitoring.';
COMMENT ON TABLE {schema}.emag_scan_pages IS
    'Staging: one row for each page that is durable. Emptied by a crash of the server, and then read again. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_offers IS
    'Staging: one row for each offer of a page, durable and not yet visible; page 0 holds offers that were read by their id. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_confirmations IS
    'Staging: one row for each offer that the pages did not show: what a read by its id said. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_changes IS
    'Staging: one row for each offer that the publish changed, kept until the account''s next sync. Source: the publish.';
COMMENT ON TABLE {schema}.emag_requests IS
    'One row for each call to the marketplace, kept 30 days; bodies only of failures, redacted. Source: the client.';
COMMENT ON TABLE {schema}.emag_rate_budget IS
    'One row for each account: when it may be called next, for all processes together. Source: the pipeline.';
COMMENT ON TABLE {schema}.emag_counters IS
    'One row for each counter and its labels; it only grows, and survives restarts and retention. Source: the pipeline.';
COMMENT ON TABLE {schema}.emag_sensor_ticks IS
    'One row for each sensor: when it last finished an evaluation; a daemon that is dead falls silent here. Source: the sensors.';

-- What the marketplace tells of an offer, in whatever table it stands ---------------------------------------------------
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass::text || '.' || quote_ident(a.attname) AS name, meaning
        FROM (VALUES
            ('account_type', 'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.'),
            ('emag_offer_id', 'The seller''s own id of the offer: its key within the account. Source: product_offer/read, id.'),
            ('part_number_key', 'The marketplace''s key of the product, last part of its page''s address, e.g. `D5DD9BBBM`; null until the product is accepted. Source: product_offer/read.'),
            ('part_number', 'The manufacturer''s or the seller''s number of the product. Source: product_offer/read.'),
            ('status', '0 inactive, 1 active, 2 end of life; the marketplace may set it too. Source: product_offer/read.'),
            ('sale_price', 'What the seller asks for a piece, without VAT, in `currency`; null when none was told. Source: product_offer/read.'),
            ('recommended_price', 'The price before a discount, without VAT, in `currency`; null when there is none. Source: product_offer/read.'),
            ('best_offer_sale_price', 'The best offer''s price of the same product, whoever sells it, without VAT, in `currency`. Source: product_offer/read.'),
            ('best_offer_recommended_price', 'The best offer''s price before a discount, without VAT, in `currency`. Source: product_offer/read.'),
            ('buy_button_rank', 'Place in the race for the add-to-cart button: 1 has it; null when none was told. Source: product_offer/read.'),
            ('number_of_offers', 'Sellers with an active offer of the product, this one included. Source: product_offer/read.'),
            ('currency', 'Currency of the prices as the marketplace names it (ISO 4217), e.g. `RON`. Source: product_offer/read.'),
            ('general_stock', 'Pieces in all warehouses together; moves with orders; null when it was told as no number. Source: product_offer/read.'),
            ('estimated_stock', 'Pieces in stock less those that orders not yet acknowledged reserve. Source: product_offer/read.'),
            ('offer_validation_status', 'The marketplace''s verdict on the price: 1 valid, 2 invalid until checked by hand; of several the worst. Source: product_offer/read.'),
            ('validation_status', 'Codes of the marketplace''s verdicts on the product; 3, 9, 11 and 12 may be sold. Source: product_offer/read, the codes alone.'),
            ('translation_validation_status', 'Codes of the verdicts on the translated product; 3, 9, 11, 12 and 17 may be sold; empty when it is not translated. Source: product_offer/read, the codes alone.'),
            ('is_saleable', 'A customer can buy it: stock above 0, status 1, price valid, product (and translation, if any) in a saleable validation state. Source: worked out from those columns.'),
            ('handling_time', 'Days from the order to the dispatch, by warehouse: [{warehouse_id, value}]. Source: product_offer/read.'),
            ('warranty', 'Warranty in months. Source: product_offer/read.'),
            ('vat_id', 'VAT rate that applies, as in emag_vat_rates of the same marketplace. Source: product_offer/read.'),
            ('name', 'The product''s name. Source: product_offer/read.'),
            ('brand', 'The product''s brand. Source: product_offer/read.'),
            ('description', 'The product''s description; holds HTML. Source: product_offer/read.'),
            ('url', 'Address of the product''s page. Source: product_offer/read.'),
            ('safety_information', 'Product-safety notes. Source: product_offer/read.'),
            ('family_id', 'Family that joins variants of a product, such as its colours; null without one. Source: product_offer/read, family.id.'),
            ('family_name', 'Name of the family. Source: product_offer/read, family.name.'),
            ('category_id', 'The marketplace''s category, as in emag_categories of the same marketplace. Source: product_offer/read.'),
            ('vendor_category_id', 'The seller''s own category. Source: product_offer/read.'),
            ('ownership', '1: the seller may change the product''s content; 2: not. Source: product_offer/read.'),
            ('genius_eligibility', 'Whether the offer may take part in the Genius programme: 0 no, 1 yes. Source: product_offer/read.'),
            ('genius_eligibility_type', 'Kind of Genius that it may take part in: 1 full, 2 EasyBox, 3 HD. Source: product_offer/read.'),
            ('genius_computed', 'Kind of Genius that it has: 0 none, 1 full, 2 EasyBox, 3 HD. Source: product_offer/read.'),
            ('ean', 'EAN codes of 6 to 14 digits as text; empty without any. Source: product_offer/read.'),
            ('images', 'Pictures in order: [{url, display_type}] with display_type 1 main, 2 secondary, 0 other. Source: product_offer/read.'),
            ('characteristics', 'Characteristics: [{id, value}], ids of the category''s characteristics. Source: product_offer/read.'),
            ('validation_details', 'The verdicts in full, by field: {validation_status: [{value, description, errors}], …}. Source: product_offer/read.'),
            ('doc_errors', 'Why the documentation was refused, as the marketplace says it; null when it was not. Source: product_offer/read.'),
            ('has_manufacturer', 'Whether a manufacturer is given. Source: product_offer/read, manufacturer.'),
            ('has_eu_representative', 'Whether a representative in the EU is given; name and address are told only for one offer by id. Source: product_offer/read, eu_representative.'),
            ('first_seen_at', 'The first publish that showed the offer (UTC). Source: the publish.'),
            ('changed_at', 'The last publish that changed this row (UTC). Source: the publish.'),
            ('last_sync_id', 'The sync that last changed the offer, as in emag_offer_syncs. Source: the publish.'),
            ('rejected_at', 'Since when the marketplace shows a version that cannot be represented; this is the last good one (UTC). Source: the publish.')
        ) words (column_name, meaning)
        JOIN pg_attribute a ON a.attname = column_name AND a.attnum > 0
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = '{schema}'::regnamespace
          AND c.relname IN ('emag_product_offers', 'emag_products', 'emag_offer_history', 'emag_current_offers',
                            'emag_scan_offers', 'emag_offer_issues', 'emag_buy_button', 'emag_low_stock')
          AND col_description(a.attrelid, a.attnum) IS NULL
    LOOP
        EXECUTE 'COMMENT ON COLUMN ' || found.name || ' IS ' || quote_literal(found.meaning);
    END LOOP;
END $$;

-- Offers and history ----------------------------------------------------------------------------------------------------
COMMENT ON COLUMN {schema}.emag_products.row_hash IS
    'Fingerprint of this row''s columns without `raw`, and of fields that this version does not know. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_history.valid_from IS
    'The publish that first showed this state (UTC): the state holds from this instant on. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_offer_history.valid_to IS
    'The publish that ended this state (UTC), at which it no longer holds; null while it is current. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_offer_history.sync_id IS
    'The sync whose publish first showed this state, as in emag_offer_syncs. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_current_offers.changed_at IS
    'The last publish that changed prices, stock, status or rank (UTC). Source: emag_product_offers.';
COMMENT ON COLUMN {schema}.emag_current_offers.content_changed_at IS
    'The last publish that changed texts, pictures or characteristics (UTC). Source: emag_products, changed_at.';
COMMENT ON COLUMN {schema}.emag_current_offers.marketplace IS
    'Where the account sells, e.g. `emag_ro`; null until that is noted. Source: emag_accounts.';
COMMENT ON COLUMN {schema}.emag_current_offers.sale_price_with_vat IS
    'What a customer pays for a piece, with VAT, in `currency`; null when the price or the VAT rate is not known. Source: sale_price and vat_rate.';

-- Marts -------------------------------------------------------------------------------------------------------------------
COMMENT ON COLUMN {schema}.emag_buy_button.has_buy_button IS
    'Whether the offer has the add-to-cart button: rank 1. Source: buy_button_rank.';
COMMENT ON COLUMN {schema}.emag_buy_button.sale_price_with_vat IS
    'The own price with VAT, in `currency`; null when the VAT rate is not known. Source: sale_price and vat_rate.';
COMMENT ON COLUMN {schema}.emag_buy_button.best_price_with_vat IS
    'The best offer''s price with VAT, in `currency`; null when the VAT rate is not known. Source: best_offer_sale_price and vat_rate.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.day IS 'The day, from midnight to midnight UTC.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.account_type IS
    'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.offers IS
    'Offers that exist at `as_of`, whether or not they can be bought. Source: emag_offer_history.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.saleable_offers IS
    'Those of them that a customer can buy. Source: emag_offer_history, is_saleable.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.currency IS
    'The currency of most offers (ISO 4217), which an offer without one is taken to be in; amounts in another one are in no figure.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.price_rises IS
    'Offers here at both moments whose sale price is higher than at the end of the day before.';
COMMENT ON COLUMN {schema}.emag_daily_assortment.price_cuts IS
    'Offers here at both moments whose sale price is lower than at the end of the day before.';
COMMENT ON COLUMN {schema}.emag_mart_refreshes.account_type IS 'The account whose mart it is. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_mart_refreshes.refreshed_at IS 'When the mart was last refreshed (UTC). Source: the mart''s refresh.';
COMMENT ON COLUMN {schema}.emag_mart_refreshes.rows IS 'Rows that the account had in the mart after it. Source: the mart''s refresh.';

-- Reference data ----------------------------------------------------------------------------------------------------------
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass::text || '.' || quote_ident(a.attname) AS name, meaning
        FROM (VALUES
            ('marketplace', 'The marketplace that it holds for, e.g. `emag_ro`; `sandbox` for the sandbox. Source: the address of its API.'),
            ('raw', 'The row as read. Source: the table''s own resource.'),
            ('changed_at', 'The last reading that changed this row (UTC). Source: refresh_reference.'),
            ('deleted_at', 'The first complete reading that no longer showed it (UTC); null while it exists. Source: refresh_reference.')
        ) words (column_name, meaning)
        JOIN pg_attribute a ON a.attname = column_name AND a.attnum > 0
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = '{schema}'::regnamespace
          AND c.relname IN ('emag_categories', 'emag_vat_rates', 'emag_handling_times', 'emag_reference_reads')
          AND col_description(a.attrelid, a.attnum) IS NULL
    LOOP
        EXECUTE 'COMMENT ON COLUMN ' || found.name || ' IS ' || quote_literal(found.meaning);
    END LOOP;
END $$;
COMMENT ON COLUMN {schema}.emag_categories.category_id IS 'The marketplace''s id of the category. Source: category/read, id.';
COMMENT ON COLUMN {schema}.emag_categories.name IS 'Its name in the marketplace''s own language. Source: category/read.';
COMMENT ON COLUMN {schema}.emag_categories.names IS
    'Its name by language, e.g. {"ro": …, "en": …}. Source: category/read, asked in each of them.';
COMMENT ON COLUMN {schema}.emag_categories.parent_id IS
    'The category above it, as category_id; null at the top. Source: category/read.';
COMMENT ON COLUMN {schema}.emag_categories.is_allowed IS
    'Whether the seller may offer goods in it. Source: category/read.';
COMMENT ON COLUMN {schema}.emag_categories.is_ean_mandatory IS
    'Whether its products must have an EAN. Source: category/read.';
COMMENT ON COLUMN {schema}.emag_categories.is_warranty_mandatory IS
    'Whether its products must have a warranty. Source: category/read.';
COMMENT ON COLUMN {schema}.emag_vat_rates.vat_id IS 'The marketplace''s id of the rate. Source: vat/read.';
COMMENT ON COLUMN {schema}.emag_vat_rates.rate IS
    'The rate as a share of 1: 0.21 is 21 percent. Source: vat/read.';
COMMENT ON COLUMN {schema}.emag_handling_times.days IS 'Days from the order to the dispatch. Source: handling_time/read.';
COMMENT ON COLUMN {schema}.emag_reference_reads.resource IS
    'What was read: `categories`, `vat_rates` or `handling_times`. Source: refresh_reference.';
COMMENT ON COLUMN {schema}.emag_reference_reads.read_at IS 'When it was last read to its end (UTC). Source: refresh_reference.';
COMMENT ON COLUMN {schema}.emag_reference_reads.rows IS 'Rows that exist since then. Source: refresh_reference.';
COMMENT ON COLUMN {schema}.emag_reference_reads.account_type IS 'The account whose login was used. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_accounts.account_type IS
    'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_accounts.noted_at IS 'When this was last written down (UTC). Source: the pipeline.';

-- The ledger ----------------------------------------------------------------------------------------------------------------
COMMENT ON COLUMN {schema}.emag_offer_syncs.sync_id IS 'Names the sync in every table and log line. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.account_type IS 'The account that was brought up to date. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.operation_type IS 'Always `full`: all offers are read. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.status IS
    '`running`; or how it ended: `completed` (published), `failed`, `timeout`, `cancelled`. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.phase IS
    'What it does or last did: `planning`, `scanning`, `confirming`, `auditing`, `publishing`. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.attempt IS
    'Number of its latest attempt, from 1: an interrupted sync is resumed by the next run. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.dagster_run_id IS 'The Dagster run of the latest attempt. Source: Dagster.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.started_at IS 'When its first attempt began (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.attempt_started_at IS 'When its latest attempt began (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.completed_at IS
    'When it ended (UTC); of a completed one, the moment of its publish. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.pages_expected IS 'Pages that the marketplace reports. Source: product_offer/count.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.pages_done IS 'Pages that are durable in the current round. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.offers_expected IS 'Offers that the marketplace reports. Source: product_offer/count.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.total_offers_processed IS
    'Rows read from pages in the current round, rejected ones included. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.offers_created IS 'Offers that its publish showed for the first time. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.offers_updated IS
    'Offers that its publish changed or that came back. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.offers_unchanged IS 'Offers that it read and found as they were. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.offers_deleted IS 'Offers that were confirmed as gone. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.offers_rejected IS
    'Rows that could not be represented and went to quarantine. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.error_class IS
    'Why it did not publish, as one name, e.g. `ApiUnavailable`: docs/runbook.md explains each. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.error_message IS 'What happened and why, in a sentence. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.error_remedy IS 'What to do about it, in a sentence. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.approved_at IS
    'When a person accepted what the audit had refused (UTC). Source: `emag-pipeline approve`.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.approved_by IS 'Who accepted it. Source: `emag-pipeline approve`.';
COMMENT ON COLUMN {schema}.emag_account_figures.account_type IS 'The account that was counted. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_account_figures.saleable IS 'Existing offers that a customer can buy.';
COMMENT ON COLUMN {schema}.emag_account_figures.deleted IS 'Offers that are gone: rows with a tombstone.';
COMMENT ON COLUMN {schema}.emag_account_figures.counted_at IS 'The publish that counted them (UTC).';

-- Quarantine and what is wrong ------------------------------------------------------------------------------------------------
COMMENT ON COLUMN {schema}.emag_offer_rejects.reject_id IS 'Number of the reject, in the order of arrival. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.account_type IS 'The account whose scan showed the row. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.sync_id IS 'The sync that read it, as in emag_offer_syncs. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.round IS 'The round of reading, as in emag_offer_syncs. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.page IS 'The page that showed it; 0 for a read by its id. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.emag_offer_id IS
    'The offer that it is about; null when the row has no id that can be read. Source: product_offer/read, id.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.reason IS 'Why it cannot be represented, in words. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.rejected_at IS 'When it went to quarantine (UTC). Source: the scan.';
COMMENT ON COLUMN {schema}.emag_incidents.incident_id IS 'Number of the incident. Source: monitoring.';
COMMENT ON COLUMN {schema}.emag_incidents.kind IS
    '`failing` (runs fail), `refused` (an audit waits for a person), `stale`, `stuck`, `silent`. Source: monitoring.';
COMMENT ON COLUMN {schema}.emag_incidents.error_class IS 'Name of the error behind it, if there is one. Source: monitoring.';
COMMENT ON COLUMN {schema}.emag_incidents.remedy IS 'What to do about it, in a sentence. Source: monitoring.';
COMMENT ON COLUMN {schema}.emag_incidents.dagster_run_id IS 'The Dagster run that it was seen on, if any. Source: Dagster.';
COMMENT ON COLUMN {schema}.emag_incidents.opened_at IS 'Since when it is wrong (UTC). Source: monitoring.';
COMMENT ON COLUMN {schema}.emag_incidents.closed_at IS 'When it was well again (UTC); null while it is open. Source: monitoring.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.deviation_id IS 'Number of the deviation, as `emag-pipeline deviations` shows it. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.account_type IS 'The account that it holds for. Source: `emag-pipeline accept`.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.accepted_by IS 'Who accepted it. Source: `emag-pipeline accept`.';
COMMENT ON COLUMN {schema}.emag_accepted_deviations.accepted_at IS 'When it was accepted (UTC). Source: `emag-pipeline accept`.';

-- Machinery: nothing here is for readers ------------------------------------------------------------------------------------------
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT a.attrelid::regclass::text || '.' || quote_ident(a.attname) AS name, meaning
        FROM (VALUES
            ('sync_id', 'The sync whose scan it belongs to, as in emag_offer_syncs. Source: the scan.'),
            ('round', 'The round of reading, as in emag_offer_syncs. Source: the scan.'),
            ('page', 'Number of the page, from 1; 0 holds offers that were read by their id. Source: the scan.'),
            ('fetched_at', 'When the marketplace''s answer had arrived (UTC). Source: the scan.'),
            ('emag_offer_id', 'The seller''s own id of the offer. Source: product_offer/read, id.')
        ) words (column_name, meaning)
        JOIN pg_attribute a ON a.attname = column_name AND a.attnum > 0
        JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = '{schema}'::regnamespace
          AND c.relname IN ('emag_scan_pages', 'emag_scan_offers', 'emag_scan_confirmations', 'emag_scan_changes')
          AND col_description(a.attrelid, a.attnum) IS NULL
    LOOP
        EXECUTE 'COMMENT ON COLUMN ' || found.name || ' IS ' || quote_literal(found.meaning);
    END LOOP;
END $$;
COMMENT ON COLUMN {schema}.emag_scan_pages.offers IS 'Offers of the page that are staged. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.rejects IS 'Rows of the page that went to quarantine. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.content_hash IS
    'Fingerprint of the page: two pages with the same one show the same offers in the same state. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_scan_offers.row_hash IS 'Fingerprint of the commercial columns. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_scan_offers.content_hash IS
    'Fingerprint of the content''s columns without `raw`, and of fields that this version does not know. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_scan_offers.raw IS 'The offer as read. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_scan_confirmations.is_found IS
    'Whether a read by its id found the offer; if not, it is gone. Source: product_offer/read with the filter id.';
COMMENT ON COLUMN {schema}.emag_scan_confirmations.confirmed_at IS 'When that was written down (UTC). Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_changes.change IS
    'What the publish did with the offer: `created`, `updated`, `revived`, `content`, `deleted`. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_scan_changes.content_changed IS
    'Whether texts, pictures or characteristics changed too. Source: the publish.';
COMMENT ON COLUMN {schema}.emag_requests.request_id IS 'Number of the call. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_requests.sent_at IS 'When it was sent (UTC). Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.account_type IS 'The account that called. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_requests.resource IS 'What was called, e.g. `product_offer/read`. Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.page IS 'The page that was asked for; null where there are none. Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.offer_id IS 'The offer that was asked for by its id, else null. Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.status IS 'HTTP status; null when no answer came. Source: the marketplace.';
COMMENT ON COLUMN {schema}.emag_requests.outcome IS '`ok`: the answer could be trusted; else `error`. Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.seconds IS 'Seconds from sending to the whole answer. Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.bytes IS 'Bytes of the answer''s body. Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.error_class IS 'Name of the error, if it was one. Source: the client.';
COMMENT ON COLUMN {schema}.emag_requests.error_body IS
    'The answer''s body, of failures only, without secrets. Source: the marketplace.';
COMMENT ON COLUMN {schema}.emag_rate_budget.account_type IS 'The account whose budget it is. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_rate_budget.next_slot_at IS 'Before this moment nobody may call (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_rate_budget.quiet_until IS
    'Until then all processes keep quiet, since the marketplace answered 429 (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_rate_budget.slowed_at IS 'The last time that the marketplace answered 429 (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_counters.name IS 'Name of the metric, as in docs/metrics.md. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_counters.labels IS 'Its labels: {label: value}. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_counters.value IS 'What was counted since the first start. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_sensor_ticks.sensor IS 'Name of the Dagster sensor. Source: the sensors.';
COMMENT ON COLUMN {schema}.emag_sensor_ticks.ticked_at IS 'When it last finished an evaluation (UTC). Source: the sensors.';
COMMENT ON TABLE {schema}.emag_alembic_version IS
    'The version of the schema: one row, the last migration that was run. Source: `emag-pipeline migrate`.';
COMMENT ON COLUMN {schema}.emag_alembic_version.version_num IS 'Number of that migration, e.g. `0004`. Source: `emag-pipeline migrate`.';
