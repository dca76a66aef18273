-- Existing offers of a marketplace whose {key} is not in {table}. Rows with a tombstone count as absent: the marketplace no
-- longer returns them, although emag_current_offers still has their names or rates.

-- name: count_unknown
-- Grouped by id first, since there are far fewer ids than offers. {offers} is the smallest table or join that has the id,
-- because this runs after each publish.
WITH named AS (
    SELECT {key}, count(*) AS offers
    FROM emag_accounts
    JOIN {offers} USING (account_type)
    WHERE marketplace = :marketplace AND deleted_at IS NULL
    GROUP BY {key}
)
SELECT coalesce(sum(n.offers) FILTER (WHERE n.{key} IS NOT NULL AND r.{key} IS NULL), 0)::bigint AS offers,
       count(*) FILTER (WHERE n.{key} IS NOT NULL AND r.{key} IS NULL) AS ids,
       coalesce(sum(n.offers) FILTER (WHERE r.{key} IS NULL AND old.{key} IS NOT NULL), 0)::bigint AS no_longer_listed,
       coalesce(sum(n.offers) FILTER (WHERE n.{key} IS NULL), 0)::bigint AS without_id
FROM named n
LEFT JOIN {table} r ON r.marketplace = :marketplace AND r.{key} = n.{key} AND r.deleted_at IS NULL
LEFT JOIN {table} old ON old.marketplace = :marketplace AND old.{key} = n.{key} AND old.deleted_at IS NOT NULL;

-- name: sample_unknown
SELECT o.account_type AS account, o.emag_offer_id, o.{key}, o.name
FROM emag_current_offers o
LEFT JOIN {table} r
    ON r.marketplace = o.marketplace AND r.{key} = o.{key} AND r.deleted_at IS NULL
WHERE o.marketplace = :marketplace AND o.{key} IS NOT NULL AND r.{key} IS NULL
ORDER BY o.account_type, o.emag_offer_id
LIMIT :most;
