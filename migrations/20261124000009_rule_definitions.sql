-- What AWS Config's rules ask for, as accounts describe them, as history: a row is closed by a later collection, its facts
-- are never changed.

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
    since_collection bigint not null references collection,
    first_day date not null,
    -- The reading that found it changed or gone; null while it holds.
    until_collection bigint references collection,
    end_day date,
    constraint rule_definition_key unique (place_id, rule_name, since_collection),
    constraint rule_definition_end_check check ((until_collection is null) = (end_day is null) and end_day >= first_day)
);

create unique index rule_definition_current_idx on rule_definition (place_id, rule_name) where until_collection is null;
create index rule_definition_name_idx on rule_definition (rule_name, place_id);
-- The few that ended, for what changed.
create index rule_definition_ended_idx on rule_definition (place_id, until_collection) where until_collection is not null;
