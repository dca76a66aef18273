-- emag_daily_assortment: one row for a day (UTC) of an account, from history alone, so that a day computed later is the same.

-- name: fresh
-- A day is over if it ended before this statement's snapshot (hence its timestamp, not the clock) and no publish is in
-- progress that may have begun before the day's end: it would commit later. Days that ended before the first publish, and
-- future ones, have no row.
WITH day AS (
    SELECT CAST(:day AS date)::timestamp AT TIME ZONE 'UTC' AS begins,
           (CAST(:day AS date) + 1)::timestamp AT TIME ZONE 'UTC' AS ends
),
known AS (
    SELECT least(first.valid_from, ledger.since) AS since, ledger.since AS ledger_since,
           first.sync_id IS NULL OR first.sync_id = ANY (ledger.syncs) AS ledger_is_whole
    FROM (
        SELECT min(completed_at) AS since, array_agg(sync_id) AS syncs
        FROM emag_offer_syncs WHERE account_type = :account AND status = 'completed'
    ) ledger
    LEFT JOIN (
        SELECT p.published_at AS valid_from, h.sync_id
        FROM emag_offer_states h
        JOIN emag_publishes p ON p.account_type = h.account_type AND p.stamp = h.stamp_from
        WHERE h.account_type = :account ORDER BY h.stamp_from LIMIT 1
    ) first ON true
),
before AS (
    SELECT * FROM emag_daily_assortment WHERE account_type = :account AND day = CAST(:day AS date)
),
-- Whether the day's row is the one shown last, by the same rules, and no publish has changed an offer since.
calm AS (
    SELECT EXISTS (SELECT FROM before WHERE as_of = :shown_at AND is_carried_forward IS NOT NULL)
           AND NOT EXISTS (SELECT FROM emag_offer_states
                           WHERE account_type = :account AND stamp_from > :shown_at)
           AND NOT EXISTS (SELECT FROM emag_product_offers
                           WHERE account_type = :account AND deleted_at > :shown_at) AS is_calm
),
moment AS (
    SELECT calm.is_calm, day.begins, day.ends, known.since > day.begins - interval '1 microsecond' AS is_first,
           -- pruning removes the oldest rows, so days that begin after the oldest remaining one are complete
           known.ledger_since < day.begins OR known.ledger_is_whole AS is_in_ledger,
           day.begins - interval '1 microsecond' AS before,
           CASE WHEN day.ends > statement_timestamp() OR EXISTS (
                    SELECT FROM emag_offer_syncs
                    WHERE account_type = :account AND status = 'running' AND phase = 'publishing'
                      AND attempt_started_at < day.ends)
                THEN greatest(newest.published_at, day.begins)
                ELSE day.ends - interval '1 microsecond' END AS as_of
    FROM day
    CROSS JOIN newest
    CROSS JOIN known
    CROSS JOIN calm
    WHERE day.begins <= statement_timestamp() AND day.ends > known.since
),
here AS MATERIALIZED (
    SELECT h.* FROM moment CROSS JOIN LATERAL emag_offers_as_of_if_known(:account, moment.as_of) h
    WHERE NOT moment.is_calm
),
there AS (
    SELECT h.emag_offer_id, h.sale_price, h.currency
    FROM moment
    CROSS JOIN LATERAL emag_offers_as_of_if_known(:account, moment.before) h
    WHERE NOT moment.is_calm
),
money AS (
    SELECT emag_usual_currency(array_agg(currency)) AS currency FROM here
),
figures AS (
    SELECT count(*) AS offers, count(*) FILTER (WHERE is_saleable) AS saleable_offers,
           coalesce(sum(greatest(general_stock, 0)), 0) AS stock,
           count(*) FILTER (WHERE NOT emag_in_currency(here.currency, money.currency))
               AS offers_in_other_currencies
    FROM here
    CROSS JOIN money
),
-- Facts that the ledger no longer has are kept from when the day was computed before.
publishes AS (
    SELECT CASE WHEN moment.is_in_ledger THEN completed.number
                WHEN before.publishes IS NOT NULL THEN greatest(before.publishes, completed.number) END AS publishes,
           coalesce(completed.last, before.last_published_at) AS last_published_at,
           CASE WHEN completed.number > 0 THEN false
                WHEN moment.is_in_ledger THEN true
                WHEN before.is_carried_forward IS NOT NULL THEN before.is_carried_forward
                -- publishes are recorded for longer than the ledger's rows
                WHEN EXISTS (
                    SELECT FROM emag_publishes p
                    WHERE p.account_type = :account AND p.published_at >= moment.begins AND p.published_at < moment.ends)
                THEN false END AS is_carried_forward
    FROM moment
    CROSS JOIN LATERAL (
        SELECT (count(*) FILTER (WHERE completed_at >= moment.begins))::integer AS number, max(completed_at) AS last
        FROM emag_offer_syncs
        WHERE account_type = :account AND status = 'completed' AND completed_at <= moment.as_of
    ) completed
    LEFT JOIN before ON true
),
amounts AS (
    SELECT coalesce(sum(greatest(here.general_stock, 0) * here.sale_price), 0) AS stock_value,
           -- the mean of the two middle values, which are the same for an odd number; exact, unlike percentile_cont
           round((percentile_disc(0.5) WITHIN GROUP (ORDER BY here.sale_price)
                  + percentile_disc(0.5) WITHIN GROUP (ORDER BY here.sale_price DESC)) / 2, 4) AS median_price
    FROM here
    JOIN money ON emag_in_currency(here.currency, money.currency)
    WHERE here.sale_price IS NOT NULL
),
moves AS (
    SELECT count(*) FILTER (WHERE there.emag_offer_id IS NULL) AS arrivals,
           count(*) FILTER (WHERE here.emag_offer_id IS NULL) AS departures,
           count(*) FILTER (WHERE comparable AND here.sale_price IS DISTINCT FROM there.sale_price) AS price_moves,
           count(*) FILTER (WHERE comparable AND here.sale_price > there.sale_price) AS price_rises,
           count(*) FILTER (WHERE comparable AND here.sale_price < there.sale_price) AS price_cuts
    FROM here
    FULL JOIN there ON there.emag_offer_id = here.emag_offer_id
    CROSS JOIN LATERAL (
        -- a price in another currency is not a price move
        SELECT here.emag_offer_id = there.emag_offer_id AND here.currency IS NOT DISTINCT FROM there.currency
    ) both_there (comparable)
),
issues AS (
    SELECT coalesce(jsonb_object_agg(code, offers), '{}') AS issues
    FROM (
        SELECT code, count(*) AS offers
        FROM here
        CROSS JOIN LATERAL unnest(emag_issue_codes(
            status, general_stock, sale_price, offer_validation_status, validation_status,
            translation_validation_status, unreadable)) code
        GROUP BY code
    ) counted
)
SELECT CAST(:day AS date) AS day, CAST(:account AS text) AS account_type, moment.as_of,
       figures.offers, figures.saleable_offers,
       round(figures.saleable_offers / nullif(figures.offers, 0)::numeric, 6) AS saleable_share,
       figures.stock, amounts.stock_value, amounts.median_price, money.currency,
       CASE WHEN NOT moment.is_first THEN moves.arrivals END AS arrivals,
       moves.departures, moves.price_moves, moves.price_rises, moves.price_cuts, issues.issues,
       publishes.publishes, publishes.last_published_at, publishes.is_carried_forward,
       figures.offers_in_other_currencies
