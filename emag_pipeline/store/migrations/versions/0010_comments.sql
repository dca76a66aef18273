-- Comments in plain English, and three that were wrong: emag_scan_pages.page spoke of a column that is gone, emag_rate_budget.air
-- of hours, emag_incidents of being told. Every object is named whose comment changes.
COMMENT ON TABLE {schema}.emag_product_offers IS
    'One row for each offer that was ever published: the current state of what changes often (prices, stock, status). Offers that are gone stay, with a tombstone. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_products IS
    'One row for each offer that was ever published: the current state of what rarely changes (texts, pictures, characteristics). Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_offer_states IS
    'The rows behind emag_offer_history, with the publishes'' stamps instead of times: query the view instead. Source: product_offer/read, kept by the publish.';
COMMENT ON TABLE {schema}.emag_buy_button IS
    'Existing offers that have a rank in the competition for the buy button, or had the button within 24 hours before the publish. Prices are without VAT unless the column says otherwise.';
COMMENT ON TABLE {schema}.emag_daily_assortment IS
    'One row for each day (UTC) of an account, from its first publish on: the assortment at the end of that day. Under `up` and wherever a daemon runs, days are computed automatically; where only `emag-pipeline sync` is called, days between two calls are missing until `emag-pipeline backfill`. Source: emag_offer_history, by the job refresh_daily_assortment; any past day can be computed again.';
COMMENT ON TABLE {schema}.emag_accepted_deviations IS
    'One row for each finding of a check that is known and accepted until a given day: it is shown, and does not fail the check. Source: `emag-pipeline accept`.';
COMMENT ON TABLE {schema}.emag_vat_rate_history IS
    'The VAT rates of each marketplace and the periods in which they applied; read by emag_vat_rates_as_of. Source: vat/read, by the job refresh_reference.';
COMMENT ON TABLE {schema}.emag_reference_reads IS
    'One row for each kind of reference data of a marketplace: when it was last read completely. Source: refresh_reference.';
COMMENT ON TABLE {schema}.emag_offer_syncs IS
    'The ledger: one row for each sync, with all its attempts to bring an account up to date once. Source: the pipeline.';
COMMENT ON TABLE {schema}.emag_publishes IS
    'One row for each publish that readers ever saw, kept forever: its number and its time. Source: the publish.';
COMMENT ON TABLE {schema}.emag_answer_surprises IS
    'One row for each thing in an account''s responses that this version does not know or cannot read; at most 200 for each resource, anything beyond is counted under the field `…`. Source: the scan, refresh_reference.';
COMMENT ON TABLE {schema}.emag_check_results IS
    'The latest result of each check, for each account or marketplace. Source: the checks; offers_are_fresh also the sensor run_failures.';
COMMENT ON TABLE {schema}.emag_incidents IS
    'One row for each incident. At most one per subject and kind is open, so that each is reported once. Source: monitoring.';
COMMENT ON TABLE {schema}.emag_scan_pages IS
    'Staging: the windows of the listing that are durable, one row for each page that was read. Holds each account''s newest scan in a partition of its own, which a crash of the server empties. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_offers IS
    'Staging: one row for each offer of a page, durable and not yet visible; page 0 holds offers that were read by their id. Holds each account''s newest scan in a partition of its own, which a crash of the server empties. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_confirmations IS
    'Staging: one row for each offer that the pages did not show, with the result of a read by its id. Holds each account''s newest scan in a partition of its own, which a crash of the server empties. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_changes IS
    'Staging: one row for each offer that the publish changed, kept until the account''s next sync in a partition of its own, which a crash of the server empties. Source: the publish.';
COMMENT ON TABLE {schema}.emag_row_digests IS
    'Fingerprint of each published offer''s row as the marketplace wrote it, so that an identical row is not parsed again; one row for each offer that a page has shown, offers that are gone since included, except those with an entry in `unreadable`. May be emptied at any time, as a crash of the server does: the next scan then parses every row. Source: the publish.';
COMMENT ON TABLE {schema}.emag_rate_budget IS
    'When a login may call the marketplace next, shared by all processes. Source: the pipeline.';
