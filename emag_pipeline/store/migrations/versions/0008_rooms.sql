-- Staging is divided by account: each has a partition of its own in these four tables (its room). What has served its time is
-- given back by TRUNCATE, which locks nobody else's rows, writes next to nothing, and waits for no old snapshot.
-- Partitions are unlogged; of the tables themselves PostgreSQL 18 would not take that word, and it never meant anything.

ALTER TABLE {schema}.emag_scan_pages DROP CONSTRAINT emag_scan_pages_pkey;
ALTER TABLE {schema}.emag_scan_confirmations DROP CONSTRAINT emag_scan_confirmations_pkey;
ALTER TABLE {schema}.emag_scan_changes DROP CONSTRAINT emag_scan_changes_pkey;
DROP INDEX {schema}.emag_scan_offers_by_sync;
ALTER TABLE {schema}.emag_scan_pages RENAME TO emag_undivided_pages;
ALTER TABLE {schema}.emag_scan_offers RENAME TO emag_undivided_offers;
ALTER TABLE {schema}.emag_scan_confirmations RENAME TO emag_undivided_confirmations;
ALTER TABLE {schema}.emag_scan_changes RENAME TO emag_undivided_changes;

CREATE TABLE {schema}.emag_scan_pages (
    account_type text NOT NULL,
    LIKE {schema}.emag_undivided_pages INCLUDING COMMENTS INCLUDING DEFAULTS,
    PRIMARY KEY (account_type, sync_id, number)
) PARTITION BY LIST (account_type);
CREATE TABLE {schema}.emag_scan_offers (
    account_type text NOT NULL,
    LIKE {schema}.emag_undivided_offers INCLUDING COMMENTS INCLUDING DEFAULTS
) PARTITION BY LIST (account_type);
CREATE INDEX emag_scan_offers_by_sync ON {schema}.emag_scan_offers (sync_id, emag_offer_id);
CREATE TABLE {schema}.emag_scan_confirmations (
    account_type text NOT NULL,
    LIKE {schema}.emag_undivided_confirmations INCLUDING COMMENTS INCLUDING DEFAULTS,
    PRIMARY KEY (account_type, sync_id, emag_offer_id)
) PARTITION BY LIST (account_type);
CREATE TABLE {schema}.emag_scan_changes (
    account_type text NOT NULL,
    LIKE {schema}.emag_undivided_changes INCLUDING COMMENTS INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (account_type, sync_id, emag_offer_id)
) PARTITION BY LIST (account_type);
-- Long texts are compressed once and stay in their row: set aside in pieces, as they are where they are kept, they cost four times
-- the buffers, and staging is read whole or not at all.
DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT attname FROM pg_attribute
        WHERE attrelid = '{schema}.emag_scan_offers'::regclass AND attnum > 0 AND attstorage = 'x'
    LOOP
        EXECUTE format('ALTER TABLE {schema}.emag_scan_offers ALTER COLUMN %I SET STORAGE MAIN', found.attname);
    END LOOP;
END $$;

COMMENT ON TABLE {schema}.emag_scan_pages IS
    'Staging: the windows of the listing that are durable, one row for each page that was read; of each account''s newest scan, in a partition of its own that a crash of the server empties. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_offers IS
    'Staging: one row for each offer of a page, durable and not yet visible; page 0 holds offers that were read by their id. Of each account''s newest scan, in a partition of its own that a crash of the server empties. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_confirmations IS
    'Staging: one row for each offer that the pages did not show: what a read by its id said. Of each account''s newest scan, in a partition of its own that a crash of the server empties. Source: product_offer/read.';
COMMENT ON TABLE {schema}.emag_scan_changes IS
    'Staging: one row for each offer that the publish changed, kept until the account''s next sync, in a partition of its own that a crash of the server empties. Source: the publish.';
-- Who may use them, and whose they are, stays.
DO $$
DECLARE
    part    text;
    granted record;
BEGIN
    FOREACH part IN ARRAY ARRAY['pages', 'offers', 'confirmations', 'changes'] LOOP
        EXECUTE format('COMMENT ON COLUMN {schema}.%I.account_type IS %L', 'emag_scan_' || part,
                       'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.');
        FOR granted IN
            SELECT privilege_type AS what,
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS whom
            FROM pg_class, aclexplode(relacl)
            WHERE oid = format('{schema}.%I', 'emag_undivided_' || part)::regclass AND grantee <> relowner
        LOOP
            EXECUTE format('GRANT %s ON {schema}.%I TO %s', granted.what, 'emag_scan_' || part, granted.whom);
        END LOOP;
    END LOOP;
