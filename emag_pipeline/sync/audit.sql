-- The figures of the audit, counted from staging. The names of partitioned tables are replaced by those of the account's
-- own partitions (staging_room.own).

-- name: count_staged
-- Rows and distinct offers from pages, and a digest of these offers' ids; offers read by id; offers with an unreadable
-- commercial field.
SELECT count(*) FILTER (WHERE page > 0) AS rows,
       count(DISTINCT emag_offer_id) FILTER (WHERE page > 0) AS distinct_ids,
       sum(DISTINCT hashint8extended(emag_offer_id, 1)) FILTER (WHERE page > 0) AS digest,
       count(*) FILTER (WHERE page = 0) AS by_id,
       count(*) FILTER (WHERE unreadable && CAST(:rests_on AS text[])) AS unreadable
FROM emag_scan_offers
WHERE sync_id = :sync;

-- name: count_rejects
-- `rows` in quarantine, and `offers` whose only rows on pages were rejected (a row without an id counts as one offer).
-- `offers` excludes second rows of staged offers, and rows read by id, which no page showed.
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
-- Offers on pages that are not published or have a tombstone.
SELECT count(DISTINCT s.emag_offer_id)
FROM emag_scan_offers s
LEFT JOIN emag_product_offers o
    ON o.account_type = :account AND o.emag_offer_id = s.emag_offer_id AND o.deleted_at IS NULL
WHERE s.sync_id = :sync AND s.page > 0 AND o.emag_offer_id IS NULL;

-- name: count_published
-- The currently published offers.
SELECT count(*) FROM emag_product_offers
WHERE account_type = :account AND deleted_at IS NULL;

-- fragment: shown
-- The distinct offers that windows showed.
SELECT DISTINCT shown.id
FROM emag_scan_pages p
CROSS JOIN unnest(p.ids) AS shown (id)
WHERE p.sync_id = :sync AND shown.id > 0

-- name: count_shown
-- Their number and a digest of their ids, comparable with that of count_staged.
SELECT count(*) AS ids, sum(hashint8extended(id, 1)) AS digest
FROM ({shown}) shown;

-- name: count_unstaged
-- Offers that windows showed but that are neither staged nor in quarantine; there should be none. Runs only if the
-- digests differ, since looking up a million offers takes half a minute.
SELECT count(*)
FROM ({shown}) shown
WHERE NOT EXISTS (SELECT FROM emag_scan_offers s
                  WHERE s.sync_id = :sync AND s.emag_offer_id = shown.id)
  AND NOT EXISTS (SELECT FROM emag_offer_rejects r
                  WHERE r.sync_id = :sync AND r.emag_offer_id = shown.id);

-- name: ages
-- The time from the oldest page to the last count, and the longest pause between two reads, or before that count.
WITH reads AS (
    SELECT fetched_at AS read_at FROM emag_scan_pages WHERE sync_id = :sync
    UNION ALL
    SELECT CAST(:counted_at AS timestamptz)
)
SELECT max(:counted_at - read_at) AS oldest, max(pause) AS pause
FROM (SELECT read_at, read_at - lag(read_at) OVER (ORDER BY read_at) AS pause FROM reads) paused;

-- name: proof_before
-- The proof of the account's last published sync before this one.
SELECT proof FROM emag_offer_syncs
WHERE account_type = :account AND sync_id <> :sync AND status = 'completed'
ORDER BY sync_number DESC LIMIT 1;
