-- What the data team reviews, check by check. The statement with a check's name returns its findings: one row per offer with
-- `emag_offer_id`, `what` is wrong, further columns, and a `weight` by which the most severe come first. `numbers_of_…`, if
-- present, returns one row of reference figures. Words in braces are other statements of this file.
-- :account is the account; an offer exists while it has no tombstone.

-- name: judge
-- Findings, with whether they are accepted; both kinds are counted in full, and a sample of each is returned.
WITH findings AS MATERIALIZED (
    {findings}
), judged AS (
    SELECT f.*, EXISTS (
        SELECT FROM {active} AND (d.emag_offer_id IS NULL OR d.emag_offer_id = f.emag_offer_id)) AS is_accepted
    FROM findings f
), ranked AS (
    SELECT j.*, count(*) OVER (PARTITION BY is_accepted) AS found,
           row_number() OVER (PARTITION BY is_accepted ORDER BY weight DESC NULLS LAST, emag_offer_id) AS place
    FROM judged j
)
SELECT r.*, left(o.part_number, 80) AS part_number, left(p.name, 80) AS name
FROM ranked r
LEFT JOIN emag_product_offers o ON o.account_type = :account AND o.emag_offer_id = r.emag_offer_id
LEFT JOIN emag_products p ON p.account_type = :account AND p.emag_offer_id = r.emag_offer_id
WHERE r.place <= :most
ORDER BY r.is_accepted, r.place;

-- name: is_published
SELECT EXISTS (SELECT FROM emag_offer_syncs WHERE account_type = :account AND status = 'completed');

-- name: last_sync
-- The account's newest publish; `is_staged` while all its staged rows still exist. It is part of the same statement as what
-- depends on it, because the next sync may empty the staging at any moment.
SELECT s.sync_id, s.completed_at, s.publish_number,
       s.offers_created + s.offers_updated + s.offers_unchanged AS offers,
       s.windows_staged = (SELECT count(*) FROM emag_scan_pages p
                           WHERE p.account_type = :account AND p.sync_id = s.sync_id) AS is_staged
FROM emag_offer_syncs s
WHERE s.account_type = :account AND s.status = 'completed'
ORDER BY s.completed_at DESC LIMIT 1;

-- name: published_equals_scan
-- A flagged offer keeps its last good state: its new version was read, and is in quarantine. `raw` is not compared: equal
-- content may be written in different ways, and has the same fingerprint.
-- Hashes are compared, so that no wide columns go through the join. For an offer whose row was not parsed again, the hash
-- is the one stored when it was published; without a stored hash it is not compared.
-- Comparing all texts would take longer than a publish without changes, so some 10,000 of a large account are drawn at each
-- publish. Not in turn: several accounts published by schedule would always draw the same part.
WITH last AS ({last_sync}), turn AS (
    SELECT parts, abs(hashint8(publish_number)::bigint) % parts AS part
    FROM last CROSS JOIN LATERAL (SELECT greatest(1, ceil(offers / 10000.0)::bigint)) shared (parts)
), staged AS (
    SELECT s.emag_offer_id, s.row_hash, s.content_hash,
           CASE WHEN s.is_unchanged THEN d.narrow_hash ELSE {s_narrow_hash} END AS narrow_hash,
           CASE WHEN s.emag_offer_id % turn.parts <> turn.part THEN NULL
                WHEN s.is_unchanged THEN d.texts_hash
                ELSE {s_texts_hash} END AS texts_hash
    FROM emag_scan_offers s JOIN last USING (sync_id) CROSS JOIN turn
    LEFT JOIN emag_row_digests d
        ON d.account_type = :account AND d.emag_offer_id = s.emag_offer_id AND d.formula = :formula
    WHERE s.account_type = :account AND last.is_staged
), published AS (
    SELECT o.emag_offer_id, o.row_hash, p.row_hash AS content_hash, o.rejected_at,
           {o_narrow_hash} AS narrow_hash,
           CASE WHEN o.emag_offer_id % turn.parts = turn.part THEN {p_texts_hash} END AS texts_hash
    FROM emag_product_offers o
    JOIN emag_products p USING (account_type, emag_offer_id) CROSS JOIN turn
    WHERE o.account_type = :account AND o.deleted_at IS NULL AND (SELECT is_staged FROM last)
), compared AS (
    SELECT emag_offer_id,
           CASE WHEN p.row_hash IS NULL THEN 'was read, and is not published'
                WHEN s.row_hash IS NULL THEN CASE WHEN p.rejected_at IS NULL THEN 'is published, and was not read' END
                WHEN s.row_hash <> p.row_hash OR s.narrow_hash <> p.narrow_hash
                    THEN 'its prices, stock or status are not those that were read'
                WHEN s.content_hash <> p.content_hash OR s.texts_hash <> p.texts_hash
                    THEN 'its texts or pictures are not those that were read'
           END AS what
    FROM staged s FULL JOIN published p USING (emag_offer_id)
)
SELECT emag_offer_id, what, 0 AS weight FROM compared WHERE what IS NOT NULL;

