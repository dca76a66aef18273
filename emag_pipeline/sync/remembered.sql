-- What one scan of an account leaves for the next: the order of its listing (emag_listing_order), how the listing
-- behaves (emag_accounts), how the rows of published offers were written (emag_row_digests).

-- name: read_order
-- A chunk of the order; there is none behind the last.
SELECT ids FROM emag_listing_order WHERE account_type = :account AND chunk = :chunk;

-- name: keep_order
-- Of a listing that stands still nothing is written.
INSERT INTO emag_listing_order AS o (account_type, chunk, ids)
VALUES (:account, :chunk, CAST(:ids AS bigint[]))
ON CONFLICT (account_type, chunk) DO UPDATE SET ids = excluded.ids
WHERE o.ids <> excluded.ids;

-- name: forget_order
-- The chunks behind the last one of a listing that has become shorter.
DELETE FROM emag_listing_order WHERE account_type = :account AND chunk >= :chunks;

-- name: habits
-- How the listing was found to behave within the last :days.
SELECT coalesce(reorders_at > now() - :days * interval '1 day', false) AS reorders,
       coalesce(odd_sizes_ignored_at > now() - :days * interval '1 day', false) AS ignores_odd_sizes
FROM emag_accounts
WHERE account_type = :account;

-- name: note_habits
-- What a scan has seen; what it has not seen stays as it was.
UPDATE emag_accounts
SET reorders_at = CASE WHEN :reorders THEN clock_timestamp() ELSE reorders_at END,
    odd_sizes_ignored_at = CASE WHEN :odd THEN clock_timestamp() ELSE odd_sizes_ignored_at END
WHERE account_type = :account AND (:reorders OR :odd);

-- name: find_digests
-- How the rows of these offers were written, of those that are published as they were read then. Not of flagged offers,
-- nor of those that were published under earlier rules: these have to be read.
SELECT d.emag_offer_id, d.digest, d.row_hash, d.content_hash, d.noticed
FROM emag_row_digests d
JOIN emag_product_offers o USING (account_type, emag_offer_id)
JOIN emag_products p USING (account_type, emag_offer_id)
WHERE d.account_type = :account AND d.formula = :formula AND d.emag_offer_id = ANY (CAST(:ids AS bigint[]))
  AND o.deleted_at IS NULL AND o.rejected_at IS NULL
  AND o.row_hash = d.row_hash AND p.row_hash = d.content_hash;
