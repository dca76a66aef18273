-- The rows of emag_incidents: one open row per subject and kind. `:kinds` are the kinds that count as the same problem.

-- name: lock_open
-- Locks the open row of the same problem, if there is one. A row of another kind or cause is replaced, not renewed.
SELECT 1 FROM emag_incidents
WHERE subject = :subject AND closed_at IS NULL AND kind = ANY(CAST(:kinds AS text[]))
FOR UPDATE;

-- name: renew
-- The same kind and cause: only message, run and the time of the last observation change.
UPDATE emag_incidents
SET message = :message, remedy = :remedy, dagster_run_id = :run_id, seen_at = clock_timestamp()
WHERE subject = :subject AND closed_at IS NULL AND kind = :kind
  AND CASE kind WHEN 'refused' THEN remedy ELSE coalesce(error_class, '') END = :cause
RETURNING 1;

-- name: replace
-- Another cause gets its own row; the previous row is closed without a message.
UPDATE emag_incidents
SET closed_at = greatest(opened_at, clock_timestamp())
WHERE subject = :subject AND closed_at IS NULL AND kind = ANY(CAST(:kinds AS text[]));

-- name: open
INSERT INTO emag_incidents (subject, kind, error_class, message, remedy, dagster_run_id)
VALUES (:subject, :kind, :error_class, :message, :remedy, :run_id)
ON CONFLICT (subject, kind) WHERE closed_at IS NULL DO NOTHING;

-- name: close
-- Incidents that began before the subject recovered. A row in the future, because the clock was set back, counts as earlier.
UPDATE emag_incidents
SET closed_at = greatest(opened_at, :at)
WHERE subject = :subject AND closed_at IS NULL
  AND (opened_at <= :at OR opened_at > clock_timestamp() + interval '1 minute')
  AND NOT (kind = ANY(CAST(:still AS text[])))
RETURNING incident_id, subject, kind, error_class, message, remedy, dagster_run_id, opened_at, seen_at, closed_at, told_at;

-- name: forget_others
-- Closes incidents of subjects that no longer exist, unless another installation on this database has seen them lately.
UPDATE emag_incidents
SET closed_at = now(), end_told_at = now()
WHERE closed_at IS NULL AND NOT (subject = ANY(CAST(:subjects AS text[])))
  AND seen_at <= clock_timestamp() - :unseen * interval '1 second';

-- name: all_open
SELECT incident_id, subject, kind, error_class, message, remedy, dagster_run_id, opened_at, seen_at, closed_at, told_at
FROM emag_incidents
WHERE closed_at IS NULL
ORDER BY opened_at, incident_id;

-- name: open_for_account
-- Incidents of the account itself, of its checks and jobs (`… of ACCOUNT`), and of parts of the pipeline that every account
-- needs.
SELECT incident_id, subject, kind, error_class, message, remedy, dagster_run_id, opened_at, seen_at, closed_at, told_at
FROM emag_incidents
WHERE closed_at IS NULL
  AND regexp_replace(subject, '^\S+ of (\S+)( on \S+)?$', '\1')
      NOT IN (SELECT account_type FROM emag_offer_syncs WHERE account_type <> :account)
ORDER BY opened_at, incident_id;
