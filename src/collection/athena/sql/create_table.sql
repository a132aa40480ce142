-- The delivery bucket's snapshots as a table: one row an object, read where AWS Config put it. Partitions are projected from
-- the keys, so nothing has to be added when a day, a Region or an account comes.
create external table if not exists `{database}`.`{table}` (
    `fileversion` string,
    `configsnapshotid` string,
    `configurationitems` array<struct<
        `configurationitemcapturetime`: string,
        `configurationstateid`: bigint,
        `awsaccountid`: string,
        `configurationitemstatus`: string,
        `resourcetype`: string,
        `resourceid`: string,
        `resourcename`: string,
        `arn`: string,
        `awsregion`: string,
        `configuration`: string>>
)
partitioned by (`account` string, `region` string, `dt` string)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
with serdeproperties (
    'case.insensitive' = 'false',
    'mapping.fileversion' = 'fileVersion',
    'mapping.configsnapshotid' = 'configSnapshotId',
    'mapping.configurationitems' = 'configurationItems',
    'mapping.configurationitemcapturetime' = 'configurationItemCaptureTime',
    'mapping.configurationstateid' = 'configurationStateId',
    'mapping.awsaccountid' = 'awsAccountId',
    'mapping.configurationitemstatus' = 'configurationItemStatus',
    'mapping.resourcetype' = 'resourceType',
    'mapping.resourceid' = 'resourceId',
    'mapping.resourcename' = 'resourceName',
    'mapping.arn' = 'ARN',
    'mapping.awsregion' = 'awsRegion'
)
stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location '{location}'
tblproperties (
    'projection.enabled' = 'true',
    'projection.account.type' = 'injected',
    'projection.region.type' = 'enum',
    'projection.region.values' = '{regions}',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy/M/d',
    'projection.dt.range' = '{first_day},NOW+1DAYS',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'storage.location.template' = '{location}${account}/Config/${region}/${dt}/ConfigSnapshot/'
)