COMMENT ON TABLE {schema}.emag_sensor_ticks IS
    'One row for each sensor: when it last finished an evaluation; it stops changing when the daemon is dead. Source: the sensors.';
COMMENT ON VIEW {schema}.emag_current_offers IS
    'One row for each offer that the marketplace lists now: both parts joined, with category and VAT where they are known. Source: emag_product_offers, emag_products, emag_categories, emag_vat_rates.';
COMMENT ON VIEW {schema}.emag_offer_warehouses IS
    'One row for each warehouse of each offer that the marketplace lists now. Source: emag_product_offers.';
COMMENT ON FUNCTION {schema}.emag_account_currency(text) IS
    'The account''s currency: that of most existing offers, else the marketplace''s. Only amounts in it are added up.';
COMMENT ON FUNCTION {schema}.emag_analyze(text, text[]) IS
    'Runs ANALYZE on one of the pipeline''s tables, or on some of its columns, with the rights of the tables'' owner.';
COMMENT ON FUNCTION {schema}.emag_ean_keys(text[]) IS
    'Prefixes of these codes, short enough for an index; used by emag_offers_by_ean.';
COMMENT ON FUNCTION {schema}.emag_empty_room(text, uuid[], boolean) IS
    'Empties the account''s staging partitions in one step, with the rights of the tables'' owner; null for `going` means whatever they hold. Returns false and does nothing while pages of other syncs are staged, or while another session holds a lock on the partitions for more than a moment.';
COMMENT ON FUNCTION {schema}.emag_in_currency(text, text) IS
    'Whether an amount is added up: an offer without a currency is assumed to be in the account''s.';
COMMENT ON FUNCTION {schema}.emag_issue_codes(smallint, bigint, numeric, smallint, smallint[], smallint[], text[]) IS
    'Every reason why an offer in this state cannot be bought, as sorted codes; empty exactly when it can be bought.';
COMMENT ON FUNCTION {schema}.emag_known_since(text) IS
    'The account''s first publish: the first moment for which its offers are known. Null for an account that was never published.';
COMMENT ON FUNCTION {schema}.emag_known_until(text) IS
    'The last moment for which an account''s offers are known: now, or its newest publish if that is ahead of the clock. Null for an account that was never published.';
COMMENT ON FUNCTION {schema}.emag_make_room(text) IS
    'Creates the account''s staging partitions where they are missing, with the tables'' grants and the rights of the tables'' owner.';
COMMENT ON FUNCTION {schema}.emag_offers_as_of(text, timestamptz) IS
    'The offers of an account as readers saw them at a past moment. Raises an error (SQLSTATE EM001) where that is not known: before the account''s first publish, for an unknown or null account, and for a moment in the future.';
COMMENT ON FUNCTION {schema}.emag_offers_as_of_if_known(text, timestamptz) IS
    'Like emag_offers_as_of, but returns no rows where that raises an error: before the account''s first publish, for an unknown account, and for a moment in the future.';
COMMENT ON FUNCTION {schema}.emag_offers_by_ean(text) IS
    'The offers of all accounts that the marketplace lists now and whose product has this EAN; uses an index.';
COMMENT ON FUNCTION {schema}.emag_plain_text(text) IS
    'A text of the marketplace as one readable line, without tags, entities, addresses, ids and codes.';
COMMENT ON FUNCTION {schema}.emag_reason_texts(jsonb, text, integer) IS
    'The texts in the marketplace''s errors or warnings, whatever their form, in order; of texts by locale, the one in `language`, else English, else any.';
COMMENT ON FUNCTION {schema}.emag_refusal_said(text, jsonb, jsonb, text) IS
    'Why the marketplace refused, in one sentence of at most 400 characters: its errors, else its name of the verdict, for an issue code such as `product_8`, from emag_products.validation_details and doc_errors; in `language` (two letters), else English, else any. Null for a code that is no verdict of the marketplace, and where it gives no reason.';
COMMENT ON FUNCTION {schema}.emag_remove_room(text) IS
    'Drops the account''s staging partitions, with the rights of the tables'' owner. Returns false and does nothing while another session uses these tables.';
