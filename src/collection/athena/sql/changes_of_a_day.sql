-- What one day's objects say otherwise than the objects of the days that the store has before it; of an account and Region
-- without such a day, everything. And how much each object holds.
--
-- Each object is read once: the table is named once and no part of the statement is used twice, because a part that is would
-- be scanned twice. The two sides are told apart by their day and put side by side by grouping.
--
-- Rows by `kind`:
--   counts      a = new | old: how much the object of that side holds
--   evaluation  a = rule, b = resource type, c = resource id; the value is the status
--   rule        a = rule that evaluates something or that a conformance pack names
--   attribute   a = rule, b = its ARN, c = its configRuleId
--   pack        a = conformance pack's resource id; the value is compliant|non-compliant|all|deleted|status|name
--   resource    b = resource type, c = id of a resource whose item has no evaluations
-- A value that is null is absent on that side: gone where the new one is null, new where the old one is.
with object as (
    select
        t.account,
        t.region,
        t.dt = ? as is_new,
        coalesce(t.configsnapshotid, '') as snapshot_id,
        cardinality(t.configurationitems) as items,
        -- Compliance items, and whatever needs a closer look.
        filter(
            t.configurationitems,
            i -> coalesce(i.resourcetype, '') in (
                    '', 'AWS::Config::ResourceCompliance', 'AWS::Config::ConformancePackCompliance')
                or coalesce(i.awsaccountid, '') <> t.account
        ) as wanted
    from {table} t
    where t.account in ({accounts})
        and t.region in ({regions})
        and t.dt in ({days})
        and t."$path" in ({paths})
),
delivered as (
    -- One more row an object, behind its items, counts the object itself.
    select
        object.account,
        object.region,
        object.is_new,
        object.snapshot_id,
        object.items,
        u.ordinal,
        u.ordinal = cardinality(coalesce(object.wanted, array[])) + 1 as is_object,
        u.item.awsaccountid as owner,
        coalesce(u.item.resourcetype, '') as type,
        coalesce(u.item.resourceid, '') as id,
        coalesce(u.item.resourcename, '') as name,
        coalesce(u.item.configurationitemcapturetime, '') as captured_at,
        u.item.configurationstateid as state_id,
        coalesce(u.item.configurationitemstatus, '') in ('ResourceDeleted', 'ResourceDeletedNotRecorded') as deleted,
        u.item.configuration as configuration
    from object
    cross join unnest(concat(coalesce(object.wanted, array[]), array[null])) with ordinality as u (item, ordinal)
),
said as (
    select
        delivered.account,
        delivered.region,
        delivered.is_new,
        delivered.snapshot_id,
        delivered.items,
        delivered.ordinal,
        delivered.is_object,
        delivered.owner,
        delivered.id,
        delivered.name,
        delivered.captured_at,
        delivered.state_id,
        delivered.deleted,
        delivered.configuration,
        case delivered.type
            when 'AWS::Config::ResourceCompliance' then 'resource'
            when 'AWS::Config::ConformancePackCompliance' then 'pack'
            else ''
        end as subject,
        -- The resource that was evaluated: by the configuration, else by the item's own id, which is TYPE/ID.
        coalesce(
            nullif(json_extract_scalar(delivered.configuration, '$.targetResourceType'), ''),
            case when strpos(delivered.id, '/') > 0 then substr(delivered.id, 1, strpos(delivered.id, '/') - 1) end,
            ''
        ) as target_type,
        coalesce(
            nullif(json_extract_scalar(delivered.configuration, '$.targetResourceId'), ''),
            case when strpos(delivered.id, '/') > 0 then substr(delivered.id, strpos(delivered.id, '/') + 1) end,
            ''
        ) as target_id,
        coalesce(json_extract_scalar(delivered.configuration, '$.complianceType'), '') as status,
        json_extract_scalar(delivered.configuration, '$.compliantRuleCount') as compliant_rules,
        json_extract_scalar(delivered.configuration, '$.nonCompliantRuleCount') as non_compliant_rules,
        json_extract_scalar(delivered.configuration, '$.totalRuleCount') as total_rules,
        case
            when not delivered.deleted
            then try_cast(json_extract(delivered.configuration, '$.configRuleList') as array(json))
        end as rules
    from delivered
),
judged as (
    select
        said.*,
        -- Of several items of one resource, or one pack, in an object the newest speaks: age 1.
        row_number() over (
            partition by
                said.account,
                said.region,
                said.is_new,
                said.is_object,
                said.subject,
                case said.subject when 'resource' then said.target_type when 'pack' then said.id else '' end,
                case said.subject when 'resource' then said.target_id else '' end
            order by said.captured_at desc, said.state_id desc, said.ordinal desc
        ) as age,
        coalesce(cardinality(said.rules), 0) as entries,
        coalesce(
            cardinality(array_distinct(transform(said.rules, r -> json_extract_scalar(r, '$.configRuleName')))), 0
        ) as distinct_entries,
        -- What the reader of files would look at more closely, or refuse, is left to it: its object is read again by it. Its
        -- limits are in bytes, of which a character has four at most.
        case
            when said.is_object then case when said.items is null then 1 else 0 end
            when coalesce(said.owner, '') <> said.account then 1
            when said.subject = '' then 1
            when not regexp_like(said.captured_at, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$') then 1
            when said.state_id is null then 1
            when not said.deleted and said.configuration is null then 1
            when said.subject = 'resource' and (
                said.target_type = '' or length(said.target_type) > 128 or said.target_id = '' or length(said.target_id) > 512
            ) then 1
            when said.subject = 'resource' and not said.deleted and said.rules is null then 1
            when said.subject = 'pack' and (said.id = '' or length(said.id) > 128 or length(said.name) > 128) then 1
            when said.subject = 'pack' and not said.deleted and (
                said.status = ''
                or strpos(said.status, '|') > 0
                or coalesce(try_cast(said.compliant_rules as integer), -1) < 0
                or coalesce(try_cast(said.non_compliant_rules as integer), -1) < 0
                or coalesce(try_cast(said.total_rules as integer), -1) < 0
            ) then 1
            when cardinality(
                filter(
                    coalesce(said.rules, array[]),
                    r -> coalesce(json_extract_scalar(r, '$.configRuleName'), '') = ''
                        or length(json_extract_scalar(r, '$.configRuleName')) > 128
                        or coalesce(json_extract_scalar(r, '$.complianceType'), '') = ''
                        or length(json_extract_scalar(r, '$.complianceType')) > 128
                        or length(json_extract_scalar(r, '$.configRuleArn')) > 512
                        or length(json_extract_scalar(r, '$.configRuleId')) > 128
                )
            ) > 0 then 1
            else 0
        end as doubts
    from said
),
entry as (
    -- One more row an item, behind its rules, counts the item itself.
    select
        judged.*,
        u.place,
        u.place = judged.entries + 1 as is_item,
        coalesce(json_extract_scalar(u.rule, '$.configRuleName'), '') as rule_name,
        coalesce(json_extract_scalar(u.rule, '$.configRuleArn'), '') as rule_arn,
        coalesce(json_extract_scalar(u.rule, '$.configRuleId'), '') as rule_id,
        coalesce(json_extract_scalar(u.rule, '$.complianceType'), '') as rule_status
    from judged
    cross join unnest(concat(coalesce(judged.rules, array[]), array[null])) with ordinality as u (rule, place)
),
fact as (
    select
        entry.*,
        k.kind
    from entry
    cross join unnest(
        case
            when entry.is_item and entry.subject = 'pack' and entry.age = 1 then array['counts', 'pack']
            when entry.is_item and entry.subject = 'resource' and entry.age = 1 and entry.entries = 0
                then array['counts', 'resource']
            when entry.is_item then array['counts']
            when entry.subject = 'pack' and entry.age = 1 then array['rule']
            when entry.subject = 'pack' then array['counts']
            when entry.age = 1 then array['evaluation', 'rule', 'attribute']
            else array['attribute']
        end
    ) as k (kind)
),
keyed as (
    select
        fact.*,
        case
            when fact.kind = 'counts' then case when fact.is_new then 'new' else 'old' end
            when fact.kind = 'pack' then fact.id
            when fact.kind = 'resource' then ''
            else fact.rule_name
        end as a,
        case
            when fact.kind in ('evaluation', 'resource') then fact.target_type
            when fact.kind = 'attribute' then fact.rule_arn
            else ''
        end as b,
        case
            when fact.kind in ('evaluation', 'resource') then fact.target_id
            when fact.kind = 'attribute' then fact.rule_id
            else ''
        end as c,
        case
            when fact.kind = 'counts' then case when fact.is_object then fact.snapshot_id end
            when fact.kind = 'evaluation' then fact.rule_status
            when fact.kind = 'pack' and fact.deleted then '0|0|0|deleted||' || fact.name
            when fact.kind = 'pack'
                then fact.compliant_rules || '|' || fact.non_compliant_rules || '|' || fact.total_rules || '||'
                    || fact.status || '|' || fact.name
            else 'present'
        end as value,
        -- Where a rule stands twice in one item the graver status counts; of two equally grave words the first.
        case fact.rule_status
            when 'NON_COMPLIANT' then 4
            when 'INSUFFICIENT_DATA' then 2
            when 'COMPLIANT' then 1
            when 'NOT_APPLICABLE' then 0
            else 3
        end * 1000000 - fact.place as weight
    from fact
)
select
    keyed.account as account,
    keyed.region as region,
    keyed.kind as kind,
    keyed.a as a,
    keyed.b as b,
    keyed.c as c,
    max_by(keyed.value, keyed.weight) filter (where keyed.is_new and keyed.value is not null) as new_value,
    max_by(keyed.value, keyed.weight) filter (where not keyed.is_new and keyed.value is not null) as old_value,
    max(case when keyed.is_new and keyed.kind = 'evaluation' then keyed.captured_at end) as captured_at,
    -- Null where nothing is counted.
    sum(case when keyed.is_object then 1 end) filter (where keyed.kind = 'counts') as objects,
    sum(case when keyed.is_object then keyed.items end) filter (where keyed.kind = 'counts') as items,
    sum(case when keyed.subject = 'resource' then 1 end) filter (where keyed.kind = 'counts') as compliance_items,
    sum(case when keyed.subject = 'pack' then 1 end) filter (where keyed.kind = 'counts') as pack_items,
    sum(keyed.entries) filter (where keyed.kind = 'counts' and keyed.subject = 'resource') as evaluations,
    sum(keyed.entries) filter (where keyed.kind = 'counts' and keyed.subject = 'resource' and keyed.age > 1) as older,
    sum(keyed.entries - keyed.distinct_entries)
        filter (where keyed.kind = 'counts' and keyed.subject = 'resource' and keyed.age = 1) as twice,
    sum(case when keyed.subject = 'pack' and keyed.deleted then 1 end) filter (where keyed.kind = 'counts') as packs_deleted,
    -- Several items of one pack in an object are for the reader of files, too.
    sum(keyed.doubts + case when keyed.subject = 'pack' and keyed.age > 1 then 1 else 0 end)
        filter (where keyed.kind = 'counts') as doubts
from keyed
group by keyed.account, keyed.region, keyed.kind, keyed.a, keyed.b, keyed.c
having keyed.kind = 'counts'
    or max_by(keyed.value, keyed.weight) filter (where keyed.is_new and keyed.value is not null)
        is distinct from
        max_by(keyed.value, keyed.weight) filter (where not keyed.is_new and keyed.value is not null)
order by keyed.account, keyed.region, keyed.kind
