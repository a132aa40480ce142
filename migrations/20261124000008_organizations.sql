-- Accounts as AWS Organizations itself tells them, as history: rows are added, never changed.

-- Where a list comes from. A file is kept once for its day; of the API's lists, each that differs from the one before it.
alter table account_list
    add column origin text not null default 'file'
        constraint account_list_origin_check check (origin in ('file', 'organizations'));
alter table account_list drop constraint account_list_key;
create unique index account_list_file_key on account_list (organization_id, listed_on, sha256) where origin = 'file';
create index account_list_day_idx on account_list (organization_id, listed_on, account_list_id);

-- What only the API tells; null where the list does not say.
alter table account_listing
    add column joined_method text,
    -- The root and the organizational units below it, down to the account's own: ids and names, in one order.
    add column unit_ids text[],
    add column unit_names text[],
    -- The account's tags: an object of texts.
    add column tags jsonb,
    add constraint account_listing_units_check check (
        (unit_ids is null) = (unit_names is null)
        and (unit_ids is null or cardinality(unit_ids) = cardinality(unit_names)));

-- Each try to read Organizations, so that pages can say how old what they show is, and why.
create table account_reading (
    account_reading_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    collection_id bigint not null constraint account_reading_collection_key unique references collection,
    day date not null,
    read_at timestamptz not null default clock_timestamp(),
    -- Null: it was read, and the latest list up to the day is what it said.
    failure text constraint account_reading_failure_check check (failure <> '')
);

create index account_reading_organization_idx on account_reading (organization_id, account_reading_id desc);