COMMENT ON FUNCTION {schema}.emag_require_known(text, timestamptz) IS
    'Returns the account if its offers at that moment are known; else raises an error (SQLSTATE EM001) that says what is known: the first known moment, the accounts, or what time it is.';
COMMENT ON FUNCTION {schema}.emag_room_name(text, text) IS
    'The name of an account''s partition of a staging table.';
COMMENT ON FUNCTION {schema}.emag_sales_pace(text, bigint[], timestamptz, timestamptz) IS
    'How many pieces of these offers were sold between two moments, by falls of the stock (a stock below 0 counts as 0), and on how many days with stock; pieces per day are sold / greatest(days, 1). An offer without sales has no row. A fall of more than 10 pieces counts as a correction, not a sale, when it is more than five times the offer''s usual fall (the median, the lower one of two in the middle), or when the next change of the stock takes back exactly as much.';
COMMENT ON FUNCTION {schema}.emag_usual_currency(text[]) IS
    'The most frequent of these currencies, the first by name if several are equally frequent; null where none is known.';
COMMENT ON FUNCTION {schema}.emag_vat_rates_as_of(text, timestamptz) IS
    'The VAT rates of the account''s marketplace at that moment, as shares of 1, for `LEFT JOIN … USING (vat_id)` with emag_offers_as_of. Before the first reading the earliest known rate applies; a rate that is no longer listed still applies to the offers that name it, as in emag_current_offers. Returns no rows, and no error, for a future or null moment and for an unknown account.';

-- Columns. The same column of another table or view, and of an account's partition, had the same words and gets the new ones.
DO $$
DECLARE
    meant record;
    found record;
