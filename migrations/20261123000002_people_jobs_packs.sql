-- Everything that acts on the store: sign-in, the audit log, jobs and packs.

create table audit_log (
    audit_log_id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    actor text not null,
    -- demo: a demo identity, not authenticated. operator: somebody with the command line. system: a job.
    actor_kind text not null constraint audit_log_actor_kind_check check (actor_kind in ('demo', 'operator', 'system')),
    act text not null,
    object text not null default '',
    detail jsonb not null default '{}',
    remote text,
    request_id text
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% of % is refused: its rows are never altered', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_log_append_only before update or delete on audit_log
    for each row execute function refuse_change();
create trigger audit_log_no_truncate before truncate on audit_log
    for each statement execute function refuse_change();

create table session (
    token_hash bytea primary key constraint session_token_hash_check check (octet_length(token_hash) = 32),
    identity text not null,
    role text not null constraint session_role_check check (role in ('auditor', 'compliance-manager', 'administrator')),
    demo boolean not null,
    created_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    expires_at timestamptz not null
);

create table job (
    job_id bigint generated always as identity primary key,
    kind text not null constraint job_kind_check check (kind in ('pack')),
    payload jsonb not null,
    state text not null default 'queued' constraint job_state_check check (state in ('queued', 'running', 'done', 'failed')),
    created_by text not null,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    -- While a worker holds the job; past it the job is taken up again.
    lease_until timestamptz,
    attempts integer not null default 0,
    progress_done bigint not null default 0,
    progress_total bigint not null default 0,
    progress_unit text not null default '',
    failure text,
    -- Where the result is, e.g. a pack's id.
    result text
);

create index job_due_idx on job (job_id) where state in ('queued', 'running');

-- The key pair that signs packs: "signed by this installation".
create table installation_key (
    key_id text primary key,
    private_key bytea not null,
    public_key bytea not null,
    created_at timestamptz not null default now()
);

create table pack (
    pack_id text collate "C" primary key,
    organization_id smallint not null references organization,
    title text not null,
    from_day date not null,
    as_of_day date not null,
    known_at_collection bigint not null references collection,
    -- Accounts in scope; null is all.
    account_ids text[],
    created_by text not null,
    demo boolean not null,
    created_at timestamptz not null default now(),
    -- The printed clock, and whether the operator set it.
    printed_at timestamptz not null,
    clock_set boolean not null,
    job_id bigint references job,
    pages integer not null,
    evaluations bigint not null,
    not_complying bigint not null,
    gap_days bigint not null,
    expected_days bigint not null,
    pdf_bytes bigint not null,
    pdf_sha256 bytea not null,
    zip_bytes bigint not null,
    zip_sha256 bytea not null,
    key_id text not null references installation_key,
    -- Ed25519 over the PDF's bytes.
    signature bytea not null,
    -- The facts printed on the cover, for the page.
    cover jsonb not null
);

create index pack_organization_idx on pack (organization_id, created_at desc);
create index pack_pdf_sha256_idx on pack (pdf_sha256);

create table pack_chunk (
    pack_id text collate "C" not null references pack,
    part text not null constraint pack_chunk_part_check check (part in ('pdf', 'zip')),
    ordinal integer not null,
    bytes bytea not null,
    primary key (pack_id, part, ordinal)
);

alter table pack_chunk alter column bytes set storage external;

-- A pack is whole when it is committed: chunks come in the transaction that brings the pack.
create function refuse_late_chunk() returns trigger language plpgsql as $$
begin
    if not exists (select from pack where pack_id = new.pack_id and pack.xmin = pg_current_xact_id()::xid) then
        raise exception 'insert of pack_chunk is refused: pack % is issued', new.pack_id
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create trigger pack_chunk_never_added before insert on pack_chunk
    for each row execute function refuse_late_chunk();
create trigger installation_key_never_altered before update or delete on installation_key
    for each row execute function refuse_change();
create trigger installation_key_no_truncate before truncate on installation_key
    for each statement execute function refuse_change();
create trigger pack_never_altered before update or delete on pack
    for each row execute function refuse_change();
create trigger pack_chunk_never_altered before update or delete on pack_chunk
    for each row execute function refuse_change();
create trigger pack_no_truncate before truncate on pack
    for each statement execute function refuse_change();
create trigger pack_chunk_no_truncate before truncate on pack_chunk
    for each statement execute function refuse_change();
