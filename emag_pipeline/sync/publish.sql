-- The statements of the publish, all in one transaction. Every statement is set-based and touches only changed rows. The
-- names of staging tables are replaced by those of the account's own partitions (sync/staging_room.py), {part} by a
-- condition on blocks of the staged offers if a statement runs in several parts. :sync and :account are those of the
-- lease; :stamp identifies this publish in all rows that it writes. The published time is taken by the very last
-- statement, so that it is close to the commit however many changes there are.

-- name: stamp
-- Clock time, not the start of the transaction. Like the published time, it is later than every earlier publish of any
-- account even if the clock was set back, so the two differ by at most the duration of the publish.
SELECT greatest(clock_timestamp(), (
    SELECT published_at + interval '1 microsecond' FROM emag_publishes ORDER BY publish_number DESC LIMIT 1));

-- name: forget_changes
-- Makes the statements repeatable within the transaction; a publish that failed before its commit left nothing anyway.
DELETE FROM emag_scan_changes WHERE sync_id = :sync;

-- name: forget_repeats
-- If several pages showed an offer (because the catalogue moved), the row read last counts.
DELETE FROM emag_scan_offers s
USING (
    SELECT ctid AS place, row_number() OVER (
        PARTITION BY emag_offer_id ORDER BY fetched_at DESC, page DESC) AS age
    FROM emag_scan_offers
    WHERE sync_id = :sync
) ranked
WHERE s.ctid = ranked.place AND ranked.age > 1;

-- name: keep_last_good
-- An unreadable commercial field keeps its published value, or null if there is none. The fingerprint remains that of the
-- row as read, so that the same row counts as unchanged next time.
UPDATE emag_scan_offers s
SET ({commercial}) = ROW({kept_or_read})
FROM emag_product_offers o
WHERE s.sync_id = :sync AND s.unreadable <> '{}' AND NOT s.is_unchanged
  AND o.account_type = :account AND o.emag_offer_id = s.emag_offer_id;

-- name: is_to_adopt
-- Whether the changes include rows that were published under earlier rules. It checks the changes, since an index of such
-- rows would be on `row_hash` and prevent heap-only (HOT) updates of offers.
SELECT EXISTS (
    SELECT FROM emag_scan_changes c
    LEFT JOIN emag_product_offers o ON o.account_type = :account AND o.emag_offer_id = c.emag_offer_id
    LEFT JOIN emag_products p ON p.account_type = :account AND p.emag_offer_id = c.emag_offer_id
    WHERE c.sync_id = :sync AND c.change IN ('updated', 'revived', 'content') AND (o.row_hash = '' OR p.row_hash = ''));

-- name: adopt_history
-- Rows with an empty fingerprint were published under earlier rules. If their columns of that time are equal, the state
-- continues and only the newer columns are filled in.
UPDATE emag_offer_states h
SET ({young_narrow}) = ROW({s_young_narrow})
FROM emag_product_offers o
JOIN emag_scan_offers s ON s.sync_id = :sync AND s.emag_offer_id = o.emag_offer_id
WHERE o.account_type = :account AND o.row_hash = '' AND o.deleted_at IS NULL
  AND ROW({o_old_narrow}) IS NOT DISTINCT FROM ROW({s_old_narrow})
  AND h.account_type = :account AND h.emag_offer_id = o.emag_offer_id AND h.stamp_to IS NULL;

-- name: adopt_offers
-- The same for the published rows, which get the fingerprint of the current rules.
UPDATE emag_product_offers o
SET ({young_narrow}) = ROW({s_young_narrow}), row_hash = s.row_hash
FROM emag_scan_offers s
WHERE s.sync_id = :sync AND s.emag_offer_id = o.emag_offer_id
  AND o.account_type = :account AND o.row_hash = '' AND o.deleted_at IS NULL
  AND ROW({o_old_narrow}) IS NOT DISTINCT FROM ROW({s_old_narrow});

-- name: adopt_products
-- The same for the columns of the product's page.
UPDATE emag_products p
SET ({young_wide}) = ROW({s_young_wide}), row_hash = s.content_hash
FROM emag_scan_offers s
WHERE s.sync_id = :sync AND s.emag_offer_id = p.emag_offer_id
  AND p.account_type = :account AND p.row_hash = ''
  AND ROW({p_old_wide}) IS NOT DISTINCT FROM ROW({s_old_wide});

-- name: find_changes
-- The differences between staging and the published rows, by fingerprints only. Unchanged offers are not written (G9).
INSERT INTO emag_scan_changes (account_type, sync_id, emag_offer_id, change, content_changed)
SELECT :account, :sync, s.emag_offer_id,
       CASE WHEN o.emag_offer_id IS NULL THEN 'created'
            WHEN o.deleted_at IS NOT NULL THEN 'revived'
            WHEN o.row_hash <> s.row_hash OR o.rejected_at IS NOT NULL THEN 'updated'
            ELSE 'content' END,
       p.row_hash IS DISTINCT FROM s.content_hash
