-- The ledger ---------------------------------------------------------------------------------------------
CREATE TABLE {schema}.emag_offer_syncs (
    sync_id                uuid PRIMARY KEY,
    account_type           text NOT NULL,
    operation_type         text NOT NULL DEFAULT 'full' CHECK (operation_type IN ('full')),
    status                 text NOT NULL
        CHECK (status IN ('running', 'completed', 'failed', 'timeout', 'cancelled')),
    phase                  text NOT NULL
        CHECK (phase IN ('planning', 'scanning', 'confirming', 'auditing', 'publishing')),
    attempt                integer NOT NULL DEFAULT 1,
    round                  smallint NOT NULL DEFAULT 1,
    dagster_run_id         text,
    lease_token            uuid NOT NULL,
    started_at             timestamptz NOT NULL DEFAULT now(),
    attempt_started_at     timestamptz NOT NULL DEFAULT now(),
    heartbeat_at           timestamptz NOT NULL DEFAULT now(),
    progressed_at          timestamptz NOT NULL DEFAULT now(),
    completed_at           timestamptz,
    deadline_at            timestamptz NOT NULL,
    pages_expected         integer,
    pages_done             integer NOT NULL DEFAULT 0,
    offers_expected        bigint,
    total_offers_processed bigint NOT NULL DEFAULT 0,
    offers_created         bigint NOT NULL DEFAULT 0,
    offers_updated         bigint NOT NULL DEFAULT 0,
    offers_unchanged       bigint NOT NULL DEFAULT 0,
    offers_deleted         bigint NOT NULL DEFAULT 0,
    offers_rejected        bigint NOT NULL DEFAULT 0,
    proof                  jsonb,
    error_class            text,
    error_message          text,
    error_remedy           text,
    approved_at            timestamptz,
    approved_by            text
) WITH (fillfactor = 50);  -- room on the page: counters and heartbeats are updated in place (HOT)

CREATE UNIQUE INDEX emag_offer_syncs_one_running
    ON {schema}.emag_offer_syncs (account_type) WHERE status = 'running';
CREATE INDEX emag_offer_syncs_by_account ON {schema}.emag_offer_syncs (account_type, started_at DESC);
CREATE INDEX emag_offer_syncs_by_run ON {schema}.emag_offer_syncs (dagster_run_id);

COMMENT ON TABLE {schema}.emag_offer_syncs IS
    'The ledger: one row for each attempt series to bring an account up to date. Source: the pipeline.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.lease_token IS
    'The right to write for the account; proven by every write transaction, new for each attempt.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.round IS
    'How often the pages were read: a catalogue that moved while it was scanned is read again.';
COMMENT ON COLUMN {schema}.emag_offer_syncs.heartbeat_at IS 'The process lives (UTC).';
COMMENT ON COLUMN {schema}.emag_offer_syncs.progressed_at IS 'The last time that something became durable (UTC).';
COMMENT ON COLUMN {schema}.emag_offer_syncs.deadline_at IS 'No attempt of this sync may go on after it (UTC).';
COMMENT ON COLUMN {schema}.emag_offer_syncs.proof IS
    'The numbers that show that the scan is complete: counts before and after, distinct ids, rejects, confirmations.';

-- Staging: unlogged, since a lost scan is read again; a crash empties it, which the resume notices --------------
CREATE UNLOGGED TABLE {schema}.emag_scan_pages (
    sync_id      uuid NOT NULL,
    round        smallint NOT NULL,
    page         integer NOT NULL,
    offers       integer NOT NULL,
    rejects      integer NOT NULL,
    content_hash bytea NOT NULL,
    fetched_at   timestamptz NOT NULL,
    PRIMARY KEY (sync_id, round, page)
);
COMMENT ON TABLE {schema}.emag_scan_pages IS 'Staging: the pages that are durable. Source: product_offer/read.';

