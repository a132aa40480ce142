-- The audit log as a chain: each entry has a link with the hash of all that the entry says and of the link before it.

-- Links are made when a transaction commits, so that writers wait for each other only while they commit and the order of the
-- chain is the order of the commits.
create table audit_chain (
    link_position bigint primary key constraint audit_chain_link_position_check check (link_position > 0),
    audit_log_id bigint not null constraint audit_chain_audit_log_id_key unique,
    -- The hash of the link before; 32 zero bytes before the first.
    previous bytea not null constraint audit_chain_previous_check check (octet_length(previous) = 32),
    linked_at timestamptz not null,
    -- commit: when the entry was written. upgrade: by this migration, of entries that stood before it.
    linked_by text not null constraint audit_chain_linked_by_check check (linked_by in ('commit', 'upgrade')),
    -- SHA-256 of audit_link_text.
    hash bytea not null constraint audit_chain_hash_check check (octet_length(hash) = 32)
);

create function audit_time_text(at timestamptz) returns text language sql stable as $$
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- The bytes that are hashed, in UTF-8: the entry's line of the log as JSON lines, up to its hash.
create function audit_link_text(link_position bigint, previous bytea, linked_at timestamptz, linked_by text, entry audit_log)
returns text language sql stable as $$
    select '{"position":' || link_position
        || ',"previous":"' || encode(previous, 'hex')
        || '","linked_at":"' || audit_time_text(linked_at)
        || '","linked_by":' || to_json(linked_by)
        || ',"audit_log_id":' || entry.audit_log_id
        || ',"at":"' || audit_time_text(entry.at)
        || '","actor":' || to_json(entry.actor)
        || ',"actor_kind":' || to_json(entry.actor_kind)
        || ',"act":' || to_json(entry.act)
        || ',"object":' || to_json(entry.object)
        || ',"detail":' || entry.detail
        || ',"remote":' || coalesce(to_json(entry.remote)::text, 'null')
        || ',"request_id":' || coalesce(to_json(entry.request_id)::text, 'null')
$$;

-- No entry comes between the last one that is linked here and the first that links itself.
lock table audit_log in share row exclusive mode;

do $$
declare
    entry audit_log;
    link_position bigint := 0;
    previous bytea := decode(repeat('00', 32), 'hex');
    hash bytea;
begin
    for entry in select * from audit_log order by audit_log_id loop
        link_position := link_position + 1;
        hash := sha256(convert_to(audit_link_text(link_position, previous, now(), 'upgrade', entry), 'UTF8'));
        insert into audit_chain values (link_position, entry.audit_log_id, previous, now(), 'upgrade', hash);
        previous := hash;
    end loop;
end
$$;

create function link_audit_log() returns trigger language plpgsql as $$
declare
    newest audit_chain;
    made_at timestamptz;
    made_hash bytea;
begin
    -- A snapshot that is older than the lock does not show the newest link.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'insert into audit_log is refused in a % transaction', current_setting('transaction_isolation')
            using errcode = 'invalid_transaction_state', hint = 'Write the entry in a read committed transaction.';
    end if;
    -- Held to the end of the commit, which is under way. "audit" in ASCII.
    perform pg_advisory_xact_lock(418581342580);
    select * into newest from audit_chain order by link_position desc limit 1;
    if not found then
        newest.link_position := 0;
        newest.hash := decode(repeat('00', 32), 'hex');
    end if;
    made_at := clock_timestamp();
    made_hash := sha256(convert_to(audit_link_text(newest.link_position + 1, newest.hash, made_at, 'commit', new), 'UTF8'));
    insert into audit_chain
        values (newest.link_position + 1, new.audit_log_id, newest.hash, made_at, 'commit', made_hash);
    return null;
end
$$;

create constraint trigger audit_log_linked after insert on audit_log
    deferrable initially deferred for each row execute function link_audit_log();

create function refuse_link() returns trigger language plpgsql as $$
begin
    raise exception '% of % is refused: an entry of audit_log brings its own link', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_chain_never_added before insert on audit_chain
    for each row when (pg_trigger_depth() = 0) execute function refuse_link();
create trigger audit_chain_append_only before update or delete on audit_chain
    for each row execute function refuse_change();
create trigger audit_chain_no_truncate before truncate on audit_chain
    for each statement execute function refuse_change();

-- Also where a session calls itself a replica.
alter table audit_log enable always trigger audit_log_linked;
alter table audit_log enable always trigger audit_log_append_only;
alter table audit_log enable always trigger audit_log_no_truncate;
alter table audit_chain enable always trigger audit_chain_never_added;
alter table audit_chain enable always trigger audit_chain_append_only;
alter table audit_chain enable always trigger audit_chain_no_truncate;

-- Nobody needs these, the owner neither.
revoke update, delete, truncate on audit_log, audit_chain from current_user, public;

-- What the page of the log is found by.
create index audit_log_at_idx on audit_log (at, audit_log_id);
create index audit_log_actor_idx on audit_log (actor, at, audit_log_id);
create index audit_log_act_idx on audit_log (act, at, audit_log_id);
create index audit_log_object_idx on audit_log (object, at, audit_log_id);
