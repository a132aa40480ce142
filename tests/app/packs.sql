-- A small store as collections leave it. Days 2026-11-01 to 2026-11-10; place 3 delivered nothing on the 5th.
insert into organization (name) values ('Straße & Söhne');
insert into collection (organization_id, engine, source, state, started_by, started_at, finished_at, program_version, program_commit)
    values (1, 'files', '/evidence', 'finished', 'tester', '2026-11-11 01:00Z', '2026-11-11 01:02Z', '0.1.0', 'abc');
insert into place (organization_id, account_id, region) values
    (1, '000000000001', 'eu-west-1'), (1, '000000000001', 'us-east-1'), (1, '000000000002', 'eu-west-1'), (1, '000000000002', 'us-east-1');
insert into resource_type (name) values ('AWS::S3::Bucket'), ('AWS::IAM::User');
insert into timeline (organization_id, core_name, origin) values (1, 's3-bucket-public-read-prohibited', 'direct'), (1, 'iam-user-mfa-enabled', 'direct');
insert into rule (organization_id, name, core_name, timeline_id, origin, source_identifier, severity) values
    (1, 'securityhub-s3-bucket-public-read-prohibited-1a2b3c4d', 's3-bucket-public-read-prohibited', 1, 'direct', 'S3_BUCKET_PUBLIC_READ_PROHIBITED', 4),
    (1, 'iam-user-mfa-enabled', 'iam-user-mfa-enabled', 2, 'direct', 'IAM_USER_MFA_ENABLED', 2);
insert into resource (place_id, resource_type_id, id) values
    (1, 1, 'bucket-東京'), (1, 1, 'a-resource-with-a-name-that-is-so-long-that-it-wraps-in-its-column-and-is-copied-whole'), (1, 2, 'ångström'),
    (2, 1, 'logs'), (3, 1, 'Ωμέγα'), (3, 2, 'Пётр'), (4, 1, 'data');
-- The rule about users is there from the 6th.
insert into run (place_id, rule_id, resource_id, first_day, end_day, status_id, item_captured_at) values
    (1, 1, 1, '2026-11-01', 'infinity', 2, '2026-10-30 10:00Z'),
    (1, 1, 2, '2026-11-01', '2026-11-04', 1, '2026-10-30 10:00Z'),
    (1, 1, 2, '2026-11-04', 'infinity', 2, '2026-11-04 10:00Z'),
    (1, 2, 3, '2026-11-06', 'infinity', 1, '2026-11-06 10:00Z'),
    (2, 1, 4, '2026-11-01', '2026-11-07', 2, '2026-10-30 10:00Z'),
    (2, 1, 4, '2026-11-07', 'infinity', 1, '2026-11-07 10:00Z'),
    (3, 1, 5, '2026-11-01', 'infinity', 1, '2026-10-30 10:00Z'),
    (3, 2, 6, '2026-11-06', 'infinity', 2, '2026-11-06 10:00Z'),
    (4, 1, 7, '2026-11-01', 'infinity', 3, '2026-10-30 10:00Z');
-- One more that a rule says nothing about any more, so that counts differ between days.
insert into resource (place_id, resource_type_id, id) values (1, 2, 'Żółć');
insert into run (place_id, rule_id, resource_id, first_day, status_id, item_captured_at)
    values (1, 2, 8, '2026-11-06', 4, '2026-11-06 10:00Z');
insert into rule_presence (place_id, rule_id, first_day) values
    (1, 1, '2026-11-01'), (2, 1, '2026-11-01'), (3, 1, '2026-11-01'), (4, 1, '2026-11-01'), (1, 2, '2026-11-06'), (3, 2, '2026-11-06');
insert into rollup (place_id, rule_id, resource_type_id, first_day, end_day, complying, not_complying, insufficient_data, not_applicable, unrecognised)
    select place_id, rule_id, resource_type_id, d, case d when date '2026-11-10' then 'infinity' else d + 1 end,
        count(*) filter (where status_id = 1), count(*) filter (where status_id = 2), count(*) filter (where status_id = 3),
        count(*) filter (where status_id = 4), count(*) filter (where status_id >= 100)
    from run join resource using (resource_id, place_id)
        join (select date '2026-11-01' + n as d from generate_series(0, 9) n) days on first_day <= d and d < end_day
    group by 1, 2, 3, 4;
insert into object (place_id, day, kind, key, taken_at, size_bytes, modified_ns, sha256, hashed_by, unpacked_bytes, read_by, items, compliance_items, evaluations, first_collection)
    select place_id, d, 'snapshot', format('AWSLogs/%s/Config/%s/%s/snapshot.json.gz', account_id, region, d), d + time '05:00' at time zone 'UTC',
        1000 + place_id, 0, sha256(format('%s %s', place_id, d)::bytea), 1, 5000, 1, 10, 2, 2, 1
    from place, (select date '2026-11-01' + n as d from generate_series(0, 9) n) days where not (place_id = 3 and d = '2026-11-05');
insert into object_outcome (object_id, collection_id, outcome, evaluations) select object_id, 1, 'collected', 2 from object;
insert into delivery (place_id, day, state, since_collection, object_id, snapshot_at, items, compliance_items,
        complying, not_complying, insufficient_data, not_applicable, unrecognised)
    select o.place_id, o.day, 'delivered', 1, o.object_id, o.taken_at, 10, 2,
        count(*) filter (where status_id = 1), count(*) filter (where status_id = 2), count(*) filter (where status_id = 3),
        count(*) filter (where status_id = 4), count(*) filter (where status_id >= 100)
    from object o left join run r on r.place_id = o.place_id and first_day <= o.day and o.day < end_day
    group by o.object_id;
