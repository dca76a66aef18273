-- Staging: windows of the listing, and the accounts' partitions. In statements about a single sync the names of the
-- partitioned tables are replaced by those of the account's partitions when they are sent (staging_room.own); statements
-- with a condition on :account use the whole tables.

-- name: insert_window
-- A window's record; its offers are written by COPY.
INSERT INTO emag_scan_pages
    (account_type, sync_id, number, reading, page, size, position, is_unreadable,
     ids, offers, rejects, content_hash, fetched_at)
VALUES (:account, :sync, :number, :reading, :page, :size, :position, :unreadable,
        :ids, :offers, :rejects, :hash, :fetched_at);

-- name: note_readable
-- Positions that a later page has shown no longer count as unreadable.
UPDATE emag_scan_pages SET is_unreadable = false
WHERE sync_id = :sync AND is_unreadable AND position = ANY(CAST(:positions AS bigint[]));

-- name: keep_the_newest
-- If several windows show an offer, the row read last is kept. Written so that each offer is one index lookup, even
-- without statistics on a sync that has just begun.
DELETE FROM emag_scan_offers
WHERE ctid = ANY (ARRAY(
    SELECT older.row
    FROM (SELECT DISTINCT unnest(CAST(:ids AS bigint[])) AS id) again
    CROSS JOIN LATERAL (
        SELECT ctid AS row FROM emag_scan_offers
        WHERE sync_id = :sync AND emag_offer_id = again.id
        ORDER BY fetched_at DESC, page DESC OFFSET 1
    ) older));

-- name: durable_windows
-- The staged windows, which need not be read again, in the order of the responses, in batches.
SELECT number, page, size, reading, ids FROM emag_scan_pages
WHERE account_type = :account AND sync_id = :sync AND number > :after
ORDER BY number LIMIT :limit;

-- name: unreadable_positions
-- The unreadable positions, in the order in which they were found.
SELECT position FROM emag_scan_pages
WHERE account_type = :account AND sync_id = :sync AND is_unreadable
ORDER BY number;

-- name: staged_syncs
-- The syncs with staged windows.
SELECT DISTINCT sync_id FROM emag_scan_pages WHERE account_type = :account;

-- name: is_room_complete
-- Whether an account's partitions of all partitioned tables exist.
SELECT bool_and(to_regclass(room) IS NOT NULL) FROM unnest(CAST(:rooms AS text[])) AS named (room);

-- name: room_blocks
-- The number of blocks of a partition; 0 if it does not exist.
SELECT coalesce(pg_relation_size(to_regclass(:room)) / CAST(current_setting('block_size') AS bigint), 0);

-- name: delete_piece
-- Deletes the rows of some or all syncs in a range of blocks; {table} is one of the partitioned tables.
DELETE FROM {table}
WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:beyond AS tid)
  AND (CAST(:going AS uuid[]) IS NULL OR sync_id = ANY (CAST(:going AS uuid[])));
