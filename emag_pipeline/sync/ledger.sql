-- Reads and transitions of the ledger. Transitions under a lease share three conditions (sync, token, running): no match
-- means that the lease is lost. The comments of the others name the status before and after.

-- name: sync
-- The rows of the ledger as the type Sync; the caller appends the condition.
SELECT sync_id, sync_number, account_type AS account, status, phase, attempt, round, dagster_run_id, lease_token,
       started_at, attempt_started_at, progressed_at, completed_at, deadline_at, deadline_at > now() AS is_in_time,
       pages_expected, pages_done, windows_staged, offers_expected, total_offers_processed, offers_created,
       offers_updated, offers_unchanged, offers_deleted, offers_rejected, worked_seconds, proof, error_class,
       error_message, error_remedy, approved_at, approved_by, discarded_at
FROM emag_offer_syncs s

-- name: durable_windows
-- The number of windows of a sync in staging.
SELECT count(*) FROM emag_scan_pages WHERE account_type = :account AND sync_id = :sync;

-- name: staged
-- The numbers of staged windows and offers of a sync, which discarding it removes.
SELECT (SELECT count(*) FROM emag_scan_pages WHERE account_type = :account AND sync_id = :sync) AS pages,
       (SELECT count(*) FROM emag_scan_offers WHERE account_type = :account AND sync_id = :sync) AS offers;

-- name: pages_left
-- The number of pages that the next attempt continues with: all done ones, if staging still has every window.
SELECT CASE WHEN windows_staged > 0 AND windows_staged = (
           SELECT count(*) FROM emag_scan_pages p WHERE p.account_type = :account AND p.sync_id = :sync
       ) THEN pages_done ELSE 0 END
FROM emag_offer_syncs WHERE sync_id = :sync;

-- name: last_count
-- The marketplace's count at the account's last sync that read it.
SELECT offers_expected FROM emag_offer_syncs
WHERE account_type = :account AND offers_expected IS NOT NULL
ORDER BY sync_number DESC LIMIT 1;

-- name: newest_refused
-- Appended to `sync`. A sync that a person may approve: the newest of its account, refused by the audit.
WHERE sync_id = :sync AND status = 'failed' AND error_class = 'RefusedError' AND discarded_at IS NULL
  AND phase = 'auditing'
  AND sync_number = (SELECT max(sync_number) FROM emag_offer_syncs n WHERE n.account_type = s.account_type)
FOR UPDATE;

-- name: was_refused
-- Whether the audit ended this attempt with a refusal.
SELECT EXISTS (
    SELECT FROM emag_offer_syncs
    WHERE sync_id = :sync AND lease_token = :token AND status = 'failed' AND error_class = 'RefusedError');

-- name: hold
-- Checks the lease and keeps it until the end of the transaction; heartbeats are not blocked.
SELECT phase FROM emag_offer_syncs
WHERE sync_id = :sync AND lease_token = :token AND status = 'running' FOR KEY SHARE;

-- name: hold_to_end
-- The same to end the sync: waits for all other writers of the row.
SELECT phase FROM emag_offer_syncs
WHERE sync_id = :sync AND lease_token = :token AND status = 'running' FOR UPDATE;

-- name: phase
-- The phase of a sync, if the token still holds its lease.
SELECT phase FROM emag_offer_syncs WHERE sync_id = :sync AND lease_token = :token AND status = 'running';

-- name: open
-- (none) → running. A partial unique index lets only one of several succeed.
INSERT INTO emag_offer_syncs
    (sync_id, account_type, status, phase, lease_token, deadline_at, dagster_run_id, dagster_instance_id, host, boot_id,
     namespaces, process_id, process_start_ticks)
VALUES
    (:sync, :account, 'running', 'planning', :token, now() + :hours * interval '1 hour', :dagster_run_id,
     :dagster_instance_id, :host, :boot_id, :namespaces, :process_id, :process_start_ticks)
ON CONFLICT DO NOTHING;

-- name: resume
-- Ended without a publish → running. An approved sync gets its full time again.
UPDATE emag_offer_syncs
SET status = 'running', phase = 'scanning', attempt = attempt + 1, dagster_run_id = :dagster_run_id,
    dagster_instance_id = :dagster_instance_id, host = :host, boot_id = :boot_id, namespaces = :namespaces,
    process_id = :process_id, process_start_ticks = :process_start_ticks,
    worked_seconds = worked_seconds + greatest(0, extract(epoch FROM heartbeat_at - attempt_started_at)),
    oldest_page_at = (SELECT min(fetched_at) FROM emag_scan_pages p
                      WHERE p.account_type = :account AND p.sync_id = :sync),
    lease_token = :token, attempt_started_at = now(), heartbeat_at = now(), progressed_at = now(),
    completed_at = NULL, error_class = NULL, error_message = NULL, error_remedy = NULL,
    deadline_at = CASE WHEN approved_at IS NULL THEN deadline_at
                       ELSE greatest(deadline_at, now() + (deadline_at - started_at)) END
WHERE sync_id = :sync AND status IN ('failed', 'timeout', 'cancelled') AND discarded_at IS NULL
RETURNING attempt;

