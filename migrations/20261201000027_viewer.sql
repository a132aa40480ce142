-- Who reads everything is a viewer; auditors see the room of an engagement alone. Only demo identities were auditors
-- until now: whoever is signed in as one signs in again.

alter table session drop constraint session_role_check;
alter table session add constraint session_role_check
    check (role in ('auditor', 'viewer', 'compliance-manager', 'administrator'));