CREATE UNLOGGED TABLE {schema}.emag_scan_offers (
    sync_id                       uuid NOT NULL,
    round                         smallint NOT NULL,
    page                          integer NOT NULL,
    fetched_at                    timestamptz NOT NULL,
    emag_offer_id                 bigint NOT NULL,
    row_hash                      bytea NOT NULL,
    content_hash                  bytea NOT NULL,
    part_number_key               text,
    part_number                   text,
    status                        smallint,
    sale_price                    numeric(18,4),
    recommended_price             numeric(18,4),
    best_offer_sale_price         numeric(18,4),
    best_offer_recommended_price  numeric(18,4),
    buy_button_rank               integer,
    number_of_offers              integer,
    currency                      text,
    general_stock                 bigint,
    estimated_stock               bigint,
    offer_validation_status       smallint,
    validation_status             smallint[] NOT NULL,
    translation_validation_status smallint[] NOT NULL,
    is_saleable                   boolean NOT NULL,
    handling_time                 jsonb,
    warranty                      integer,
    vat_id                        bigint,
    name                          text,
    brand                         text,
    description                   text,
    url                           text,
    safety_information            text,
    family_id                     bigint,
    family_name                   text,
    category_id                   bigint,
    vendor_category_id            bigint,
    ownership                     smallint,
    genius_eligibility            smallint,
    genius_eligibility_type       smallint,
    genius_computed               smallint,
    ean                           text[] NOT NULL,
    images                        jsonb,
    characteristics               jsonb,
    validation_details            jsonb,
    doc_errors                    jsonb,
    has_manufacturer              boolean,
    has_eu_representative         boolean,
    raw                           jsonb NOT NULL
);
CREATE INDEX emag_scan_offers_by_sync ON {schema}.emag_scan_offers (sync_id, round, emag_offer_id);
COMMENT ON TABLE {schema}.emag_scan_offers IS
    'Staging: the offers of a scan, durable and not yet visible. Page 0 holds offers that were read by their id.';

CREATE UNLOGGED TABLE {schema}.emag_scan_confirmations (
    sync_id       uuid NOT NULL,
    round         smallint NOT NULL,
    emag_offer_id bigint NOT NULL,
    is_found      boolean NOT NULL,
    confirmed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sync_id, round, emag_offer_id)
);
COMMENT ON TABLE {schema}.emag_scan_confirmations IS
    'Staging: what a read by id said of offers that the scan did not show.';

CREATE UNLOGGED TABLE {schema}.emag_scan_changes (
    sync_id         uuid NOT NULL,
    emag_offer_id   bigint NOT NULL,
    change          text NOT NULL CHECK (change IN ('created', 'updated', 'revived', 'content', 'deleted')),
    content_changed boolean NOT NULL,
    PRIMARY KEY (sync_id, emag_offer_id)
);
COMMENT ON TABLE {schema}.emag_scan_changes IS
    'Staging: what the publish changed, kept until the account''s next sync. `content`: only the product''s page moved.';

-- Published -------------------------------------------------------------------------------------------------
CREATE TABLE {schema}.emag_product_offers (
    account_type                  text NOT NULL,
    emag_offer_id                 bigint NOT NULL,
    part_number_key               text,
    part_number                   text,
    status                        smallint,
    sale_price                    numeric(18,4),
    recommended_price             numeric(18,4),
    best_offer_sale_price         numeric(18,4),
    best_offer_recommended_price  numeric(18,4),
    buy_button_rank               integer,
    number_of_offers              integer,
    currency                      text,
    general_stock                 bigint,
    estimated_stock               bigint,
    offer_validation_status       smallint,
    validation_status             smallint[] NOT NULL,
    translation_validation_status smallint[] NOT NULL,
    is_saleable                   boolean NOT NULL,
    handling_time                 jsonb,
    warranty                      integer,
    vat_id                        bigint,
    row_hash                      bytea NOT NULL,
    first_seen_at                 timestamptz NOT NULL,
    changed_at                    timestamptz NOT NULL,
    deleted_at                    timestamptz,
    rejected_at                   timestamptz,
    last_sync_id                  uuid NOT NULL,
    PRIMARY KEY (account_type, emag_offer_id)
) WITH (fillfactor = 90);
CREATE INDEX emag_product_offers_by_part_number_key
    ON {schema}.emag_product_offers (part_number_key) WHERE part_number_key IS NOT NULL;
