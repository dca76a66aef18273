-- The transactional outbox (monitoring/outbox.py): messages that the webhook has not received yet. A message is claimed
-- before it is sent, so that two processes do not both send it; a claim expires.

-- name: claim_alert
-- The oldest open incident whose cause was not sent yet. `stale` is sent only after it was found twice: after a long stop,
-- the first check finds accounts that are already being refreshed.
UPDATE emag_incidents
SET claimed_until = clock_timestamp() + :seconds * interval '1 second'
WHERE incident_id = (
    SELECT incident_id FROM emag_incidents
    WHERE closed_at IS NULL
      AND told_cause IS DISTINCT FROM CASE kind WHEN 'refused' THEN remedy ELSE coalesce(error_class, '') END
      AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
      AND (kind <> 'stale' OR seen_at > opened_at)
    ORDER BY incident_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING incident_id, subject, kind, error_class, message, remedy, dagster_run_id, opened_at, seen_at, closed_at, told_at;

-- name: claim_end
-- All sent incidents of one subject, once none of its incidents is open any more.
WITH recovered AS (
    SELECT subject FROM emag_incidents GROUP BY subject
    HAVING bool_and(closed_at IS NOT NULL)
       AND bool_or(end_told_at IS NULL AND told_at IS NOT NULL
                   AND (claimed_until IS NULL OR claimed_until < clock_timestamp()))
    ORDER BY subject LIMIT 1)
UPDATE emag_incidents i
SET claimed_until = clock_timestamp() + :seconds * interval '1 second'
FROM recovered
WHERE i.subject = recovered.subject AND end_told_at IS NULL AND told_at IS NOT NULL
  AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
RETURNING incident_id, i.subject, kind, error_class, message, remedy, dagster_run_id, opened_at, seen_at, closed_at, told_at;

-- name: alert_sent
UPDATE emag_incidents
SET told_at = clock_timestamp(), told_cause = :cause, claimed_until = NULL
WHERE incident_id = ANY(:ids);

-- name: end_sent
UPDATE emag_incidents SET end_told_at = clock_timestamp() WHERE incident_id = ANY(:ids);

-- name: not_sent
UPDATE emag_incidents SET claimed_until = NULL WHERE incident_id = ANY(:ids);
