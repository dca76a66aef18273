-- Surprises in responses: values the code does not know or cannot read (emag_answer_surprises).

-- name: note
-- Adds surprises ([field, kind, sample, times], …). An account has at most :most fields per resource; further ones are
-- summed under the field '…'.
WITH given AS (
    SELECT place, g.item ->> 0 AS field, g.item ->> 1 AS kind, g.item ->> 2 AS sample,
           (g.item ->> 3)::bigint AS times
    FROM jsonb_array_elements(CAST(:given AS jsonb)) WITH ORDINALITY AS g (item, place)
), known AS (
    SELECT field, kind FROM emag_answer_surprises
    WHERE account_type = :account AND resource = :resource AND field <> '…'
), judged AS (
    SELECT given.*, known.field IS NOT NULL AS is_known
    FROM given LEFT JOIN known USING (field, kind)
), placed AS (
    SELECT place, kind, sample, times,
           CASE WHEN is_known OR row_number() OVER (PARTITION BY is_known ORDER BY place)
                                 <= :most - (SELECT count(*) FROM known)
                THEN field ELSE '…' END AS field
    FROM judged
)
INSERT INTO emag_answer_surprises AS s (account_type, resource, field, kind, times, sample)
SELECT :account, :resource, field, kind, sum(times), (array_agg(sample ORDER BY place))[1]
FROM placed
GROUP BY field, kind
ON CONFLICT (account_type, resource, field, kind) DO UPDATE SET
    times = s.times + excluded.times, last_seen_at = now(), sample = coalesce(s.sample, excluded.sample);

-- fragment: recent
-- For each account, its surprises since its newest completed sync began, or all before its first.
FROM unnest(CAST(:accounts AS text[])) AS a (account)
JOIN emag_answer_surprises s ON s.account_type = a.account
WHERE s.last_seen_at >= coalesce(
    (SELECT started_at FROM emag_offer_syncs p
     WHERE p.account_type = a.account AND p.status = 'completed' ORDER BY sync_number DESC LIMIT 1), '-infinity')

-- name: review
-- A sample of these, the most serious :kinds first, and their total number.
SELECT count(*) OVER () AS fields, s.resource, s.field, s.kind, s.times, s.first_seen_at, s.last_seen_at, s.sample
{recent}
ORDER BY array_position(CAST(:kinds AS text[]), s.kind), s.times DESC, s.resource, s.field
LIMIT :most;
