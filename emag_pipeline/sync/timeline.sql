-- The course of the scan of :sync, a sync of :account. Every `at` is in seconds since the sync began; calls are those of
-- its account during that time.

-- name: scan
-- The scan ends with its last page or call: the ledger has no end while it runs, and a later one afterwards.
SELECT s.started_at, s.pages_expected, e.until,
       extract(epoch FROM e.until - s.started_at)::float8 AS seconds
FROM emag_offer_syncs s
CROSS JOIN LATERAL (
    SELECT greatest(
        s.started_at,
        (SELECT max(fetched_at) FROM emag_scan_pages p
         WHERE p.account_type = :account AND p.sync_id = s.sync_id),
        (SELECT max(sent_at + seconds * interval '1 second') FROM emag_requests r
         WHERE r.account_type = s.account_type AND r.sent_at >= s.started_at
           AND r.sent_at <= coalesce(s.completed_at, clock_timestamp()))
    ) AS until
) e
WHERE s.sync_id = :sync;

-- name: pages
-- For each reading the first window, the last, and about :points between, with the hundreds of positions covered by then.
SELECT reading, at, pages
FROM (
    SELECT p.reading, extract(epoch FROM p.fetched_at - s.started_at)::float8 AS at,
           ceil(max(p.position + cardinality(p.ids)) OVER so_far / 100.0)::integer AS pages,
           row_number() OVER so_far AS place, count(*) OVER (PARTITION BY p.reading) AS total
    FROM emag_scan_pages p
    JOIN emag_offer_syncs s USING (sync_id)
    WHERE p.account_type = :account AND p.sync_id = :sync AND p.reading > 0
    WINDOW so_far AS (PARTITION BY p.reading ORDER BY p.fetched_at, p.number)
) numbered
WHERE place IN (1, total) OR place % greatest(1, total / :points) = 0
ORDER BY reading, place;

-- name: calls
SELECT count(*) FILTER (WHERE outcome = 'ok') AS answered,
       count(*) FILTER (WHERE outcome = 'error') AS failed,
       count(*) FILTER (WHERE outcome = 'error' AND status = 429) AS limited
FROM emag_requests
WHERE account_type = :account AND sent_at BETWEEN :from AND :until;

-- name: failures
-- Failures in the same one of :points equal periods are shown as one mark.
SELECT DISTINCT ON (place, is_limited) at, is_limited
FROM (
    SELECT extract(epoch FROM sent_at - :from)::float8 AS at, coalesce(status = 429, false) AS is_limited,
           width_bucket(extract(epoch FROM sent_at), extract(epoch FROM :from),
                        extract(epoch FROM :until) + 0.001, :points) AS place
    FROM emag_requests
    WHERE account_type = :account AND outcome = 'error' AND sent_at BETWEEN :from AND :until
) marked
ORDER BY place, is_limited, at;

-- name: pauses
-- Periods without a call in progress, longer than two seconds and than four median gaps between calls: with a small share
-- of the rate budget every gap is long, which is not a pause.
WITH gaps AS (
    SELECT sent_at,
           max(sent_at + seconds * interval '1 second')
               OVER (ORDER BY sent_at, request_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS free_since,
           sent_at - lag(sent_at) OVER (ORDER BY sent_at, request_id) AS gap
    FROM emag_requests
    WHERE account_type = :account AND sent_at BETWEEN :from AND :until
), longest AS (
    SELECT free_since, sent_at
    FROM gaps
    WHERE sent_at - free_since > greatest(
        interval '2 seconds', 4 * (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY gap) FROM gaps))
    ORDER BY sent_at - free_since DESC, sent_at LIMIT :most
)
SELECT extract(epoch FROM free_since - :from)::float8 AS start, extract(epoch FROM sent_at - :from)::float8 AS end
FROM longest ORDER BY sent_at;

-- name: answers_over_time
SELECT width_bucket(extract(epoch FROM sent_at), extract(epoch FROM :from),
                    extract(epoch FROM :until) + 0.001, :steps) AS step,
       count(*) AS answers
FROM emag_requests
WHERE account_type = :account AND outcome = 'ok' AND sent_at BETWEEN :from AND :until
GROUP BY 1 ORDER BY 1;