FROM emag_scan_offers s
LEFT JOIN emag_product_offers o ON o.account_type = :account AND o.emag_offer_id = s.emag_offer_id
LEFT JOIN emag_products p ON p.account_type = :account AND p.emag_offer_id = s.emag_offer_id
WHERE s.sync_id = :sync
  AND (o.emag_offer_id IS NULL OR o.deleted_at IS NOT NULL OR o.rejected_at IS NOT NULL
       OR o.row_hash <> s.row_hash OR p.row_hash IS DISTINCT FROM s.content_hash);

-- name: count_unread
-- Changed offers that were staged as unchanged, without columns: the published rows have changed since, but not by a
-- publish. There should be none.
SELECT count(*)
FROM emag_scan_changes c
JOIN emag_scan_offers s ON s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync AND c.change <> 'deleted' AND s.is_unchanged;

-- name: find_deletions
-- A tombstone needs two proofs (G3): the offer is not in the scan, not even as a rejected row shown after the read by id,
-- and the read by its id did not find it.
INSERT INTO emag_scan_changes (account_type, sync_id, emag_offer_id, change, content_changed)
SELECT :account, :sync, o.emag_offer_id, 'deleted', false
FROM emag_scan_confirmations c
JOIN emag_product_offers o ON o.account_type = :account AND o.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync AND o.deleted_at IS NULL
  AND {gone};

-- name: close_history
-- States that end now. An 'updated' row with the same commercial columns (it is no longer rejected) keeps its state. An
-- open state of a new or revived offer can only remain from an offer that was deleted by hand; it ends too.
UPDATE emag_offer_states h
SET stamp_to = :stamp
FROM emag_scan_changes c
LEFT JOIN emag_product_offers o ON o.account_type = :account AND o.emag_offer_id = c.emag_offer_id
LEFT JOIN emag_scan_offers s
    ON s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync AND c.change <> 'content'
  AND (c.change <> 'updated' OR o.row_hash <> s.row_hash)
  AND h.account_type = :account AND h.emag_offer_id = c.emag_offer_id AND h.stamp_to IS NULL;

-- name: open_history
-- States that begin now; runs before the published rows are changed, since it compares with them.
INSERT INTO emag_offer_states (account_type, emag_offer_id, stamp_from, sync_id, {narrow})
SELECT :account, s.emag_offer_id, :stamp, :sync, {s_narrow}
FROM emag_scan_changes c
JOIN emag_scan_offers s
    ON s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id
LEFT JOIN emag_product_offers o ON o.account_type = :account AND o.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync{part}
  AND (c.change IN ('created', 'revived') OR (c.change = 'updated' AND o.row_hash <> s.row_hash));

-- name: update_offers
-- Offers that changed or came back.
UPDATE emag_product_offers o
SET ({narrow}) = ROW({s_narrow}),
    row_hash = s.row_hash, changed_at = :stamp, deleted_at = NULL, rejected_at = NULL, last_sync_id = :sync
FROM emag_scan_changes c
JOIN emag_scan_offers s
    ON s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync AND c.change IN ('updated', 'revived'){part}
  AND o.account_type = :account AND o.emag_offer_id = c.emag_offer_id;

-- name: create_offers
-- Offers that are new.
INSERT INTO emag_product_offers
    (account_type, emag_offer_id, {narrow}, row_hash, first_seen_at, changed_at, last_sync_id)
SELECT :account, s.emag_offer_id, {s_narrow}, s.row_hash, :stamp, :stamp, :sync
FROM emag_scan_changes c
JOIN emag_scan_offers s
    ON s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync AND c.change = 'created'{part};

-- name: update_products
-- The columns of the product's page, if they changed.
UPDATE emag_products p
SET ({wide}) = ROW({s_wide}), row_hash = s.content_hash, changed_at = :stamp
FROM emag_scan_changes c
JOIN emag_scan_offers s
    ON s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync AND c.content_changed{part}
  AND p.account_type = :account AND p.emag_offer_id = c.emag_offer_id;

-- name: create_products
-- Skips rows that exist, and includes offers that are not new: rows may have been removed by hand.
INSERT INTO emag_products (account_type, emag_offer_id, {wide}, row_hash, changed_at)
SELECT :account, s.emag_offer_id, {s_wide}, s.content_hash, :stamp
FROM emag_scan_changes c
JOIN emag_scan_offers s
    ON s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id
WHERE c.sync_id = :sync AND c.content_changed{part}
  AND NOT EXISTS (SELECT FROM emag_products p
                  WHERE p.account_type = :account AND p.emag_offer_id = c.emag_offer_id);

