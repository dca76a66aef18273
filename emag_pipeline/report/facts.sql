-- What the report reads in addition to the marts and the account's state.

-- name: mart_stamps
-- Which publish each mart shows.
SELECT mart, published_at, refreshed_at, rows
FROM emag_mart_refreshes
WHERE account_type = :account
ORDER BY mart;
