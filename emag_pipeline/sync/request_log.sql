-- The request log (emag_requests).

-- name: insert
-- A call. The first one of a batch carries its id: if another transaction is saving the same batch, this waits for it and
-- then inserts nothing.
INSERT INTO emag_requests
    (sent_at, account_type, resource, page, page_size, offer_id, status, outcome, seconds, bytes,
     error_class, error_body, batch_id)
VALUES (:sent_at, :account_type, :resource, :page, :page_size, :offer_id, :status, :outcome, :seconds, :bytes,
        :error_class, :error_body, :batch_id)
ON CONFLICT (batch_id) WHERE batch_id IS NOT NULL DO NOTHING;

-- name: count_since
-- The number of calls of an account since then, over all processes.
SELECT count(*) FROM emag_requests WHERE account_type = :account AND sent_at >= :since;
