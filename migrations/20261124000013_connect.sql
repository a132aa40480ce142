-- What self-tests of the permissions in AWS found. The newest one is shown.
create table connect_check (
    connect_check_id bigint generated always as identity primary key,
    -- By name: a self-test can come before the first collection.
    organization text not null,
    checked_at timestamptz not null default clock_timestamp(),
    checked_by text not null,
    -- What was tested, as pairs of a setting and its value in words; never a secret.
    settings jsonb not null,
    works boolean not null,
    -- One entry an action.
    results jsonb not null
);

create index connect_check_newest_idx on connect_check (organization, connect_check_id desc);