-- name: beat
-- A heartbeat, with what the work is waiting for. It is not progress.
UPDATE emag_offer_syncs SET heartbeat_at = clock_timestamp(), obstacle = nullif(:obstacle, '')
WHERE sync_id = :sync AND lease_token = :token AND status = 'running';

-- name: plan
-- The scan begins, or starts over: what is expected, nothing done yet.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(),
    phase = 'scanning', pages_expected = :pages, offers_expected = :offers, pages_done = 0,
    windows_staged = 0, total_offers_processed = 0, offers_rejected = 0, proof = NULL, oldest_page_at = NULL,
    deadline_at = greatest(deadline_at, clock_timestamp() + :seconds * interval '1 second')
WHERE sync_id = :sync AND lease_token = :token AND status = 'running'
  AND phase IN ('planning', 'scanning', 'confirming');

-- name: add_windows
-- Windows are staged. Pages read between reads by id leave the phase 'confirming'; another reading of all pages resets it.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(),
    phase = CASE WHEN phase = 'confirming' AND round >= :reading THEN phase ELSE 'scanning' END,
    windows_staged = windows_staged + :windows, offers_rejected = offers_rejected + :rejects,
    pages_done = greatest(pages_done, :done), pages_expected = greatest(:expected, pages_done),
    total_offers_processed = greatest(total_offers_processed, :rows), round = greatest(round, :reading)
WHERE sync_id = :sync AND lease_token = :token AND status = 'running'
  AND phase IN ('planning', 'scanning', 'confirming');

-- name: set_windows
-- The number of windows that are left of those staged.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(), windows_staged = :windows
WHERE sync_id = :sync AND lease_token = :token AND status = 'running'
  AND phase IN ('planning', 'scanning', 'confirming');

-- name: confirm
-- All pages are read; missing offers are read by id.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(), phase = 'confirming'
WHERE sync_id = :sync AND lease_token = :token AND status = 'running'
  AND phase IN ('planning', 'scanning', 'confirming');

-- name: add_rejects
-- Rows quarantined by reads by id, possibly none.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(), offers_rejected = offers_rejected + :rejects
WHERE sync_id = :sync AND lease_token = :token AND status = 'running'
  AND phase IN ('planning', 'scanning', 'confirming');

-- name: end_scan
-- The scan's findings that are not in staging.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(),
    proof = CAST(:proof AS jsonb), pages_done = pages_expected
WHERE sync_id = :sync AND lease_token = :token AND status = 'running'
  AND phase IN ('planning', 'scanning', 'confirming');

-- name: audit
-- The scan has ended and is being audited; may run twice if the confirmation of the first commit was lost.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(), phase = 'auditing'
WHERE sync_id = :sync AND lease_token = :token AND status = 'running';

-- name: accept
-- The publish may begin: it checks this phase and does not rely on its caller.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(),
    phase = 'publishing', proof = CAST(:proof AS jsonb)
WHERE sync_id = :sync AND lease_token = :token AND status = 'running' AND phase = 'auditing';

-- name: refuse
-- The numbers of a refused scan, for the person who decides. The sync ends right after.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(), proof = CAST(:proof AS jsonb)
WHERE sync_id = :sync AND lease_token = :token AND status = 'running' AND phase = 'auditing';

-- name: complete
-- Running → completed, within the transaction that publishes.
UPDATE emag_offer_syncs
SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(),
    status = 'completed', completed_at = :at, publish_number = :number, obstacle = NULL,
    offers_created = :created, offers_updated = :updated, offers_unchanged = :unchanged, offers_deleted = :deleted,
    worked_seconds = worked_seconds + greatest(0, extract(epoch FROM :at - attempt_started_at)),
    oldest_page_at = least(:at, coalesce((
        SELECT min(fetched_at) FROM emag_scan_pages p
        WHERE p.account_type = :account AND p.sync_id = :sync), started_at))
WHERE sync_id = :sync AND lease_token = :token AND status = 'running' AND phase = 'publishing';

-- name: end
-- Running → failed, timeout or cancelled; the caller holds the row FOR UPDATE. The token becomes invalid.
UPDATE emag_offer_syncs
SET status = :status, completed_at = clock_timestamp(), obstacle = NULL, error_class = :error_class,
    error_message = :message, error_remedy = :remedy
WHERE sync_id = :sync AND status = 'running';

-- name: approve
-- Refused → approved, so that the next attempt resumes it. Later than the refusal even if the clock was set back.
UPDATE emag_offer_syncs
SET approved_at = greatest(now(), completed_at + interval '1 microsecond'), approved_by = :by
WHERE sync_id = :sync AND status = 'failed' AND error_class = 'RefusedError' AND discarded_at IS NULL;

-- name: discard
-- Ended without a publish → discarded, so never resumed or approved. The first person to do so is recorded.
UPDATE emag_offer_syncs SET discarded_at = now(), discarded_by = :by
WHERE sync_id = :sync AND status IN ('failed', 'timeout', 'cancelled') AND discarded_at IS NULL;
