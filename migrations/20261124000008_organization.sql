-- Organizations and rule definitions as AWS's own API tells them, as history.

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

-- Each try to read the rules of an account in a Region.
create table rule_reading (
    place_id integer not null references place,
    collection_id bigint not null references collection,
    day date not null,
    read_at timestamptz not null default clock_timestamp(),
    outcome text not null constraint rule_reading_outcome_check check (outcome in (
        'read', 'denied', 'throttled', 'region off', 'expired', 'no member role', 'failed')),
    -- How many rules there were; null where they were not read.
    rules integer,
    failure text,
    primary key (place_id, collection_id),
    constraint rule_reading_whole_check check (
        (outcome = 'read') = (failure is null) and (outcome = 'read') = (rules is not null))
);

create index rule_reading_collection_idx on rule_reading (collection_id);

-- A rule as AWS Config describes it, for as long as successive readings found it the same. Seen last by the place's last
-- reading before `until_collection`. A reading that failed opens and closes nothing.
create table rule_definition (
    rule_definition_id bigint generated always as identity primary key,
    place_id integer not null references place,
    rule_name text collate "C" not null,
    arn text not null,
    config_rule_id text not null,
    -- AWS, CUSTOM_LAMBDA, CUSTOM_POLICY.
    owner text not null,
    source_identifier text not null,
    -- Canonical JSON, so that equal texts are equal definitions: an object; a text where AWS's was none.
    parameters text not null,
    -- Canonical JSON; '' where the rule has none of its own.
    scope text not null,
    source_details text not null,
    -- One_Hour ... TwentyFour_Hours; '' where the rule has none.
    frequency text not null,
    modes text[] not null,
    state text not null,
    created_by text not null,
    description text not null,
    first_collection bigint not null references collection,
    first_day date not null,
    -- The reading that found it changed or gone; null while it holds.
    until_collection bigint references collection,
    end_day date,
    constraint rule_definition_key unique (place_id, rule_name, first_collection),
    constraint rule_definition_end_check check ((until_collection is null) = (end_day is null) and end_day >= first_day)
);

create unique index rule_definition_current_idx on rule_definition (place_id, rule_name) where until_collection is null;
create index rule_definition_name_idx on rule_definition (rule_name, place_id);
