-- The status of the accounts, from the ledger. Seconds are until now, by the database's clock.

-- name: progress
-- The progress of a sync; the caller appends the condition.
SELECT sync_id, account_type AS account, status, phase, attempt, round, dagster_run_id, started_at,
       pages_expected, pages_done, offers_expected, total_offers_processed AS offers_done,
       offers_created, offers_updated, offers_unchanged, offers_deleted, offers_rejected,
       extract(epoch FROM coalesce(completed_at, clock_timestamp()) - attempt_started_at)::float8 AS elapsed_seconds,
       -- a publish adds its own attempt, a resume adds the one before it
       (worked_seconds + CASE WHEN status = 'completed' THEN 0 ELSE greatest(
           0, extract(epoch FROM coalesce(completed_at, clock_timestamp()) - attempt_started_at)) END)::float8
           AS worked_seconds,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS silent_seconds,
       extract(epoch FROM clock_timestamp() - oldest_page_at)::float8 AS oldest_page_seconds,
       approved_at IS NOT NULL AND discarded_at IS NULL
           AND (completed_at IS NULL OR approved_at > completed_at) AS is_approved,
       approved_at, approved_by, completed_at, error_class, error_message, error_remedy,
       discarded_at IS NOT NULL AS is_discarded, obstacle,
       extract(epoch FROM deadline_at - started_at)::float8 AS allowed_seconds
FROM emag_offer_syncs

-- name: asked_by_id
-- The number of missing offers that were read by id.
SELECT count(*) FROM emag_scan_confirmations WHERE account_type = :account AND sync_id = :sync;

-- name: published
-- The published state of each account, in the given order. The newest sync and the newest publish are each the first row
-- of an index scan.
SELECT a.account,
       published.completed_at AS last_publish_at, published.oldest_page_at,
       extract(epoch FROM clock_timestamp() - published.oldest_page_at)::float8 AS age_seconds,
       extract(epoch FROM clock_timestamp() - published.completed_at)::float8 AS published_seconds_ago,
       published.worked_seconds AS scan_seconds, published.sync_id, published.approved_at, published.approved_by,
       coalesce(f.offers, 0) AS offers, coalesce(f.saleable, 0) AS saleable,
       coalesce(f.deleted, 0) AS deleted, coalesce(f.quarantined, 0) AS flagged,
       (SELECT count(*) FROM emag_offer_rejects r WHERE r.sync_id = newest.sync_id) AS quarantined
FROM unnest(CAST(:accounts AS text[])) WITH ORDINALITY AS a(account, place)
LEFT JOIN LATERAL (
    SELECT sync_id FROM emag_offer_syncs s
    WHERE s.account_type = a.account ORDER BY sync_number DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT sync_id, completed_at, oldest_page_at, worked_seconds, approved_at, approved_by
    FROM emag_offer_syncs s
    WHERE s.account_type = a.account AND s.status = 'completed' ORDER BY sync_number DESC LIMIT 1
) published ON true
LEFT JOIN emag_account_figures f ON f.account_type = a.account
ORDER BY a.place;
