-- Existing offers of a marketplace whose {key} is none of {table}. A tombstone counts as gone: the marketplace does not
-- show it any more, though emag_current_offers still knows its name or rate.

-- name: count_unknown
SELECT count(*) FILTER (WHERE o.{key} IS NOT NULL AND r.{key} IS NULL) AS offers,
       count(DISTINCT o.{key}) FILTER (WHERE r.{key} IS NULL) AS ids,
       count(*) FILTER (WHERE o.{key} IS NULL) AS without_id
FROM {schema}.emag_current_offers o
LEFT JOIN {schema}.{table} r
    ON r.marketplace = o.marketplace AND r.{key} = o.{key} AND r.deleted_at IS NULL
WHERE o.marketplace = :marketplace;

-- name: sample_unknown
SELECT o.account_type AS account, o.emag_offer_id, o.{key}, o.name
FROM {schema}.emag_current_offers o
LEFT JOIN {schema}.{table} r
    ON r.marketplace = o.marketplace AND r.{key} = o.{key} AND r.deleted_at IS NULL
WHERE o.marketplace = :marketplace AND o.{key} IS NOT NULL AND r.{key} IS NULL
ORDER BY o.account_type, o.emag_offer_id
LIMIT :most;