END $$;

-- The rooms. They are made, emptied and removed by whoever runs the pipeline, who does not own the tables: the owner lends
-- these functions (sql/rights.sql). db/room.py says what each is for, and what waits for what.

CREATE FUNCTION {schema}.emag_room_name(table_name text, account text)
RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    -- at most 63 bytes, and the same for no two accounts, nor for an index of another one's
    SELECT table_name || '_' || left(regexp_replace(account, '[^a-z0-9_]', '_', 'g'), 30)
           || '_' || left(encode(sha256(convert_to(account, 'UTF8')), 'hex'), 8)
$$;
COMMENT ON FUNCTION {schema}.emag_room_name(text, text) IS
    'The name of an account''s partition of a table of staging.';

CREATE FUNCTION {schema}.emag_make_room(account text)
RETURNS void
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    divided text;
    room    text;
    granted record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('emag rooms of {schema}', 0));  -- two processes at once
    FOREACH divided IN ARRAY ARRAY['emag_scan_offers', 'emag_scan_confirmations', 'emag_scan_changes', 'emag_scan_pages'] LOOP
        room := {schema}.emag_room_name(divided, account);
        CONTINUE WHEN to_regclass(format('{schema}.%I', room)) IS NOT NULL;
        -- beside the others and then attached: as a partition from the beginning, it would wait for whoever uses any of them.
        -- Rows that only come and go by TRUNCATE need no vacuum because there are many of them.
        EXECUTE format(
            'CREATE UNLOGGED TABLE {schema}.%I (LIKE {schema}.%I INCLUDING ALL) '
            'WITH (autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1)', room, divided);
        FOR granted IN
            SELECT privilege_type AS what,
                   CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS whom
            FROM pg_class, aclexplode(relacl)
            WHERE oid = format('{schema}.%I', divided)::regclass AND grantee <> relowner
        LOOP
            EXECUTE format('GRANT %s ON {schema}.%I TO %s', granted.what, room, granted.whom);
        END LOOP;
        EXECUTE format('ALTER TABLE {schema}.%I ATTACH PARTITION {schema}.%I FOR VALUES IN (%L)', divided, room, account);
    END LOOP;
END
$$;
COMMENT ON FUNCTION {schema}.emag_make_room(text) IS
    'Makes the account''s partitions of staging where they are missing, with the rights of the tables, as the tables'' owner.';

CREATE FUNCTION {schema}.emag_empty_room(account text, going uuid[], keeps_changes boolean DEFAULT false)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1500ms'
AS $$
DECLARE
    rooms   text[];
    pages   text := format('{schema}.%I', {schema}.emag_room_name('emag_scan_pages', account));
    is_more boolean;
    is_late boolean := false;
BEGIN
    SELECT array_agg(room ORDER BY room) INTO rooms
    FROM (
        SELECT format('{schema}.%I', {schema}.emag_room_name(divided, account)) AS room
        FROM unnest(ARRAY['emag_scan_offers', 'emag_scan_confirmations', 'emag_scan_pages']
                    || CASE WHEN keeps_changes THEN '{}' ELSE ARRAY['emag_scan_changes'] END) divided
    ) named
    WHERE to_regclass(room) IS NOT NULL;
    IF coalesce((SELECT sum(pg_relation_size(room::regclass)) FROM unnest(rooms) room), 0) = 0 THEN
        RETURN true;
    END IF;
    -- All of them at once or none: whoever waits for one while it holds another would let others wait, or end as a deadlock.
    LOOP
        BEGIN
            EXECUTE 'LOCK TABLE ' || array_to_string(rooms, ', ') || ' IN ACCESS EXCLUSIVE MODE NOWAIT';
            EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE sync_id <> ALL ($1))', pages) INTO is_more USING going;
            IF NOT is_more THEN
                EXECUTE 'TRUNCATE ' || array_to_string(rooms, ', ');
            END IF;
            RETURN NOT is_more;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF is_late THEN
                RETURN false;
            END IF;
        END;
        is_late := true;
        FOR place IN 1 .. cardinality(rooms) LOOP  -- wait for each alone; autovacuum gives way to who waits for a second
            BEGIN
                EXECUTE 'LOCK TABLE ' || rooms[place] || ' IN ACCESS EXCLUSIVE MODE';
                RAISE SQLSTATE 'EM002';  -- let it go again
            EXCEPTION
                WHEN SQLSTATE 'EM002' THEN NULL;
                WHEN lock_not_available OR deadlock_detected THEN RETURN false;
            END;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION {schema}.emag_empty_room(text, uuid[], boolean) IS
    'Empties the account''s partitions of staging at once, as the tables'' owner; null for `going` means whatever is there. False, and nothing is done, where pages of other syncs are staged, or somebody uses the partitions for longer than a moment.';

