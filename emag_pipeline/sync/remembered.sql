-- What a scan of an account stores for the next: the order of its listing (emag_listing_order), the listing's behaviour
-- (emag_accounts), digests of the rows of published offers (emag_row_digests).

-- name: read_order
-- A chunk of the order; no row after the last one.
SELECT ids FROM emag_listing_order WHERE account_type = :account AND chunk = :chunk;

-- name: keep_order
-- Writes nothing if the order is unchanged.
INSERT INTO emag_listing_order AS o (account_type, chunk, ids)
VALUES (:account, :chunk, CAST(:ids AS bigint[]))
ON CONFLICT (account_type, chunk) DO UPDATE SET ids = excluded.ids
WHERE o.ids <> excluded.ids;

-- name: forget_order
-- Deletes the chunks after the last one of a listing that has become shorter.
DELETE FROM emag_listing_order WHERE account_type = :account AND chunk >= :chunks;

-- name: habits
-- The behaviour of the listing observed within the last :days.
SELECT coalesce(reorders_at > now() - :days * interval '1 day', false) AS reorders,
       coalesce(odd_sizes_ignored_at > now() - :days * interval '1 day', false) AS ignores_odd_sizes
FROM emag_accounts
WHERE account_type = :account;

-- name: note_habits
-- Records the behaviour that a scan observed; other columns are unchanged.
UPDATE emag_accounts
SET reorders_at = CASE WHEN :reorders THEN clock_timestamp() ELSE reorders_at END,
    odd_sizes_ignored_at = CASE WHEN :odd THEN clock_timestamp() ELSE odd_sizes_ignored_at END
WHERE account_type = :account AND (:reorders OR :odd);

-- name: find_digests
-- The digests of those of these offers that are still published as they were read. Without flagged offers and those
-- published under earlier rules: these must be parsed.
SELECT d.emag_offer_id, d.digest, d.row_hash, d.content_hash, d.noticed
FROM emag_row_digests d
JOIN emag_product_offers o USING (account_type, emag_offer_id)
JOIN emag_products p USING (account_type, emag_offer_id)
WHERE d.account_type = :account AND d.formula = :formula AND d.emag_offer_id = ANY (CAST(:ids AS bigint[]))
  AND o.deleted_at IS NULL AND o.rejected_at IS NULL
  AND o.row_hash = d.row_hash AND p.row_hash = d.content_hash;
