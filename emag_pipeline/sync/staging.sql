-- Staging: windows of the listing, and the rooms in which they stand. What is asked of a sync's own room names the
-- divided tables here and the account's partitions when it is sent (staging_room.own); what names :account as well is
-- asked of the tables as a whole.

-- name: insert_window
-- A window's record; its offers go by COPY.
INSERT INTO emag_scan_pages
    (account_type, sync_id, number, reading, page, size, position, is_unreadable,
     ids, offers, rejects, content_hash, fetched_at)
VALUES (:account, :sync, :number, :reading, :page, :size, :position, :unreadable,
        :ids, :offers, :rejects, :hash, :fetched_at);

-- name: note_readable
-- Positions that a later page has shown are not counted as unreadable any more.
UPDATE emag_scan_pages SET is_unreadable = false
WHERE sync_id = :sync AND is_unreadable AND position = ANY(CAST(:positions AS bigint[]));

-- name: keep_the_newest
-- Of offers that several windows show, the row that was read last stays. One look-up by the index for each, whatever
-- the planner believes about a sync that has just begun.
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
-- What an attempt need not read again, in the order of the answers, piece by piece.
SELECT number, page, size, reading, ids FROM emag_scan_pages
WHERE account_type = :account AND sync_id = :sync AND number > :after
ORDER BY number LIMIT :limit;

-- name: unreadable_positions
-- The positions that no page shows, in the order in which that was found out.
SELECT position FROM emag_scan_pages
WHERE account_type = :account AND sync_id = :sync AND is_unreadable
ORDER BY number;

-- name: staged_syncs
-- The syncs of which windows are staged.
SELECT DISTINCT sync_id FROM emag_scan_pages WHERE account_type = :account;

-- name: is_room_complete
-- Whether an account's partitions exist, of all divided tables.
SELECT bool_and(to_regclass(room) IS NOT NULL) FROM unnest(CAST(:rooms AS text[])) AS named (room);

-- name: room_blocks
-- How many blocks the file of a partition has; none where there is no such partition.
SELECT coalesce(pg_relation_size(to_regclass(:room)) / CAST(current_setting('block_size') AS bigint), 0);

-- name: delete_piece
-- Rows of some syncs, or of all, in a stretch of a partition's file; {table} is one of the divided tables.
DELETE FROM {table}
WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:beyond AS tid)
  AND (CAST(:going AS uuid[]) IS NULL OR sync_id = ANY (CAST(:going AS uuid[])));
