-- A scan reads overlapping windows of the listing, in any order and of any size, and is judged by what joins them.

-- What interrupted syncs have staged are pages that share no offers: their next run begins anew. What was published, or
-- waits for an approval or has got it, stays as it is: nobody asks for the order of its rows.
DELETE FROM {schema}.emag_scan_pages WHERE sync_id IN (
    SELECT sync_id FROM {schema}.emag_offer_syncs
    WHERE status <> 'completed' AND coalesce(error_class, '') <> 'RefusedError' AND approved_at IS NULL);
DELETE FROM {schema}.emag_scan_offers WHERE sync_id NOT IN (SELECT sync_id FROM {schema}.emag_scan_pages);

-- All readings of a scan are united now. Of those that were not, the last one was judged: the others go.
DELETE FROM {schema}.emag_scan_pages t USING {schema}.emag_offer_syncs s
WHERE s.sync_id = t.sync_id AND t.round <> s.round;
DELETE FROM {schema}.emag_scan_offers t USING {schema}.emag_offer_syncs s
WHERE s.sync_id = t.sync_id AND t.round <> s.round;
DELETE FROM {schema}.emag_scan_confirmations t USING {schema}.emag_offer_syncs s
WHERE s.sync_id = t.sync_id AND t.round <> s.round;
DELETE FROM {schema}.emag_offer_rejects t USING {schema}.emag_offer_syncs s
WHERE s.sync_id = t.sync_id AND t.round <> s.round;
ALTER TABLE {schema}.emag_scan_offers DROP COLUMN round;
CREATE INDEX emag_scan_offers_by_sync ON {schema}.emag_scan_offers (sync_id, emag_offer_id);
ALTER TABLE {schema}.emag_scan_confirmations DROP COLUMN round, ADD PRIMARY KEY (sync_id, emag_offer_id);
ALTER TABLE {schema}.emag_offer_rejects DROP COLUMN round;
CREATE INDEX emag_offer_rejects_by_sync ON {schema}.emag_offer_rejects (sync_id);
COMMENT ON COLUMN {schema}.emag_offer_syncs.round IS
    'Which reading of all pages it is, from 1; a further one where windows and count leave something open. Source: the scan.';

ALTER TABLE {schema}.emag_scan_pages
    ADD COLUMN number  integer,
    ADD COLUMN reading smallint NOT NULL DEFAULT 1,
    ADD COLUMN ids     bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE {schema}.emag_scan_pages RENAME COLUMN page_size TO size;
ALTER TABLE {schema}.emag_scan_pages RENAME COLUMN first_position TO position;
UPDATE {schema}.emag_scan_pages p
SET number = numbered.place
FROM (SELECT ctid AS row, row_number() OVER (PARTITION BY sync_id ORDER BY fetched_at, position) AS place
      FROM {schema}.emag_scan_pages) numbered
WHERE p.ctid = numbered.row;
ALTER TABLE {schema}.emag_scan_pages
    ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN reading DROP DEFAULT,
    ALTER COLUMN ids DROP DEFAULT,
    DROP COLUMN positions,
    DROP COLUMN round,
    ADD PRIMARY KEY (sync_id, number);
COMMENT ON TABLE {schema}.emag_scan_pages IS
    'Staging: the windows of the listing that are durable, one row for each page that was read. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_scan_pages.number IS
    'Number of the window in the order of the answers. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.reading IS
    'What it was read for: 1 = the chain of windows, 2 and more = a reading of plain pages, 0 = a look at what was read already or at what lies behind the end. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.ids IS
    'The rows that it showed, in their order: the offer''s id, or a negative number made from the row where it has none. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_scan_pages.size IS 'Offers that were asked for at once. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.is_unreadable IS
    'The marketplace fails on every page that holds this one position, whatever its size; false again once a later page has shown it and another one nearby fails: an offer that moved. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.position IS
    'First position of the listing, from 0, that the page shows. Source: the scan.';

ALTER TABLE {schema}.emag_offer_syncs ADD COLUMN windows_staged integer NOT NULL DEFAULT 0;
UPDATE {schema}.emag_offer_syncs SET windows_staged = pages_done;
COMMENT ON COLUMN {schema}.emag_offer_syncs.windows_staged IS
    'Windows of the listing that were made durable in staging: as many must be there for a resume, an audit or a publish. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.pages_expected IS
    'Hundreds of positions that the listing has by the first count. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.pages_done IS
    'Hundreds of positions of the listing that are durable. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.total_offers_processed IS
    'Different rows that pages have shown, rejected ones included. Source: the scan.';
-- What was judged complete by page numbers is complete. Of what was refused nobody says why: the numbers do, by the rule
-- of that time.
UPDATE {schema}.emag_offer_syncs s
SET proof = (s.proof - 'rows_beyond' - 'positions' - 'positions_end' - 'vanished_unpublished')
            || jsonb_build_object('proven', CASE WHEN s.status = 'completed' OR (
                   f.pages_staged = f.pages_expected AND f.positions = f.positions_end AND f.positions >= f.count_before
                   AND f.rows = f.distinct_ids AND coalesce(f.rows_beyond, 0) = 0 AND f.count_before = f.count_after
                   AND f.unreadable_by_id <= f.unreadable_positions
                   AND f.count_after - f.distinct_ids - f.rejected - f.unreadable_positions
                       BETWEEN 0 AND f.found_by_id) THEN 1 ELSE 0 END)
FROM {schema}.emag_offer_syncs n, jsonb_to_record(n.proof) AS f (
    count_before bigint, count_after bigint, pages_expected bigint, pages_staged bigint, positions bigint,
    positions_end bigint, rows bigint, distinct_ids bigint, rejected bigint, rows_beyond bigint, found_by_id bigint,
    unreadable_positions bigint, unreadable_by_id bigint)
WHERE n.sync_id = s.sync_id AND s.proof ? 'distinct_ids'
  AND (s.status = 'completed' OR s.error_class = 'RefusedError' OR s.approved_at IS NOT NULL);

CREATE TABLE {schema}.emag_listing_order (
    account_type text NOT NULL,
    chunk        integer NOT NULL,
    ids          bigint[] NOT NULL,
    PRIMARY KEY (account_type, chunk)
);
COMMENT ON TABLE {schema}.emag_listing_order IS
    'The order in which the last complete scan of an account saw its offers: a listing that keeps it needs to be read only once. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_listing_order.account_type IS 'The account. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_listing_order.chunk IS 'Number of the piece, from 0; 10,000 offers each. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_listing_order.ids IS 'The offers'' ids in their order. Source: product_offer/read.';

ALTER TABLE {schema}.emag_accounts
    ADD COLUMN reorders_at          timestamptz,
    ADD COLUMN odd_sizes_ignored_at timestamptz;
COMMENT ON COLUMN {schema}.emag_accounts.reorders_at IS
    'When a scan last saw that the listing changes the order of its offers; believed for 30 days (UTC). Source: the scan.';
COMMENT ON COLUMN {schema}.emag_accounts.odd_sizes_ignored_at IS
    'When a scan last saw that page sizes such as 97 are not obeyed; believed for 30 days (UTC). Source: the scan.';
