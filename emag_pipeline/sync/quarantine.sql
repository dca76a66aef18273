-- The quarantine (emag_offer_rejects): writing, and lists for people. While a scan is staged, these also include offers
-- with unreadable fields and unreadable positions.

-- name: keep
-- A row that cannot be represented, with its reason.
INSERT INTO emag_offer_rejects (account_type, sync_id, page, emag_offer_id, reason, payload)
VALUES (:account, :sync, :page, :id, :reason, :payload);

-- name: digests
-- The digests of the rows from pages, as `quarantine.digest_of` computes them, in batches. Computed on the server, since
-- the rows may be large.
SELECT reject_id, substr(sha256(convert_to(
           coalesce(CAST(emag_offer_id AS text), '') || ':' || payload, 'UTF8')), 1, :size) AS digest
FROM emag_offer_rejects
WHERE sync_id = :sync AND page > 0 AND reject_id > :after
ORDER BY reject_id LIMIT :limit;

-- name: newest_sync
-- The account's newest sync, in any status.
SELECT sync_id FROM emag_offer_syncs
WHERE account_type = :account
ORDER BY sync_number DESC LIMIT 1;

-- fragment: not_read
-- The rows that the scan :sync of :account could not read, or only in part.
SELECT CAST(:account AS text) AS account, sync_id, 'quarantined' AS kind, page, emag_offer_id, reason, payload,
       rejected_at, reject_id AS place
FROM emag_offer_rejects WHERE sync_id = :sync
UNION ALL
SELECT account_type, sync_id, 'unreadable field', page, emag_offer_id,
       array_to_string(unreadable, ', ') || ' cannot be read', CAST(raw AS text), fetched_at, emag_offer_id
FROM emag_scan_offers WHERE account_type = :account AND sync_id = :sync AND unreadable <> '{}'
UNION ALL
SELECT account_type, sync_id, 'unreadable position', page, NULL,
       'the marketplace fails on every page that holds this position of the listing', NULL, fetched_at, position
FROM emag_scan_pages WHERE account_type = :account AND sync_id = :sync AND is_unreadable

-- name: rows
-- Row by row, in the order of pages.
SELECT account, sync_id, kind, page, emag_offer_id, reason, payload, rejected_at
FROM ({not_read}) not_read
ORDER BY page, kind, place LIMIT :limit;

-- name: reasons
-- By reason, most frequent first. Values that differ between rows (:values) become an ellipsis.
WITH grouped AS (
    SELECT *, left(regexp_replace(reason, :values, '…', 'g'), 160) AS words FROM ({not_read}) not_read
)
SELECT account, words, count(*) AS rows, min(kind) AS kind,
       (array_agg(emag_offer_id ORDER BY page, place))[1] AS emag_offer_id,
       (array_agg(page ORDER BY page, place))[1] AS page
FROM grouped
GROUP BY account, words
ORDER BY rows DESC, words LIMIT :most;