FROM moment
CROSS JOIN publishes
CROSS JOIN money
CROSS JOIN figures
CROSS JOIN amounts
CROSS JOIN moves
CROSS JOIN issues
WHERE NOT moment.is_calm
UNION ALL
SELECT before.day, before.account_type, moment.as_of, before.offers, before.saleable_offers, before.saleable_share,
       before.stock, before.stock_value, before.median_price, before.currency, before.arrivals, before.departures,
       before.price_moves, before.price_rises, before.price_cuts, before.issues,
       publishes.publishes, publishes.last_published_at, publishes.is_carried_forward,
       before.offers_in_other_currencies
FROM moment
CROSS JOIN publishes
CROSS JOIN before
WHERE moment.is_calm;

-- name: numbers
SELECT as_of, offers, saleable_offers, saleable_share, stock, stock_value, median_price, currency,
       arrivals, departures, price_moves, price_rises, price_cuts, issues, publishes, last_published_at,
       is_carried_forward, offers_in_other_currencies
FROM emag_daily_assortment
WHERE account_type = :account AND day = CAST(:day AS date);

-- name: differences
-- A row that shows the newest publish is compared with the offers; every row is compared with that of the day before, if any.
WITH listed AS (
    SELECT * FROM emag_daily_assortment WHERE account_type = :account AND day = CAST(:day AS date)
),
expected AS (
    SELECT 'offers' AS figure, listed.offers::numeric AS in_the_row, (SELECT count(*) FROM existing)::numeric AS in_offers
    FROM listed CROSS JOIN newest WHERE listed.as_of >= newest.published_at
    UNION ALL
    SELECT 'saleable_offers', listed.saleable_offers, (SELECT count(*) FROM existing WHERE is_saleable)
    FROM listed CROSS JOIN newest WHERE listed.as_of >= newest.published_at
    UNION ALL
    SELECT 'stock', listed.stock, (SELECT coalesce(sum(greatest(general_stock, 0)), 0) FROM existing)
    FROM listed CROSS JOIN newest WHERE listed.as_of >= newest.published_at
    UNION ALL
    SELECT 'offers of the day before + arrivals - departures', listed.offers, b.offers + listed.arrivals - listed.departures
    FROM listed
    JOIN emag_daily_assortment b ON b.account_type = listed.account_type AND b.day = listed.day - 1
    WHERE b.as_of = listed.day::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond'
    UNION ALL
    -- rows pruned since then are not missing
    SELECT 'publishes', listed.publishes, greatest(listed.publishes, ledger.publishes)
    FROM listed
    CROSS JOIN LATERAL (
        SELECT count(*) AS publishes FROM emag_offer_syncs
        WHERE account_type = :account AND status = 'completed'
          AND completed_at >= listed.day::timestamp AT TIME ZONE 'UTC' AND completed_at <= listed.as_of
    ) ledger
    WHERE listed.publishes IS NOT NULL
    UNION ALL
    SELECT 'carried forward (1) or published on the day (0)', listed.is_carried_forward::integer,
           (listed.last_published_at < listed.day::timestamp AT TIME ZONE 'UTC')::integer
    FROM listed
    WHERE listed.last_published_at IS NOT NULL
    UNION ALL
    SELECT 'rows of the day', (SELECT count(*) FROM listed), (
        CAST(:day AS date) BETWEEN least(
            (SELECT min(valid_from) FROM emag_offer_history WHERE account_type = :account),
            (SELECT min(completed_at) FROM emag_offer_syncs
             WHERE account_type = :account AND status = 'completed')
        )::date AND clock_timestamp()::date)::integer
)
SELECT figure, in_the_row, in_offers FROM expected WHERE in_the_row IS DISTINCT FROM in_offers;

-- name: totals
SELECT (SELECT count(*) FROM existing) AS existing_offers,
       (SELECT count(*) FROM existing WHERE is_saleable) AS saleable_offers,
       f.offers AS offers_in_figures, f.saleable AS saleable_in_figures,
       r.offers AS offers_of_the_day, r.saleable_offers AS saleable_of_the_day
FROM newest
LEFT JOIN emag_account_figures f ON f.account_type = :account
LEFT JOIN emag_daily_assortment r ON r.account_type = :account AND r.day = CAST(:day AS date);

-- name: days
-- The newest known day not after :until, and the :days - 1 days before it.
WITH known AS (
    SELECT * FROM emag_daily_assortment
    WHERE account_type = :account AND day <= coalesce(CAST(:until AS date), 'infinity')
)
SELECT day, offers, saleable_offers, saleable_share, stock, stock_value, median_price, currency, arrivals, departures,
       price_rises, price_cuts, publishes, last_published_at, is_carried_forward
FROM known
WHERE day > (SELECT max(day) FROM known) - CAST(:days AS integer)
ORDER BY day;

-- name: newest_day
SELECT max(day) FROM emag_daily_assortment WHERE account_type = :account;
