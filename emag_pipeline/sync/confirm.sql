-- Offers that a complete scan did not show, and the results of their reads by id (emag_scan_confirmations). The names of
-- partitioned tables are replaced by those of the account's own partitions (staging_room.own), except in `found`.

-- fragment: missing
-- Published, neither staged nor quarantined, and not yet confirmed either way.
FROM emag_product_offers known
WHERE known.account_type = :account AND known.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM emag_scan_offers s
                  WHERE s.sync_id = :sync AND s.emag_offer_id = known.emag_offer_id)
  AND NOT EXISTS (SELECT FROM emag_offer_rejects r
                  WHERE r.sync_id = :sync AND r.emag_offer_id = known.emag_offer_id)
  AND NOT EXISTS (SELECT FROM emag_scan_confirmations c
                  WHERE c.sync_id = :sync AND c.emag_offer_id = known.emag_offer_id)

-- fragment: gone
-- Condition on confirmations `c` of offers that are gone: not found, and not shown by a later page, staged or not. The
-- publish deletes by the same rule (publish.sql).
NOT c.is_found
  AND NOT EXISTS (SELECT FROM emag_scan_offers s
                  WHERE s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id)
  AND NOT EXISTS (SELECT FROM emag_offer_rejects r
                  WHERE r.sync_id = :sync AND r.emag_offer_id = c.emag_offer_id)

-- fragment: shown_since
-- Condition on confirmations `c` of offers that a later page has shown: they count as offers of that page, readable or
-- not.
(EXISTS (SELECT FROM emag_scan_offers s
         WHERE s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id AND s.page > 0)
 OR EXISTS (SELECT FROM emag_offer_rejects r
            WHERE r.sync_id = :sync AND r.emag_offer_id = c.emag_offer_id AND r.page > 0)
    AND NOT EXISTS (SELECT FROM emag_scan_offers s
                    WHERE s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id))

-- name: missing_offers
-- The next ones to read by id.
SELECT known.emag_offer_id
{missing}
  AND known.emag_offer_id > :after
ORDER BY 1 LIMIT :limit;

-- name: count_missing
-- The number still to be read by id.
SELECT count(*)
{missing};

-- name: count_found
-- The number of those found and not shown by a page since, and of those whose reads fail.
SELECT count(*) FILTER (WHERE NOT is_unreadable AND NOT {shown_since}) AS known,
       count(*) FILTER (WHERE is_unreadable) AS unreadable
FROM emag_scan_confirmations c
WHERE sync_id = :sync AND is_found;

-- name: count_gone
-- The number of those confirmed gone.
SELECT count(*) FROM emag_scan_confirmations c
WHERE c.sync_id = :sync AND {gone};

-- name: found
-- The missing offers found by id.
SELECT emag_offer_id FROM emag_scan_confirmations
WHERE account_type = :account AND sync_id = :sync AND is_found AND NOT is_unreadable;

-- name: note
-- The result of a read by id; the newest one counts.
INSERT INTO emag_scan_confirmations (account_type, sync_id, emag_offer_id, is_found, is_unreadable)
VALUES (:account, :sync, :id, :found, :unreadable)
ON CONFLICT (account_type, sync_id, emag_offer_id)
DO UPDATE SET is_found = excluded.is_found, is_unreadable = excluded.is_unreadable;
