-- How the accounts stand, by the ledger. Seconds are until now, by the database's clock.

-- name: progress
-- How far a sync is; what follows says which.
SELECT sync_id, account_type AS account, status, phase, attempt, round, dagster_run_id, started_at,
       pages_expected, pages_done, offers_expected, total_offers_processed AS offers_done,
       offers_created, offers_updated, offers_unchanged, offers_deleted, offers_rejected,
       extract(epoch FROM coalesce(completed_at, clock_timestamp()) - attempt_started_at)::float8 AS elapsed_seconds,
       -- the publish has added its attempt, a resume those before it
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
-- Offers that pages did not show and that were asked for by their id.
SELECT count(*) FROM emag_scan_confirmations WHERE account_type = :account AND sync_id = :sync;

-- name: published
-- What is published of each account, in the order asked for. The newest sync and the newest publish each end at the
-- first row of an index.
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
