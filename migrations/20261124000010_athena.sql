-- Queries of Amazon Athena, one row an attempt. The row is there before Athena is called, so that a query that was started
-- is never lost sight of.
create table athena_query (
    athena_query_id bigint generated always as identity primary key,
    collection_id bigint not null references collection,
    -- The later collection that read the result of a query whose own collection ended before it could.
    taken_up_by bigint references collection,
    -- What was asked, in words; what tells it from other questions; and of which day.
    question text not null,
    question_key text not null,
    day date not null,
    attempt integer not null constraint athena_query_attempt_check check (attempt > 0),
    token text not null constraint athena_query_token_key unique,
    sql text not null,
    parameters text[] not null,
    -- Workgroup, database and table.
    workgroup text not null,
    database_name text not null,
    output text,
    -- One entry a place: its object and the object that it is told from, with their ETags.
    marks text[] not null,
    objects integer not null,
    expected_bytes bigint not null,
    execution_id text,
    state text not null default 'starting' constraint athena_query_state_check check (state in (
        'starting', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'not started')),
    reason text,
    created_at timestamptz not null default clock_timestamp(),
    submitted_at timestamptz,
    completed_at timestamptz,
    -- When all of the result was in the store.
    read_at timestamptz,
    bytes_scanned bigint,
    -- In billionths of the currency of the price setting (US dollars unless it says otherwise).
    price_billionths bigint,
    result_rows bigint,
    -- The result object in S3; null where the workgroup keeps results itself.
    result_location text,
    engine_version text,
    constraint athena_query_key unique (collection_id, question_key, attempt)
);

create index athena_query_open_idx on athena_query (day) where read_at is null;

-- The query that read an object; null where we did.
alter table object_outcome add column athena_query_id bigint references athena_query;

-- An object that Athena read has its counts without having come to us: nobody hashed or unpacked it.
alter table object drop constraint object_read_by_check;
alter table object add constraint object_read_by_check
    check ((unpacked_bytes is null and items is null) = (read_by is null));