-- name: numbers_of_published_equals_scan
-- What the ledger says was published, and what readers see; flagged offers are those without a readable row in the scan.
-- The share of offers whose texts are compared; and offers that were not parsed and have no stored hash.
SELECT last.is_staged, last.offers AS offers_in_ledger, greatest(1, ceil(last.offers / 10000.0)::bigint) AS texts_of_one_in,
       (SELECT count(*) FROM emag_scan_offers s
        LEFT JOIN emag_row_digests d
            ON d.account_type = :account AND d.emag_offer_id = s.emag_offer_id AND d.formula = :formula
        WHERE s.account_type = :account AND s.sync_id = last.sync_id AND s.is_unchanged AND d.emag_offer_id IS NULL) AS forgotten,
       (SELECT count(*) FROM emag_product_offers o
        WHERE o.account_type = :account AND o.deleted_at IS NULL AND o.rejected_at IS NULL) AS offers_published
FROM ({last_sync}) last;

-- name: price_moves
-- Prices that the newest publish changed, and those of the states that it ended. New and revived offers, and those whose
-- currency changed, have no previous price. A rise from 0 exceeds every bound.
SELECT o.emag_offer_id, h.sale_price AS previous_price,
       CASE WHEN h.sale_price = 0 THEN 'Infinity' ELSE o.sale_price / h.sale_price - 1 END AS move
FROM emag_product_offers o
JOIN emag_offer_states h
    ON h.account_type = o.account_type AND h.emag_offer_id = o.emag_offer_id AND h.stamp_to = o.changed_at
WHERE o.account_type = :account AND o.deleted_at IS NULL AND o.sale_price <> h.sale_price
  AND o.currency IS NOT DISTINCT FROM h.currency
  AND o.changed_at = (SELECT max(p.stamp) FROM emag_publishes p WHERE p.account_type = :account);

-- name: prices_are_plausible
-- A recommended price of 0 means none. That it is not below the sale price is an assumption; the vendor's documents do not
-- say it.
SELECT * FROM (
    SELECT o.emag_offer_id,
           concat_ws('; ',
               CASE WHEN o.sale_price IS NULL THEN 'has no price' WHEN o.sale_price <= 0 THEN 'its price is not above 0' END,
               CASE WHEN m.previous_price = 0 THEN 'rose from 0'
                    WHEN abs(m.move) > :price_move
                    THEN CASE WHEN m.move > 0 THEN 'rose by ' ELSE 'fell by ' END || round(abs(m.move) * 100, 1) || ' %'
               END,
               CASE WHEN o.recommended_price > 0 AND o.sale_price > o.recommended_price
                    THEN 'costs more than its recommended price' END) AS what,
           o.sale_price, m.previous_price, o.recommended_price, o.currency,
           CASE WHEN coalesce(o.sale_price, 0) <= 0 THEN 'Infinity' ELSE coalesce(abs(m.move), 0) END AS weight
    FROM emag_product_offers o
    LEFT JOIN ({price_moves}) m USING (emag_offer_id)
    WHERE o.account_type = :account AND o.deleted_at IS NULL
) f
WHERE what <> '';

-- name: numbers_of_prices_are_plausible
SELECT count(*) AS price_moves,
       coalesce(round(100 * max(abs(move)) FILTER (WHERE previous_price > 0), 1), 0) AS largest_move_percent
FROM ({price_moves}) m;

-- name: currencies_are_the_marketplaces
-- If the marketplace's currency is not known, the account's is used instead.
WITH offers AS (
    SELECT emag_offer_id, currency, sale_price FROM emag_product_offers
    WHERE account_type = :account AND deleted_at IS NULL
), expected AS MATERIALIZED (  -- evaluated once, not per row
    SELECT coalesce(CAST(:currency AS text), emag_account_currency(:account)) AS currency
)
SELECT o.emag_offer_id, coalesce('is priced in ' || o.currency, 'has no currency') AS what,
       o.sale_price, e.currency AS expected_currency, 0 AS weight