COMMENT ON TABLE {schema}.emag_product_offers IS
    'The offers as last published, the part that moves: prices, stock, status. Prices are without VAT, in `currency`. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_product_offers.is_saleable IS
    'Stock > 0, status 1, price valid, product (and translation, if any) in a saleable validation state.';
COMMENT ON COLUMN {schema}.emag_product_offers.deleted_at IS
    'Tombstone: a complete scan did not show the offer and a read by its id did not find it (UTC).';
COMMENT ON COLUMN {schema}.emag_product_offers.rejected_at IS
    'Since when the marketplace shows a version that cannot be represented; this row is the last good one (UTC).';
COMMENT ON COLUMN {schema}.emag_product_offers.last_sync_id IS 'The sync that last changed this row.';
COMMENT ON COLUMN {schema}.emag_product_offers.row_hash IS 'Fingerprint of this row''s commercial columns.';

CREATE TABLE {schema}.emag_products (
    account_type            text NOT NULL,
    emag_offer_id           bigint NOT NULL,
    name                    text,
    brand                   text,
    description             text,
    url                     text,
    safety_information      text,
    family_id               bigint,
    family_name             text,
    category_id             bigint,
    vendor_category_id      bigint,
    ownership               smallint,
    genius_eligibility      smallint,
    genius_eligibility_type smallint,
    genius_computed         smallint,
    ean                     text[] NOT NULL,
    images                  jsonb,
    characteristics         jsonb,
    validation_details      jsonb,
    doc_errors              jsonb,
    has_manufacturer        boolean,
    has_eu_representative   boolean,
    raw                     jsonb NOT NULL,
    row_hash                bytea NOT NULL,
    changed_at              timestamptz NOT NULL,
    -- the hash stands in the key's index, so that looking for changes never reads the wide rows
    PRIMARY KEY (account_type, emag_offer_id) INCLUDE (row_hash)
);
COMMENT ON TABLE {schema}.emag_products IS
    'The offers as last published, the part that rarely moves: texts, pictures, characteristics. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_products.raw IS
    'The offer as read when something outside prices, stock, status and rank last moved; those stand in emag_product_offers.';
COMMENT ON COLUMN {schema}.emag_products.has_manufacturer IS
    'A manufacturer is given. The API tells only that in a full read; its name and address only for one offer by id.';

CREATE TABLE {schema}.emag_offer_history (
    account_type                  text NOT NULL,
    emag_offer_id                 bigint NOT NULL,
    valid_from                    timestamptz NOT NULL,
    valid_to                      timestamptz,
    sync_id                       uuid NOT NULL,
    part_number_key               text,
    part_number                   text,
    status                        smallint,
    sale_price                    numeric(18,4),
    recommended_price             numeric(18,4),
    best_offer_sale_price         numeric(18,4),
    best_offer_recommended_price  numeric(18,4),
    buy_button_rank               integer,
    number_of_offers              integer,
    currency                      text,
    general_stock                 bigint,
    estimated_stock               bigint,
    offer_validation_status       smallint,
    validation_status             smallint[] NOT NULL,
    translation_validation_status smallint[] NOT NULL,
    is_saleable                   boolean NOT NULL,
    handling_time                 jsonb,
    warranty                      integer,
    vat_id                        bigint,
    PRIMARY KEY (account_type, emag_offer_id, valid_from),
    CHECK (valid_to > valid_from)
);
COMMENT ON TABLE {schema}.emag_offer_history IS
    'One row for each commercial state of an offer, from the publish that showed it to the publish that ended it (UTC; valid_to null = current).';

CREATE FUNCTION {schema}.emag_offers_as_of(account text, at timestamptz)
RETURNS SETOF {schema}.emag_offer_history
LANGUAGE sql STABLE
AS $$
    SELECT h.*
    FROM {schema}.emag_offer_history h
    WHERE h.account_type = account AND h.valid_from <= at AND (h.valid_to IS NULL OR h.valid_to > at)
