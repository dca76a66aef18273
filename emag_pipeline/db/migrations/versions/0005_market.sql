-- Staging by positions of the listing: a scan may change the size of its pages. What was staged by page numbers is
-- read again (a sync that was waiting for approval says so by itself: its pages are gone).
TRUNCATE {schema}.emag_scan_pages, {schema}.emag_scan_offers, {schema}.emag_scan_confirmations,
         {schema}.emag_scan_changes;
ALTER TABLE {schema}.emag_scan_pages
    ADD COLUMN page_size      integer NOT NULL,
    ADD COLUMN first_position bigint NOT NULL,
    ADD COLUMN positions      integer NOT NULL,
    ADD COLUMN is_unreadable  boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT emag_scan_pages_pkey,
    ADD PRIMARY KEY (sync_id, round, first_position);
COMMENT ON COLUMN {schema}.emag_scan_pages.page IS
    'Number of the page as it was asked for, from 1, at `page_size`. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.page_size IS 'Offers that were asked for at once. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.first_position IS
    'First position of the listing, from 0, that this record accounts for. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.positions IS
    'How many positions from there on it accounts for: the part of the page that no other record holds. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_scan_pages.is_unreadable IS
    'The marketplace fails on every page that holds this one position, whatever its size. Source: the scan.';

ALTER TABLE {schema}.emag_scan_confirmations ADD COLUMN is_unreadable boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN {schema}.emag_scan_confirmations.is_unreadable IS
    'The read by id failed as well, so the offer keeps its last state. Source: the scan.';

-- The page size that works for an account
ALTER TABLE {schema}.emag_accounts
    ADD COLUMN page_size    integer CHECK (page_size > 0),
    ADD COLUMN page_size_at timestamptz;
COMMENT ON COLUMN {schema}.emag_accounts.page_size IS
    'Offers a page that the marketplace manages for this account; null = as set by EMAG_API_PAGE_SIZE. Source: the scan.';
COMMENT ON COLUMN {schema}.emag_accounts.page_size_at IS
    'When that was last found or a larger size tried; the next one is tried a day later (UTC). Source: the scan.';

ALTER TABLE {schema}.emag_requests ADD COLUMN page_size integer;
COMMENT ON COLUMN {schema}.emag_requests.page_size IS
    'Offers that were asked for at once; null where there are no pages. Source: the client.';

-- Offers: what real accounts answer beyond the vendor's document (emag-api.md, section 9)
ALTER TABLE {schema}.emag_scan_offers
    ADD COLUMN unreadable                text[] NOT NULL,
    ADD COLUMN min_sale_price            numeric(18,4),
    ADD COLUMN max_sale_price            numeric(18,4),
    ADD COLUMN commission                numeric(18,4),
    ADD COLUMN supply_lead_time          integer,
    ADD COLUMN emag_club                 boolean,
    ADD COLUMN has_smart_deals_badge     boolean,
    ADD COLUMN start_date                jsonb,
    ADD COLUMN stock_by_warehouse        jsonb,
    ADD COLUMN availability_by_warehouse jsonb,
    ADD COLUMN family_type_id            bigint,
    ADD COLUMN rrp_guidelines            text,
    ADD COLUMN auto_translated           boolean;
ALTER TABLE {schema}.emag_product_offers
    ADD COLUMN unreadable                text[] NOT NULL DEFAULT '{}',
    ADD COLUMN min_sale_price            numeric(18,4),
    ADD COLUMN max_sale_price            numeric(18,4),
    ADD COLUMN commission                numeric(18,4),
    ADD COLUMN supply_lead_time          integer,
    ADD COLUMN emag_club                 boolean,
    ADD COLUMN has_smart_deals_badge     boolean,
    ADD COLUMN start_date                jsonb,
    ADD COLUMN stock_by_warehouse        jsonb,
    ADD COLUMN availability_by_warehouse jsonb;
ALTER TABLE {schema}.emag_offer_history
    ADD COLUMN unreadable                text[] NOT NULL DEFAULT '{}',
    ADD COLUMN min_sale_price            numeric(18,4),
    ADD COLUMN max_sale_price            numeric(18,4),
    ADD COLUMN commission                numeric(18,4),
    ADD COLUMN supply_lead_time          integer,
    ADD COLUMN emag_club                 boolean,
    ADD COLUMN has_smart_deals_badge     boolean,
    ADD COLUMN start_date                jsonb,
    ADD COLUMN stock_by_warehouse        jsonb,
    ADD COLUMN availability_by_warehouse jsonb;
ALTER TABLE {schema}.emag_products
    ADD COLUMN family_type_id  bigint,
    ADD COLUMN rrp_guidelines  text,
    ADD COLUMN auto_translated boolean;

-- What answers held that this code does not know or cannot read
CREATE TABLE {schema}.emag_answer_surprises (
    account_type  text NOT NULL,
    resource      text NOT NULL,
    field         text NOT NULL,
    kind          text NOT NULL
        CHECK (kind IN ('unknown field', 'unexpected type', 'unknown code', 'out of range', 'unstorable text')),
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    times         bigint NOT NULL,
    sample        text,
    PRIMARY KEY (account_type, resource, field, kind)
);
COMMENT ON TABLE {schema}.emag_answer_surprises IS
    'One row for each thing in an account''s answers that this version does not know or cannot read; at most 200 for each resource, what is beyond is added up under the field `…`. Source: the scan, refresh_reference.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.account_type IS
    'The account, e.g. `main` or `fbe`: one seller''s login on one marketplace. Source: the settings.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.resource IS
    'What was called, as in emag_requests, e.g. `product_offer/read`. Source: the client.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.field IS
    'The field of a row, e.g. `warranty` or `family.id`, cut to 100 characters. Source: the resource''s rows.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.kind IS
    '`unknown field`: kept in raw; `unexpected type`, `out of range`: its column is null; `unknown code`: kept as it is; `unstorable text`: kept with U+FFFD in place of what PostgreSQL cannot hold. Source: the client.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.first_seen_at IS 'When it was first read (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.last_seen_at IS 'When it was last read (UTC). Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.times IS
    'Rows that showed it since then; a row counts each time that it is read. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_answer_surprises.sample IS
    'The first such value in at most 80 characters, of lists and objects only the shape; null where it may be personal data. Source: the resource''s rows.';