FROM offers o CROSS JOIN expected e
WHERE o.currency IS DISTINCT FROM e.currency;

-- name: numbers_of_currencies_are_the_marketplaces
SELECT count(DISTINCT currency) AS currencies FROM emag_product_offers
WHERE account_type = :account AND deleted_at IS NULL;

-- name: eans
-- Every EAN with its expected check digit: padded with zeros to 14 digits, the first 13 have the weights 3 and 1 in turn,
-- and the last digit makes the sum a multiple of ten (GS1; GTIN-8, -12, -13 and -14). Null for other lengths, which the
-- marketplace accepts too (docs/marketplace-api.md, "Prices, stock and VAT") and which have no check digit.
SELECT p.emag_offer_id, e.ean, e.ean ~ '^[0-9]{6,14}$' AS is_number,
       CASE WHEN e.ean ~ '^[0-9]{8}$|^[0-9]{12,14}$' THEN (
           SELECT (10 - sum(CAST(substr(lpad(e.ean, 14, '0'), place, 1) AS integer) * (1 + 2 * (place % 2))) % 10) % 10
           FROM generate_series(1, 13) place
       ) END AS check_digit
FROM emag_product_offers o
JOIN emag_products p USING (account_type, emag_offer_id)
CROSS JOIN LATERAL unnest(p.ean) e (ean)
WHERE o.account_type = :account AND o.deleted_at IS NULL;

-- name: ean_check_digits_are_right
SELECT emag_offer_id,
       string_agg(CASE WHEN is_number THEN ean || ' should end in ' || check_digit
                       ELSE left(ean, 20) || ' is not a number of 6 to 14 digits' END, '; ' ORDER BY ean) AS what,
       count(*) AS weight
FROM ({eans}) e
WHERE NOT is_number OR right(ean, 1) <> CAST(check_digit AS text)
GROUP BY emag_offer_id;

-- name: numbers_of_ean_check_digits_are_right
SELECT count(*) AS eans, count(*) FILTER (WHERE is_number AND check_digit IS NULL) AS without_check_digit
FROM ({eans}) e;

-- name: part_number_keys_are_unique
-- A blank key means none.
WITH shared AS (
    SELECT part_number_key, array_agg(emag_offer_id ORDER BY emag_offer_id) AS ids
    FROM emag_product_offers
    WHERE account_type = :account AND deleted_at IS NULL AND part_number_key ~ '\S'
    GROUP BY part_number_key HAVING count(*) > 1
)
SELECT one.emag_offer_id, part_number_key,
       'is the product of ' || array_to_string((array_remove(ids[1:6], one.emag_offer_id))[1:5], ', ') || ' too' AS what,
       cardinality(ids) AS weight
FROM shared CROSS JOIN LATERAL unnest(ids) one (emag_offer_id);

-- name: numbers_of_part_number_keys_are_unique
SELECT count(DISTINCT part_number_key) FILTER (WHERE part_number_key ~ '\S') AS products,
       count(*) FILTER (WHERE part_number_key ~ '\S' IS NOT TRUE) AS without_key
FROM emag_product_offers
WHERE account_type = :account AND deleted_at IS NULL;

-- name: best_prices_are_consistent
-- The vendor's documents only say that the prices are `the best offer's` and that rank 1 `wins` (docs/marketplace-api.md,
-- "Open beliefs"). That no offer is cheaper than the best one, and that the winner is the best offer, are assumptions. Only
-- saleable offers compete.
SELECT * FROM (
    SELECT emag_offer_id,
           concat_ws('; ',
               CASE WHEN best_offer_sale_price > sale_price THEN 'is cheaper than the best offer' END,
               CASE WHEN buy_button_rank = 1 AND best_offer_sale_price <> sale_price
                    THEN 'has the buy button at another price than the best offer' END) AS what,
           sale_price, best_offer_sale_price, buy_button_rank, number_of_offers, currency,
           abs(sale_price / best_offer_sale_price - 1) AS weight
    FROM emag_product_offers
    WHERE account_type = :account AND deleted_at IS NULL AND is_saleable AND best_offer_sale_price > 0
) f
WHERE what <> '';

-- name: numbers_of_best_prices_are_consistent
SELECT count(*) FILTER (WHERE best_offer_sale_price > 0) AS compared, count(*) AS saleable
FROM emag_product_offers
WHERE account_type = :account AND deleted_at IS NULL AND is_saleable;
