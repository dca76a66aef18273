-- What the report reads beside the marts and the state of the account.

-- name: last_syncs
SELECT sync_id, status, attempt, started_at, completed_at, pages_done, total_offers_processed, offers_created,
       offers_updated, offers_unchanged, offers_deleted, offers_rejected, proof, error_message, error_remedy,
       approved_at, approved_by
FROM emag_offer_syncs
WHERE account_type = :account
ORDER BY sync_number DESC
LIMIT :limit;

-- name: mart_stamps
-- Which publish each mart shows.
SELECT mart, published_at, refreshed_at, rows
FROM emag_mart_refreshes
WHERE account_type = :account
ORDER BY mart;
