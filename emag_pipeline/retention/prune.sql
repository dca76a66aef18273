-- What pruning keeps and how it removes the rest. Queries with a plural as name are used in conditions: they return the
-- rows to keep.

-- name: kept_syncs
-- Syncs whose ledger row stays: running ones, young ones, each account's newest (only that can be resumed or approved),
-- each account's newest success.
SELECT s.sync_id FROM emag_offer_syncs s
JOIN (SELECT account_type, max(sync_number) AS newest,
             max(completed_at) FILTER (WHERE status = 'completed') AS published_last
      FROM emag_offer_syncs GROUP BY account_type) a USING (account_type)
WHERE s.status = 'running' OR s.heartbeat_at >= now() - :days * interval '1 day'
   OR s.sync_number = a.newest OR (s.status = 'completed' AND s.completed_at = a.published_last)

-- name: kept_rejects
-- The newest reject of each flagged offer, which says why it is flagged, at any age.
SELECT max(r.reject_id) FROM emag_offer_rejects r
JOIN emag_product_offers o USING (account_type, emag_offer_id)
WHERE o.rejected_at IS NOT NULL AND o.deleted_at IS NULL
GROUP BY account_type, emag_offer_id

-- name: stageable_syncs
-- Syncs whose staging may still be published: running ones, and each account's newest ended one, while it has time left or
-- waits for approval. `sync_number` gives the same order as `lease.take_lease`.
SELECT s.sync_id FROM emag_offer_syncs s
JOIN (SELECT account_type, max(sync_number) AS ended_last FROM emag_offer_syncs
      WHERE status <> 'running' GROUP BY account_type) a USING (account_type)
WHERE s.sync_number = a.ended_last AND s.discarded_at IS NULL
  AND (s.deadline_at > now() OR s.error_class = 'RefusedError')
UNION ALL
SELECT sync_id FROM emag_offer_syncs WHERE status = 'running'

-- name: changed_syncs
-- Syncs whose changes are still displayed: each account's newest ended one, and running ones.
SELECT s.sync_id FROM emag_offer_syncs s
WHERE s.status = 'running' OR s.sync_number = (
    SELECT max(n.sync_number) FROM emag_offer_syncs n
    WHERE n.account_type = s.account_type AND n.status <> 'running')

-- name: batch
-- One batch of rows, locked; rows locked by another session are left for the next day.
{change} WHERE ctid = ANY(ARRAY(
    SELECT t.ctid FROM {table} t WHERE {condition}
    LIMIT :batch FOR UPDATE OF t SKIP LOCKED))