$$;
COMMENT ON FUNCTION {schema}.emag_offers_as_of(text, timestamptz) IS
    'The offers of an account as they were published at a past moment.';

CREATE VIEW {schema}.emag_current_offers AS
SELECT o.account_type, o.emag_offer_id, o.part_number_key, o.part_number, p.name, p.brand, p.category_id,
       o.status, o.is_saleable, o.sale_price, o.recommended_price, o.best_offer_sale_price,
       o.best_offer_recommended_price, o.buy_button_rank, o.number_of_offers, o.currency,
       o.general_stock, o.estimated_stock, o.offer_validation_status, o.validation_status,
       o.translation_validation_status, o.handling_time, o.warranty, o.vat_id,
       p.description, p.url, p.ean, p.images, p.characteristics, p.family_id, p.family_name,
       p.vendor_category_id, p.ownership, p.genius_eligibility, p.genius_eligibility_type, p.genius_computed,
       p.safety_information, p.has_manufacturer, p.has_eu_representative, p.validation_details, p.doc_errors,
       o.first_seen_at, o.changed_at, p.changed_at AS content_changed_at, o.rejected_at, o.last_sync_id
FROM {schema}.emag_product_offers o
JOIN {schema}.emag_products p USING (account_type, emag_offer_id)
WHERE o.deleted_at IS NULL;
COMMENT ON VIEW {schema}.emag_current_offers IS 'The offers that the marketplace holds now: narrow and wide part joined.';

