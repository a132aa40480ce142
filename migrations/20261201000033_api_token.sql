-- Tokens by which a program reads in somebody's name. What they are is never altered: an end is a row of its own.

create table api_token (
    api_token_id bigint generated always as identity primary key,
    -- The part of the token that is no secret: whoever finds a token somewhere finds its row by it.
    public_id text collate "C" not null constraint api_token_public_id_key unique,
    -- SHA-256 of the whole token.
    token_hash bytea not null constraint api_token_token_hash_key unique
        constraint api_token_token_hash_check check (octet_length(token_hash) = 32),
    -- Whose it is: a person's, or a demo identity's.
    person_id bigint references person,
    demo_role text constraint api_token_demo_role_check
        check (demo_role in ('auditor', 'viewer', 'compliance-manager', 'administrator')),
    name text not null constraint api_token_name_check check (name <> ''),
    scopes text[] not null constraint api_token_scopes_check
        check (cardinality(scopes) > 0 and scopes <@ '{evidence,documents,log}'::text[]),
    -- The room that an auditor's token is confined to.
    engagement_id bigint references engagement,
    made_by text not null,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    constraint api_token_owner_check check ((person_id is null) <> (demo_role is null)),
    constraint api_token_expires_check check (expires_at > made_at)
);

create index api_token_person_idx on api_token (person_id);

create table api_token_end (
    api_token_id bigint primary key references api_token,
    ended_by text not null,
    ended_at timestamptz not null
);

-- The days on which a token let a program in: a row a day, so that reading does not write.
create table api_token_use (
    api_token_id bigint not null references api_token,
    day date not null,
    primary key (api_token_id, day)
);

do $$
declare
    kept text;
begin
    foreach kept in array array['api_token', 'api_token_end', 'api_token_use'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()',
            kept || '_never_altered', kept);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()',
            kept || '_no_truncate', kept);
    end loop;
end
$$;