CREATE FUNCTION {schema}.emag_remove_room(account text)
RETURNS boolean
LANGUAGE plpgsql STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    divided text;
    room    text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('emag rooms of {schema}', 0));
    FOREACH divided IN ARRAY ARRAY['emag_scan_offers', 'emag_scan_confirmations', 'emag_scan_changes', 'emag_scan_pages'] LOOP
        room := {schema}.emag_room_name(divided, account);
        CONTINUE WHEN to_regclass(format('{schema}.%I', room)) IS NULL;
        EXECUTE format('LOCK TABLE ONLY {schema}.%I, {schema}.%I IN ACCESS EXCLUSIVE MODE NOWAIT', divided, room);
        EXECUTE format('DROP TABLE {schema}.%I', room);
    END LOOP;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION {schema}.emag_remove_room(text) IS
    'Removes the account''s partitions of staging, as the tables'' owner. False, and nothing is done, while anybody uses these tables.';

REVOKE ALL ON FUNCTION {schema}.emag_make_room(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.emag_empty_room(text, uuid[], boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.emag_remove_room(text) FROM PUBLIC;

DO $$
DECLARE found record;
BEGIN
    FOR found IN
        SELECT kind || ' {schema}.' || named AS what, pg_get_userbyid(relowner) AS owner
        FROM pg_class,
             (VALUES ('TABLE', 'emag_scan_pages'), ('TABLE', 'emag_scan_offers'), ('TABLE', 'emag_scan_confirmations'),
                     ('TABLE', 'emag_scan_changes'), ('FUNCTION', 'emag_make_room(text)'),
                     ('FUNCTION', 'emag_empty_room(text, uuid[], boolean)'), ('FUNCTION', 'emag_remove_room(text)')
             ) made (kind, named)
        WHERE oid = '{schema}.emag_undivided_offers'::regclass AND pg_get_userbyid(relowner) <> current_user
    LOOP
        EXECUTE format('ALTER %s OWNER TO %I', found.what, found.owner);
    END LOOP;
END $$;

-- What may still be published, or was published last, moves in: of each account its newest sync, and its newest success.
DO $$
DECLARE
    owner  record;
    staged text;
BEGIN
    FOR owner IN SELECT DISTINCT account_type FROM {schema}.emag_offer_syncs LOOP
        PERFORM {schema}.emag_make_room(owner.account_type);
    END LOOP;
    FOREACH staged IN ARRAY ARRAY['pages', 'offers', 'confirmations', 'changes'] LOOP
        EXECUTE format(
            'INSERT INTO {schema}.%I SELECT k.account_type, t.* FROM {schema}.%I t JOIN ('
                'SELECT s.sync_id, s.account_type FROM {schema}.emag_offer_syncs s JOIN ('
                    'SELECT account_type, max(sync_number) AS newest, '
                        'max(sync_number) FILTER (WHERE status = ''completed'') AS published '
                    'FROM {schema}.emag_offer_syncs GROUP BY account_type'
                ') a USING (account_type) WHERE s.sync_number IN (a.newest, a.published)'
            ') k USING (sync_id)', 'emag_scan_' || staged, 'emag_undivided_' || staged);
    END LOOP;
END $$;
DROP TABLE {schema}.emag_undivided_pages, {schema}.emag_undivided_offers, {schema}.emag_undivided_confirmations,
           {schema}.emag_undivided_changes;