-- name: delete_offers
-- Tombstones; the row stays with its last state.
UPDATE emag_product_offers o
SET deleted_at = :stamp, changed_at = :stamp, last_sync_id = :sync
FROM emag_scan_changes c
WHERE c.sync_id = :sync AND c.change = 'deleted'
  AND o.account_type = :account AND o.emag_offer_id = c.emag_offer_id;

-- name: flag_rejected
-- A published offer whose new version cannot be represented keeps its last good state and is flagged (G7).
UPDATE emag_product_offers o
SET rejected_at = :stamp, last_sync_id = :sync
FROM emag_offer_rejects r
WHERE r.sync_id = :sync
  AND o.account_type = :account AND o.emag_offer_id = r.emag_offer_id
  AND o.deleted_at IS NULL AND o.rejected_at IS NULL
  AND NOT EXISTS (SELECT FROM emag_scan_offers s
                  WHERE s.sync_id = :sync AND s.emag_offer_id = r.emag_offer_id);

-- name: remember_rows
-- The digests of the rows that were read, with the fingerprints of what was published from them (sync/remembered.py).
INSERT INTO emag_row_digests AS d
    (account_type, emag_offer_id, digest, row_hash, content_hash, noticed, formula, narrow_hash, texts_hash)
SELECT :account, s.emag_offer_id, s.row_digest, s.row_hash, s.content_hash, s.noticed, :formula,
       {narrow_hash}, {texts_hash}
FROM emag_scan_offers s
WHERE s.sync_id = :sync AND s.row_digest IS NOT NULL{part}
ON CONFLICT (account_type, emag_offer_id) DO UPDATE SET
    digest = excluded.digest, row_hash = excluded.row_hash, content_hash = excluded.content_hash,
    noticed = excluded.noticed, formula = excluded.formula,
    narrow_hash = excluded.narrow_hash, texts_hash = excluded.texts_hash
WHERE ROW(d.digest, d.row_hash, d.content_hash, d.formula, d.narrow_hash, d.texts_hash) IS DISTINCT FROM
      ROW(excluded.digest, excluded.row_hash, excluded.content_hash, excluded.formula, excluded.narrow_hash, excluded.texts_hash);

-- name: summarise
-- The changes of the publish, in offers, and the number of staged offers.
SELECT count(*) FILTER (WHERE change = 'created') AS created,
       count(*) FILTER (WHERE change IN ('updated', 'revived', 'content')) AS updated,
       count(*) FILTER (WHERE change = 'deleted') AS deleted,
       (SELECT count(*) FROM emag_scan_offers WHERE sync_id = :sync) AS staged
FROM emag_scan_changes
WHERE sync_id = :sync;

-- name: totals
-- Stored for frequent readers: counting a million offers for each query would be too expensive.
INSERT INTO emag_account_figures AS f (account_type, offers, saleable, deleted, quarantined, counted_at)
SELECT :account,
       count(*) FILTER (WHERE deleted_at IS NULL),
       count(*) FILTER (WHERE deleted_at IS NULL AND is_saleable),
       count(*) FILTER (WHERE deleted_at IS NOT NULL),
       count(*) FILTER (WHERE deleted_at IS NULL AND rejected_at IS NOT NULL),
       :stamp
FROM emag_product_offers
WHERE account_type = :account
ON CONFLICT (account_type) DO UPDATE SET
    offers = excluded.offers, saleable = excluded.saleable, deleted = excluded.deleted,
    quarantined = excluded.quarantined, counted_at = excluded.counted_at
RETURNING f.offers, f.saleable, f.quarantined AS flagged;

-- name: await_turn
-- From here to the commit there is only one publish at a time, over all accounts, so that numbers and times become visible
-- in order. It is the last lock that a publish takes, which rules out deadlocks.
SELECT pg_advisory_xact_lock(hashtextextended('emag publish order "' || current_schema() || '"', 0));

-- name: number
-- Later than all publishes of all accounts, even if the clock was set back since the last one.
INSERT INTO emag_publishes (account_type, stamp, published_at, sync_id)
SELECT :account, :stamp, greatest(clock_timestamp(), :stamp, (
    SELECT published_at + interval '1 microsecond' FROM emag_publishes ORDER BY publish_number DESC LIMIT 1)), :sync
RETURNING publish_number, published_at;

-- name: published_by
-- What an attempt has published, if its commit succeeded but the confirmation was lost.
SELECT s.offers_created, s.offers_updated, s.offers_unchanged, s.offers_deleted, s.offers_rejected,
       s.completed_at, f.offers, f.saleable, f.quarantined AS flagged
FROM emag_offer_syncs s
JOIN emag_account_figures f USING (account_type)
WHERE s.sync_id = :sync AND s.lease_token = :token AND s.status = 'completed';
