-- The request log (emag_requests).

-- name: insert
-- A call. The first one of a batch says which batch it is: whoever saves the same one meanwhile is waited for, and
-- nothing is inserted then.
INSERT INTO emag_requests
    (sent_at, account_type, resource, page, page_size, offer_id, status, outcome, seconds, bytes,
     error_class, error_body, batch_id)
VALUES (:sent_at, :account_type, :resource, :page, :page_size, :offer_id, :status, :outcome, :seconds, :bytes,
        :error_class, :error_body, :batch_id)
ON CONFLICT (batch_id) WHERE batch_id IS NOT NULL DO NOTHING;

-- name: count_since
-- The calls of an account since a moment, of all processes.
SELECT count(*) FROM emag_requests WHERE account_type = :account AND sent_at >= :since;