-- Quarantine, calls, budget, counters ---------------------------------------------------------------------------
CREATE TABLE {schema}.emag_offer_rejects (
    reject_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_type  text NOT NULL,
    sync_id       uuid NOT NULL,
    round         smallint NOT NULL,
    page          integer NOT NULL,
    emag_offer_id bigint,
    reason        text NOT NULL,
    payload       text NOT NULL,
    rejected_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX emag_offer_rejects_by_sync ON {schema}.emag_offer_rejects (sync_id, round);
COMMENT ON TABLE {schema}.emag_offer_rejects IS
    'Quarantine: rows that cannot be represented, with the reason in words. Source: product_offer/read.';
COMMENT ON COLUMN {schema}.emag_offer_rejects.payload IS
    'The row as read: JSON in ASCII. Text, not jsonb, because it may hold what jsonb cannot (NUL, lone surrogates).';

CREATE TABLE {schema}.emag_requests (
    request_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sent_at      timestamptz NOT NULL,
    account_type text NOT NULL,
    resource     text NOT NULL,
    page         integer,
    offer_id     bigint,
    status       smallint,
    outcome      text NOT NULL CHECK (outcome IN ('ok', 'error')),
    seconds      real NOT NULL,
    bytes        bigint NOT NULL,
    error_class  text,
    error_body   text
);
CREATE INDEX emag_requests_by_time ON {schema}.emag_requests USING brin (sent_at);
COMMENT ON TABLE {schema}.emag_requests IS
    'Every call to the marketplace, kept 30 days; bodies only of failures, redacted.';

CREATE TABLE {schema}.emag_rate_budget (
    account_type text PRIMARY KEY,
    next_slot_at timestamptz NOT NULL,
    quiet_until  timestamptz,
    air          double precision NOT NULL DEFAULT 1 CHECK (air >= 1),
    slowed_at    timestamptz
) WITH (fillfactor = 10);
COMMENT ON TABLE {schema}.emag_rate_budget IS
    'When the account may be called next, for all processes together.';
COMMENT ON COLUMN {schema}.emag_rate_budget.air IS
    'Factor on the pace: grows when the marketplace answers 429, shrinks back by the hour.';

CREATE TABLE {schema}.emag_counters (
    name   text NOT NULL,
    labels jsonb NOT NULL,
    value  double precision NOT NULL DEFAULT 0,
    PRIMARY KEY (name, labels)
);
COMMENT ON TABLE {schema}.emag_counters IS 'Counters that only grow, for metrics: they survive restarts and retention.';

-- Reference data ----------------------------------------------------------------------------------------------
CREATE TABLE {schema}.emag_categories (
    marketplace           text NOT NULL,
    category_id           bigint NOT NULL,
    name                  text NOT NULL,
    names                 jsonb NOT NULL DEFAULT '{}',
    parent_id             bigint,
    is_allowed            boolean,
    is_ean_mandatory      boolean,
    is_warranty_mandatory boolean,
    raw                   jsonb NOT NULL,
    changed_at            timestamptz NOT NULL,
    deleted_at            timestamptz,
    PRIMARY KEY (marketplace, category_id)
);
COMMENT ON TABLE {schema}.emag_categories IS 'Active categories of a marketplace. Source: category/read.';

CREATE TABLE {schema}.emag_vat_rates (
    marketplace text NOT NULL,
    vat_id      bigint NOT NULL,
    rate        numeric(9,4),
    raw         jsonb NOT NULL,
    changed_at  timestamptz NOT NULL,
    deleted_at  timestamptz,
    PRIMARY KEY (marketplace, vat_id)
);
COMMENT ON TABLE {schema}.emag_vat_rates IS 'VAT rates of a marketplace, as a share of 1. Source: vat/read.';

CREATE TABLE {schema}.emag_handling_times (
    marketplace text NOT NULL,
    days        integer NOT NULL,
    raw         jsonb NOT NULL,
    changed_at  timestamptz NOT NULL,
    deleted_at  timestamptz,
    PRIMARY KEY (marketplace, days)
);
COMMENT ON TABLE {schema}.emag_handling_times IS 'Handling times that a marketplace allows. Source: handling_time/read.';

-- Marts -----------------------------------------------------------------------------------------------------------
CREATE TABLE {schema}.emag_offer_issues (
    account_type    text NOT NULL,
    emag_offer_id   bigint NOT NULL,
    issue_code      text NOT NULL,
    reason          text NOT NULL,
    remedy          text NOT NULL,
    since           timestamptz,
    stock_held_back bigint,
    value_held_back numeric(18,4),
    PRIMARY KEY (account_type, emag_offer_id, issue_code)
);
COMMENT ON TABLE {schema}.emag_offer_issues IS 'One row for each reason why an offer cannot be bought, in words, with the remedy.';

CREATE TABLE {schema}.emag_buy_button (
    account_type          text NOT NULL,
    emag_offer_id         bigint NOT NULL,
    buy_button_rank       integer,
    rank_a_day_ago        integer,
    number_of_offers      integer,
    sale_price            numeric(18,4),
    best_offer_sale_price numeric(18,4),
    gap                   numeric(18,4),
    gap_percent           numeric(9,4),
    gap_with_vat          numeric(18,4),
    currency              text,
    PRIMARY KEY (account_type, emag_offer_id)
);
COMMENT ON TABLE {schema}.emag_buy_button IS 'Who has the buy button, and by how much an own offer misses it. Prices without VAT.';

CREATE TABLE {schema}.emag_low_stock (
    account_type   text NOT NULL,
    emag_offer_id  bigint NOT NULL,
    general_stock  bigint NOT NULL,
    sold_a_day     numeric(18,4) NOT NULL,
    days_of_cover  numeric(18,4),
    observed_days  numeric(9,2) NOT NULL,
    PRIMARY KEY (account_type, emag_offer_id)
);
COMMENT ON TABLE {schema}.emag_low_stock IS 'What is about to run out: days of cover from the sales pace that the history shows.';

CREATE TABLE {schema}.emag_daily_assortment (
    day             date NOT NULL,
    account_type    text NOT NULL,
    offers          bigint NOT NULL,
    saleable_offers bigint NOT NULL,
    stock           bigint NOT NULL,
    stock_value     numeric(18,4) NOT NULL,
    median_price    numeric(18,4),
    arrivals        bigint NOT NULL,
    departures      bigint NOT NULL,
    price_moves     bigint NOT NULL,
    PRIMARY KEY (day, account_type)
);
COMMENT ON TABLE {schema}.emag_daily_assortment IS 'The assortment at the end of each day (UTC). Values in the account''s currency, without VAT.';
