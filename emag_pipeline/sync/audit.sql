-- The figures of the audit, counted from staging itself. The divided tables stand for the account's own partitions
-- (staging_room.own).

-- name: count_staged
-- Rows and different offers from pages, and the digest of just these offers; offers that were read by their id; offers
-- with an unreadable field that a commercial row rests on.
SELECT count(*) FILTER (WHERE page > 0) AS rows,
       count(DISTINCT emag_offer_id) FILTER (WHERE page > 0) AS distinct_ids,
       sum(DISTINCT hashint8extended(emag_offer_id, 1)) FILTER (WHERE page > 0) AS digest,
       count(*) FILTER (WHERE page = 0) AS by_id,
       count(*) FILTER (WHERE unreadable && CAST(:rests_on AS text[])) AS unreadable
FROM emag_scan_offers
WHERE sync_id = :sync;

-- name: count_rejects
-- `rows` in quarantine, and `offers` whose only rows on pages were rejected (a row without an id counts as one). Left
-- out of `offers`: a second row of an offer that is staged, and rows read by id, which no page showed.
SELECT count(*) AS rows,
       count(*) FILTER (WHERE page > 0 AND emag_offer_id IS NULL) AS without_id,
       count(*) FILTER (WHERE page = 0) AS by_id,
       count(*) FILTER (WHERE page > 0 AND emag_offer_id IS NULL)
       + count(DISTINCT emag_offer_id) FILTER (WHERE page > 0 AND NOT EXISTS (
             SELECT FROM emag_scan_offers s
             WHERE s.sync_id = :sync AND s.emag_offer_id = r.emag_offer_id)) AS offers
FROM emag_offer_rejects r
WHERE sync_id = :sync;

-- name: count_arrivals
-- Offers that pages showed and that are not published, or have a tombstone.
SELECT count(DISTINCT s.emag_offer_id)
FROM emag_scan_offers s
LEFT JOIN emag_product_offers o
    ON o.account_type = :account AND o.emag_offer_id = s.emag_offer_id AND o.deleted_at IS NULL
WHERE s.sync_id = :sync AND s.page > 0 AND o.emag_offer_id IS NULL;

-- name: count_published
-- The offers that readers see now.
SELECT count(*) FROM emag_product_offers
WHERE account_type = :account AND deleted_at IS NULL;

-- fragment: shown
-- The different offers that windows showed.
SELECT DISTINCT shown.id
FROM emag_scan_pages p
CROSS JOIN unnest(p.ids) AS shown (id)
WHERE p.sync_id = :sync AND shown.id > 0

-- name: count_shown
-- How many these are, and the digest of just these (as that of those which are staged).
SELECT count(*) AS ids, sum(hashint8extended(id, 1)) AS digest
FROM ({shown}) shown;

-- name: count_unstaged
-- Offers that windows showed and that stand neither in staging nor in quarantine: there should be none. Asked only
-- where the digests differ: looked up one by one, a million that were read in full take half a minute.
SELECT count(*)
FROM ({shown}) shown
WHERE NOT EXISTS (SELECT FROM emag_scan_offers s
                  WHERE s.sync_id = :sync AND s.emag_offer_id = shown.id)
  AND NOT EXISTS (SELECT FROM emag_offer_rejects r
                  WHERE r.sync_id = :sync AND r.emag_offer_id = shown.id);

-- name: ages
-- From the oldest page to the last count, and the longest time between two reads of pages, or before that count.
WITH reads AS (
    SELECT fetched_at AS read_at FROM emag_scan_pages WHERE sync_id = :sync
    UNION ALL
    SELECT CAST(:counted_at AS timestamptz)
)
SELECT max(:counted_at - read_at) AS oldest, max(pause) AS pause
FROM (SELECT read_at, read_at - lag(read_at) OVER (ORDER BY read_at) AS pause FROM reads) paused;

-- name: proof_before
-- The proof of the sync that the account published last before this one.
SELECT proof FROM emag_offer_syncs
WHERE account_type = :account AND sync_id <> :sync AND status = 'completed'
ORDER BY sync_number DESC LIMIT 1;