BEGIN
    FOR meant IN SELECT ('{schema}.' || of_table)::regclass AS relation, of_column, meaning FROM (VALUES
        ('emag_product_offers', 'sale_price', 'The seller''s price per piece, without VAT, in `currency`; null when the marketplace reports none. Source: product_offer/read.'),
        ('emag_product_offers', 'buy_button_rank', 'Rank in the competition for the add-to-cart button: 1 has it; null when the marketplace reports none. Source: product_offer/read.'),
        ('emag_product_offers', 'general_stock', 'Pieces in all warehouses together, as the marketplace reports it; may be below 0, which totals and sales paces count as 0; changes with orders; null when it is not reported as a number. Source: product_offer/read.'),
        ('emag_product_offers', 'estimated_stock', 'Pieces in stock minus those reserved by orders that are not yet acknowledged. Source: product_offer/read.'),
        ('emag_product_offers', 'offer_validation_status', 'The marketplace''s verdict on the price: 1 valid, 2 invalid until checked by hand; the worst if there are several. Source: product_offer/read.'),
        ('emag_product_offers', 'is_saleable', 'Whether a customer can buy it: stock above 0, status 1, a price above 0 whose verdict (offer_validation_status) is 1, at least one validation state of the product and only saleable ones, only saleable states of its translation, if it has any, and no field in `unreadable`. Source: computed from these columns.'),
        ('emag_product_offers', 'unreadable', 'Those of sale_price, currency, general_stock, status and translation_validation_status that the marketplace reports in a form that cannot be read: they show their last good value, and the offer is not saleable. A general_stock in words is null instead, and not listed here. Source: product_offer/read.'),
        ('emag_product_offers', 'commission', 'The marketplace''s commission as it reports it; null when it does not. Source: product_offer/read.'),
        ('emag_product_offers', 'supply_lead_time', 'Days until the seller is resupplied. Source: product_offer/read, offer_details.supply_lead_time.'),
        ('emag_product_offers', 'start_date', 'The date from which the offer can be bought, as listed by the marketplace. Source: product_offer/read.'),
        ('emag_product_offers', 'first_seen_at', 'The first publish that showed the offer (UTC). This is the publish''s stamp, the moment it began to merge; emag_current_offers and emag_offer_history have the time at which readers saw it. Source: emag_publishes.stamp.'),
        ('emag_product_offers', 'changed_at', 'The last publish that changed any column of emag_offer_history, not only prices, stock and status, that removed the offer or brought it back, or that could represent it again (rejected_at). This is the publish''s stamp, the moment it began to merge (UTC); emag_current_offers and emag_offer_history have the time at which readers saw it. Source: emag_publishes.stamp.'),
        ('emag_product_offers', 'deleted_at', 'Tombstone: a complete scan did not show the offer and a read by its id did not find it (UTC). This is the publish''s stamp, the moment it began to merge; emag_current_offers and emag_offer_history have the time at which readers saw it. Source: emag_publishes.stamp.'),
        ('emag_product_offers', 'rejected_at', 'Since when the marketplace has been showing a version that cannot be represented; this row is the last good one (UTC). This is the publish''s stamp, the moment it began to merge; emag_current_offers and emag_offer_history have the time at which readers saw it. Source: emag_publishes.stamp.'),
        ('emag_products', 'changed_at', 'The last publish that changed this row (UTC). This is the publish''s stamp, the moment it began to merge; emag_current_offers and emag_offer_history have the time at which readers saw it. Source: emag_publishes.stamp.'),
        ('emag_products', 'ean', 'EAN codes as text, as the marketplace reports them, invalid ones included (see the check ean_check_digits_are_right); empty without any. Source: product_offer/read.'),
        ('emag_products', 'family_id', 'Family that groups variants of a product, such as its colours; null without one. Source: product_offer/read, family.id.'),
        ('emag_products', 'ownership', '1: the seller may change the product''s content; 2: not; null where it is reported as true or false, which only `raw` holds. Source: product_offer/read.'),
        ('emag_products', 'has_manufacturer', 'Whether a manufacturer is given. A full read reports only that; its name and address are returned when one offer is read by its id. Source: product_offer/read, manufacturer.'),
        ('emag_products', 'has_eu_representative', 'Whether a representative in the EU is given; name and address are only returned when one offer is read by its id. Source: product_offer/read, eu_representative.'),
        ('emag_products', 'doc_errors', 'Why the documentation was refused, in the marketplace''s words; null when it was not. Source: product_offer/read.'),
        ('emag_products', 'rrp_guidelines', 'The marketplace''s guidance on setting a recommended price. Source: product_offer/read.'),
        ('emag_current_offers', 'content_changed_at', 'The last publish that changed what the product''s page shows, or what only `raw` holds (UTC). Source: emag_products, changed_at.'),
        ('emag_current_offers', 'rejected_at', 'Since when the marketplace has been showing a version that cannot be represented; this is the last good one (UTC). Source: the publish.'),
        ('emag_current_offers', 'marketplace', 'Where the account sells, e.g. `emag_ro`; null until it is known. Source: emag_accounts.'),
        ('emag_current_offers', 'vat_rate', 'The rate as a share of 1; null when the vat_id is not known.'),
        ('emag_offer_warehouses', 'warehouse_id', 'The seller''s warehouse; null where the marketplace names none for the offer. Values without a warehouse belong to the only one that is named. Source: product_offer/read.'),
        ('emag_offer_history', 'valid_to', 'When readers stopped seeing it (UTC); null while it is current. Source: emag_publishes.published_at.'),
        ('emag_offer_issues', 'since', 'The publish since which the offer has had this issue without a break (UTC); an absence of the offer counts as a break.'),
        ('emag_offer_issues', 'said', 'Why the marketplace refused, in its own words, as emag_refusal_said returns them; null where it gives no reason. Source: emag_products.validation_details, doc_errors.'),
        ('emag_offer_issues', 'sales_lost_a_day', 'Only with `out_of_stock`: what the offer sold per day while it had stock in the 30 days before the publish (as sold_a_day of emag_low_stock, before rounding) at its sale price, without VAT, in `currency`, rounded to two decimals; null where no pace or no price is known. Source: emag_offer_history.'),
        ('emag_buy_button', 'buy_button_rank', 'Rank in the competition for the add-to-cart button; 1 has it; null when the offer lost its rank altogether, for example by selling out. Source: the marketplace.'),
        ('emag_buy_button', 'rank_a_day_ago', 'The rank 24 hours before the publish that the mart shows (emag_mart_refreshes); null when the offer or its rank did not exist then.'),
        ('emag_buy_button', 'change', 'Within 24 hours before the publish: lost (had it at some moment and no longer has it), won, kept (had it a day ago and still has it), missed (did not have it), new (no rank a day ago). Source: the history.'),
        ('emag_buy_button', 'vat_rate', 'The rate as a share of 1; null when emag_vat_rates does not hold the offer''s vat_id.'),
        ('emag_low_stock', 'days_of_cover', 'general_stock / sold_a_day: days until the stock is gone, from the publish that the mart shows; 0 when it is gone. A fall of more than 10 pieces that is more than five times the offer''s usual (median) fall, or that the next change takes back exactly, counts as a correction and is not in the sales pace. Source: emag_offer_history.'),
        ('emag_low_stock', 'observed_days', 'Days with a known stock above 0 among the 30 days before the publish that the mart shows: the basis of the sales pace.'),
        ('emag_low_stock', 'sold_a_day', 'sold / observed_days: pieces per day while there was stock; less than a day of observation counts as a day.'),
        ('emag_low_stock', 'sold', 'Pieces by which the stock fell from state to state in the 30 days before the publish that the mart shows, except corrections (`has_jumps`); a stock below 0 counts as 0. Rises (deliveries) are not counted, nor are changes while the stock was unknown or the offer absent. Source: emag_offer_history.'),
        ('emag_daily_assortment', 'arrivals', 'Offers that exist at `as_of` and did not at the end of the day before; null on the day of the first publish, before which nothing was known. Source: emag_offer_history.'),
        ('emag_daily_assortment', 'departures', 'Offers that existed at the end of the day before and do not at `as_of`; 0 on the day of the first publish, which is compared with nothing. Offers that came and left on the same day are not counted.'),
        ('emag_daily_assortment', 'price_moves', 'Offers that exist at both moments and whose sale price differs, in the same currency: price_rises + price_cuts, and prices that appeared or disappeared. An offer without a currency at one of them is not counted. On the day of the first publish nothing is compared, and this, price_rises and price_cuts are 0. Source: emag_offer_history.'),
        ('emag_daily_assortment', 'price_rises', 'Offers that exist at both moments and whose sale price is higher than at the end of the day before.'),
        ('emag_daily_assortment', 'price_cuts', 'Offers that exist at both moments and whose sale price is lower than at the end of the day before.'),
        ('emag_daily_assortment', 'as_of', 'The moment that the figures describe, for emag_offers_as_of: the last microsecond of the day; while the day is not over, the last publish, or the day''s first moment if nothing was published on it yet (UTC).'),
        ('emag_daily_assortment', 'currency', 'The currency of most offers (ISO 4217). An offer without a currency is assumed to be in it; amounts in other currencies are excluded.'),
        ('emag_daily_assortment', 'last_published_at', 'The last publish up to `as_of`, on which the figures are based (UTC); null when the ledger no longer had it. Source: emag_offer_syncs.'),
        ('emag_daily_assortment', 'offers_in_other_currencies', 'Offers in a currency other than `currency`: their amounts are excluded from all figures; null in rows of older versions. Source: emag_offer_history.'),
        ('emag_mart_refreshes', 'basis', 'What the mart depends on besides offers: fingerprints of its rules, the schema''s version and the VAT rates. When it changes, or is null, the mart is computed from scratch. Source: the pipeline.'),
        ('emag_mart_refreshes', 'rows', 'Rows that the account had in the mart after that refresh. Source: the mart''s refresh.'),
        ('emag_accepted_deviations', 'withdrawn_at', 'When it was withdrawn before it expired (UTC).'),
        ('emag_accounts', 'noted_at', 'When this was last recorded (UTC). Source: the pipeline.'),
        ('emag_accounts', 'page_size', 'Offers per page that the marketplace can handle for this account; null: as set by EMAG_API_PAGE_SIZE. Source: the scan.'),
        ('emag_accounts', 'page_size_at', 'When that was last determined or a larger size was tried; the next larger size is tried a day later (UTC). Source: the scan.'),
        ('emag_accounts', 'host', 'Host of the marketplace that the account was first read from, without port, e.g. `marketplace-api.emag.ro`; null until then. Any other host is refused. Source: the settings.'),
        ('emag_accounts', 'left_at', 'When the installation that last synced the account was found without it (UTC); null while it is configured. Its data is as of its last publish. Source: the settings.'),
        ('emag_accounts', 'reorders_at', 'When a scan last saw that the listing changes the order of its offers; assumed for 30 days (UTC). Source: the scan.'),
        ('emag_accounts', 'odd_sizes_ignored_at', 'When a scan last saw that page sizes such as 97 are not honoured; assumed for 30 days (UTC). Source: the scan.'),
        ('emag_categories', 'names', 'Its name by language, e.g. {"ro": …, "en": …}. Source: category/read in each of these languages.'),
        ('emag_vat_rate_history', 'valid_from', 'The reading that first showed it (UTC); for rates stored before this table existed, the reading that last changed them. Source: refresh_reference.'),
        ('emag_reference_reads', 'read_at', 'When it was last read completely (UTC). Source: refresh_reference.'),
        ('emag_reference_reads', 'rows', 'Rows that exist after that reading. Source: refresh_reference.'),
        ('emag_offer_syncs', 'sync_id', 'Identifies the sync in every table and log line. Source: the pipeline.'),
        ('emag_offer_syncs', 'round', 'Number of the reading of all pages, from 1; another reading follows where windows and count do not prove completeness. Source: the scan.'),
        ('emag_offer_syncs', 'lease_token', 'Fencing token of the lease, the right to write for the account: checked by every write transaction, new for each attempt.'),
        ('emag_offer_syncs', 'heartbeat_at', 'When its process last reported that it is alive (UTC).'),
        ('emag_offer_syncs', 'completed_at', 'When it ended (UTC); for a completed sync, the moment at which readers saw it (emag_publishes.published_at). Source: the pipeline.'),
        ('emag_offer_syncs', 'deadline_at', 'No attempt of this sync may continue after it (UTC).'),
        ('emag_offer_syncs', 'pages_expected', 'Positions that the listing has according to the first count, in hundreds. Source: the scan.'),
        ('emag_offer_syncs', 'pages_done', 'Positions of the listing that are durable, in hundreds. Source: the scan.'),
        ('emag_offer_syncs', 'total_offers_processed', 'Distinct rows that pages have shown, rejected ones included. Source: the scan.'),
        ('emag_offer_syncs', 'offers_unchanged', 'Offers that it read and found unchanged. Source: the publish.'),
        ('emag_offer_syncs', 'discarded_at', 'When a person discarded its staged pages (UTC): it is then neither resumed nor approved. Source: `emag-pipeline discard`.'),
        ('emag_offer_syncs', 'discarded_by', 'Who discarded it: the user of the operating system. Source: `emag-pipeline discard`.'),
        ('emag_offer_syncs', 'dagster_instance_id', 'The Dagster instance of that run: another id means another Dagster database, or one that was restored. Source: Dagster.'),
        ('emag_offer_syncs', 'boot_id', 'Boot id of the kernel that this attempt''s process runs on, new at each boot. Source: its operating system.'),
        ('emag_offer_syncs', 'namespaces', 'The kernel namespaces in which process_id and process_start_ticks are valid: containers have their own. Source: its kernel.'),
        ('emag_offer_syncs', 'process_id', 'Process id of its latest attempt. Source: its operating system.'),
        ('emag_offer_syncs', 'process_start_ticks', 'When that process started, in the kernel''s clock ticks since boot: process ids are reused. Source: its kernel.'),
        ('emag_offer_syncs', 'oldest_page_at', 'When the oldest page of what it published was read; for a running sync, of what it continues with (UTC). Source: the scan.'),
        ('emag_offer_syncs', 'worked_seconds', 'Seconds of work on it in attempts that have ended, excluding the time between them. Source: the pipeline.'),
        ('emag_offer_syncs', 'obstacle', 'What a running sync is waiting for: the newest call that failed and when it is retried; null while calls succeed. Source: the client.'),
        ('emag_publishes', 'stamp', 'When the publish began to merge (UTC): states and offers refer to their publish by it. It grows from publish to publish of an account. Source: the publish.'),
        ('emag_publishes', 'sync_id', 'The sync that published; null for old publishes that are only known as the end of states. Source: the publish.'),
        ('emag_offer_rejects', 'emag_offer_id', 'The offer concerned; null when the row has no readable id. Source: product_offer/read, id.'),
        ('emag_answer_surprises', 'times', 'Rows that showed it since then; a row counts each time it is received, so twice where two windows of the listing show it. Source: the pipeline.'),
        ('emag_check_results', 'subject', 'The account; for a check on reference data, the marketplace. Source: the partition of the check.'),
        ('emag_check_results', 'part', 'The day, as YYYY-MM-DD, of a check on a single day; else empty. Source: the partition of the check.'),
        ('emag_check_results', 'severity', 'ERROR: the scan is refused, or the copy cannot be relied upon: it is stale, differs from what was read, or its totals are incomplete. WARN: the copy is right and the catalogue looks wrong, or an ERROR may only be due to a mart that is older than the publish. Set also when the check passes. Source: the check.'),
        ('emag_check_results', 'passed', 'Whether everything was as expected or accepted. Source: the check.'),
        ('emag_check_results', 'said', 'The result in one sentence. Source: the check.'),
        ('emag_check_results', 'dagster_run_id', 'The Dagster run that evaluated it; null when a sensor did. Source: Dagster.'),
        ('emag_check_results', 'checked_at', 'When it was last evaluated (UTC). Source: the database''s clock.'),
        ('emag_check_results', 'failing_since', 'When it first failed after it last passed (UTC); null while it passes. Source: the database''s clock.'),
        ('emag_incidents', 'subject', 'What is wrong: an account; a check and what it judges, e.g. `published_equals_scan of main`, followed by ` on ` and the day for a check of one day (kind `red`); a job, or its runs for one partition, e.g. `refresh_reference of emag_ro`; a sensor or schedule, e.g. `sensor stale_accounts`; or `daemon`. Source: monitoring.'),
        ('emag_incidents', 'kind', '`failing` (runs or evaluations fail), `refused` (an audit waits for a person), `stale`, `stuck`, `silent`, `red` (a check of severity ERROR does not pass). Source: monitoring.'),
        ('emag_incidents', 'dagster_run_id', 'The Dagster run in which it was seen, if any. Source: Dagster.'),
        ('emag_incidents', 'opened_at', 'Since when it has been wrong (UTC). Source: monitoring.'),
        ('emag_incidents', 'seen_at', 'When it was last seen (UTC).'),
        ('emag_incidents', 'closed_at', 'When it recovered (UTC); null while it is open. Source: monitoring.'),
        ('emag_incidents', 'told_at', 'When the webhook accepted the latest alert (UTC); null until then: an alert that could not be delivered is retried.'),
        ('emag_incidents', 'told_cause', 'The cause that was reported; another cause is reported again.'),
        ('emag_incidents', 'end_told_at', 'When the webhook accepted the message that it recovered (UTC).'),
        ('emag_incidents', 'claimed_until', 'Until then (UTC) one process is delivering it, so that no other process delivers the same message.'),
        ('emag_listing_order', 'chunk', 'Number of the chunk, from 0; 10,000 offers each. Source: the scan.'),
        ('emag_scan_pages', 'page', 'Number of the page in the request, from 1, at the page size `size`. Source: the scan.'),
        ('emag_scan_pages', 'size', 'Page size of the request. Source: the scan.'),
        ('emag_scan_pages', 'fetched_at', 'When the marketplace''s response arrived (UTC). Source: the scan.'),
        ('emag_scan_pages', 'number', 'Number of the window in the order of the responses. Source: the scan.'),
        ('emag_scan_pages', 'reading', 'What it was read for: 1 = the chain of windows, 2 and more = a reading of plain pages, 0 = a check of what was read already or of what lies beyond the end. Source: the scan.'),
        ('emag_scan_pages', 'ids', 'The rows that it showed, in their order: the offer''s id, or a negative number derived from the row where it has none. Source: product_offer/read.'),
        ('emag_scan_offers', 'row_digest', 'Fingerprint of the row as the marketplace wrote it; null where the same row has to be parsed again. Source: the scan.'),
        ('emag_scan_offers', 'noticed', 'Surprises in the row (emag_answer_surprises), as a JSON array of [field, kind, sample]; null where there were none. Source: the scan.'),
        ('emag_scan_offers', 'is_unchanged', 'The row is identical to the one that was read when the offer was published, and was not parsed again: only its fingerprints are stored here. Source: the scan.'),
        ('emag_scan_confirmations', 'confirmed_at', 'When that was recorded (UTC). Source: the scan.'),
        ('emag_scan_changes', 'change', 'What the publish did with the offer: `created`, `updated` (also an offer without changes whose row can be represented again), `revived`, `content`, `deleted`. Source: the publish.'),
        ('emag_scan_changes', 'content_changed', 'Whether what the product''s page shows, or what only `raw` holds, changed too. Source: the publish.'),
        ('emag_row_digests', 'row_hash', 'Fingerprint of the commercial fields that were read from it: the row is ignored once the published ones differ. Source: the scan.'),
        ('emag_row_digests', 'noticed', 'Surprises in the row, as a JSON array of [field, kind, sample], null where there were none: they are counted in emag_answer_surprises each time the row is received. Source: the scan.'),
        ('emag_row_digests', 'formula', 'Identifies how narrow_hash and texts_hash are computed: the columns and the version of the schema. Rows with another formula are ignored. Source: the publish.'),
        ('emag_row_digests', 'texts_hash', 'The same for the columns of emag_products without `raw`. Source: the publish.'),
        ('emag_requests', 'page', 'The page that was requested; null for calls without pages. Source: the client.'),
        ('emag_requests', 'page_size', 'Page size of the request; null for calls without pages. Source: the client.'),
        ('emag_requests', 'offer_id', 'The offer that was requested by its id, else null. Source: the client.'),
        ('emag_requests', 'status', 'HTTP status; null without a response. Source: the marketplace.'),
        ('emag_requests', 'outcome', '`ok`: a valid response; else `error`. Source: the client.'),
        ('emag_requests', 'seconds', 'Seconds from sending to the complete response. Source: the client.'),
        ('emag_requests', 'bytes', 'Bytes of the response''s body. Source: the client.'),
        ('emag_requests', 'error_class', 'Name of the error, if it failed. Source: the client.'),
        ('emag_requests', 'error_body', 'The response''s body, of failures only, without secrets. Source: the marketplace.'),
        ('emag_requests', 'batch_id', 'Identifies calls that were saved together, so that they count once; set on the first of them, else null. Source: the pipeline.'),
        ('emag_rate_budget', 'next_slot_at', 'No process may call before this moment (UTC). Source: the pipeline.'),
        ('emag_rate_budget', 'quiet_until', 'No process calls until then, because the marketplace answered 429 (UTC). Source: the pipeline.'),
        ('emag_rate_budget', 'air', 'Safety margin: the factor by which calls are further apart since slowed_at, 1.1 times more with each answer 429, at most 2; it loses a factor of 1.1 with each 10 minutes without one. Source: the pipeline.'),
        ('emag_counters', 'value', 'Its value since the first start. Source: the pipeline.'),
        ('emag_sensor_ticks', 'ticked_at', 'When its last successful evaluation ended (UTC), before Dagster stored it; one that Dagster cannot store is an incident of the kind `failing`. Source: the sensors.')
    ) columns (of_table, of_column, meaning)
    LOOP
        FOR found IN
            SELECT c.oid::regclass AS relation
            FROM pg_attribute model
            JOIN pg_attribute a ON a.attname = model.attname
                AND col_description(a.attrelid, a.attnum) = col_description(model.attrelid, model.attnum)
            JOIN pg_class c ON c.oid = a.attrelid
            WHERE model.attrelid = meant.relation AND model.attname = meant.of_column
              AND c.relnamespace = '{schema}'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND c.relname LIKE 'emag\_%'
        LOOP
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', found.relation, meant.of_column, meant.meaning);
        END LOOP;
    END LOOP;
END $$;
