-- People who sign in by an identity provider, their roles, and what a sign-in leaves behind.

-- Who somebody is: issuer and subject, which the provider never gives to another. Name and e-mail address are for reading
-- only, as the provider last said them.
create table person (
    person_id bigint generated always as identity primary key,
    issuer text not null constraint person_issuer_check check (issuer <> '' and length(issuer) <= 500),
    subject text not null constraint person_subject_check check (subject <> '' and length(subject) <= 255),
    -- The provider's name in the settings at the last sign-in.
    provider text not null,
    name text not null default '',
    email text not null default '',
    email_verified boolean not null default false,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    disabled_at timestamptz,
    constraint person_issuer_subject_key unique (issuer, subject)
);

-- What somebody was: a row for each change. The role of a day is the newest row of that day or before.
create table person_role (
    person_role_id bigint generated always as identity primary key,
    person_id bigint not null references person,
    role text not null constraint person_role_role_check
        check (role in ('auditor', 'viewer', 'compliance-manager', 'administrator')),
    since timestamptz not null,
    -- Why, in words: the group that gives the role, or what was missing.
    why text not null
);

create index person_role_person_idx on person_role (person_id, person_role_id desc);

-- Who was shut out and let in again: a row for each change.
create table person_standing (
    person_standing_id bigint generated always as identity primary key,
    person_id bigint not null references person,
    disabled boolean not null,
    since timestamptz not null,
    changed_by text not null
);

create index person_standing_person_idx on person_standing (person_id, person_standing_id desc);

create trigger person_role_never_altered before update or delete on person_role
    for each row execute function refuse_change();
create trigger person_role_no_truncate before truncate on person_role
    for each statement execute function refuse_change();
create trigger person_standing_never_altered before update or delete on person_standing
    for each row execute function refuse_change();
create trigger person_standing_no_truncate before truncate on person_standing
    for each statement execute function refuse_change();

-- demo: not authenticated. oidc: by an identity provider. admin-link: by a one-time link from the command line.
alter table session
    add column session_id bigint generated always as identity constraint session_session_id_key unique,
    add column kind text not null default 'demo'
        constraint session_kind_check check (kind in ('demo', 'oidc', 'admin-link')),
    add column person_id bigint references person,
    -- The provider's name in the settings, and what it calls its own session.
    add column provider text,
    add column sid text,
    -- What the provider wants to see at sign-out; left out where it is too long for an address.
    add column id_token text,
    add column remote text,
    add column user_agent text,
    add constraint session_person_check check ((kind = 'oidc') = (person_id is not null and provider is not null));

create index session_person_idx on session (person_id) where person_id is not null;

-- A way to a provider and back: bound to one browser, used once.
create table sign_in_attempt (
    state_hash bytea primary key constraint sign_in_attempt_state_hash_check check (octet_length(state_hash) = 32),
    browser_hash bytea not null constraint sign_in_attempt_browser_hash_check check (octet_length(browser_hash) = 32),
    provider text not null,
    purpose text not null constraint sign_in_attempt_purpose_check check (purpose in ('sign-in', 'test', 'sign-out')),
    -- Where to go on to: a path of this site.
    next text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

create index sign_in_attempt_expires_idx on sign_in_attempt (expires_at);

-- Logout tokens that were heeded: none is heeded twice.
create table logout_token (
    issuer text not null,
    jti_hash bytea not null constraint logout_token_jti_hash_check check (octet_length(jti_hash) = 32),
    expires_at timestamptz not null,
    primary key (issuer, jti_hash)
);

-- One-time links that let an administrator in without a provider.
create table admin_link (
    admin_link_id bigint generated always as identity primary key,
    token_hash bytea not null constraint admin_link_token_hash_key unique
        constraint admin_link_token_hash_check check (octet_length(token_hash) = 32),
    made_by text not null,
    made_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);

-- person: by an identity provider; the number in the actor's name is person.person_id.
alter table audit_log drop constraint audit_log_actor_kind_check;
alter table audit_log add constraint audit_log_actor_kind_check
    check (actor_kind in ('demo', 'operator', 'system', 'person'));
