-- The rate budget of a login (emag_rate_budget), one row shared by all its processes. Times too far in the future were
-- written before the database's clock was set back and are ignored.

-- fragment: pause
-- The end of the pause after a 429; null for no pause.
CASE WHEN b.quiet_until <= clock_timestamp() + :longest_pause * interval '1 second' THEN b.quiet_until END

-- fragment: air
-- The factor by which the pace is slowed (1: not at all): each :back_after seconds without a 429 take one factor back.
CASE WHEN b.slowed_at < now() + interval '1 minute'
     THEN greatest(1, b.air / :slower ^ least(100, greatest(
         0, floor(extract(epoch FROM now() - b.slowed_at) / :back_after))))::float8 ELSE 1 END

-- fragment: is_lost
-- Whether the next slot is so far ahead that only a clock that was set back explains it.
b.next_slot_at > greatest(clock_timestamp(), {pause}) + :farthest * interval '1 second'

-- name: reserve
-- Takes the next slot, under the row's lock. After the clock was set back it keeps one pace, since a call may just have
-- been sent.
INSERT INTO emag_rate_budget AS b (login, next_slot_at, minute, slots)
SELECT :login, clock_timestamp() + :pace * interval '1 second', date_trunc('minute', now()), 1
ON CONFLICT (login) DO UPDATE SET
    next_slot_at = greatest(
            CASE WHEN {is_lost} THEN clock_timestamp() + :pace * interval '1 second' ELSE b.next_slot_at END,
            {pause}, clock_timestamp())
        + :pace * ({air}) * interval '1 second',
    minute = date_trunc('minute', now()),
    slots = CASE WHEN b.minute = date_trunc('minute', now()) THEN b.slots ELSE 0 END + 1,
    slots_before = CASE b.minute
        WHEN date_trunc('minute', now()) THEN b.slots_before
        WHEN date_trunc('minute', now()) - interval '1 minute' THEN b.slots
        ELSE 0 END
RETURNING extract(epoch FROM next_slot_at - clock_timestamp()) AS until_next, {air} AS air;

-- name: slow_down
-- After a 429: a pause, and a slower pace. Further 429s to calls that were in progress when the pace was slowed have the
-- same cause and do not slow it again.
INSERT INTO emag_rate_budget AS b (login, next_slot_at, quiet_until, air, slowed_at)
VALUES (:login, clock_timestamp(), clock_timestamp() + :wait * interval '1 second', :slower, now())
ON CONFLICT (login) DO UPDATE SET
    quiet_until = greatest({pause}, excluded.quiet_until),
    air = CASE WHEN b.slowed_at > clock_timestamp() - :sent_ago * interval '1 second'
                    AND b.slowed_at < now() + interval '1 minute'
               THEN b.air ELSE least(:slowest, :slower * {air}) END,
    slowed_at = now();

-- name: is_quiet
-- Whether the wait after a 429 is still running.
SELECT {pause} > clock_timestamp() FROM emag_rate_budget b WHERE login = :login;

-- name: pace
-- The factor by which the pace is slowed, and since when.
SELECT {air} AS air, b.slowed_at FROM emag_rate_budget b WHERE b.login = :login;

-- name: lost_seconds
-- How far ahead a lost slot is.
SELECT extract(epoch FROM b.next_slot_at - clock_timestamp()) FROM emag_rate_budget b
WHERE b.login = :login AND {is_lost};

-- name: smaller_pages
-- The page size that works for an account after larger ones failed, if it is below the setting (:most).
SELECT page_size, page_size_at FROM emag_accounts
WHERE account_type = :account AND page_size < :most;
