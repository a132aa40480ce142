"""What tests of Athena share: a table over a bucket of snapshots, and ways to ask and to fail."""

from .harness import HOME, StandInCase, until_ended

FIRST, SECOND = "111122223333", "444455556666"
FIELDS = {
    "configurationitemcapturetime": "configurationItemCaptureTime",
    "configurationstateid": "configurationStateId",
    "awsaccountid": "awsAccountId",
    "resourcetype": "resourceType",
    "resourceid": "resourceId",
    "configuration": "configuration",
    "supplementaryconfiguration": "supplementaryConfiguration",
    "tags": "tags",
}


def table(name="snapshots", properties="", projection="'projection.account.type' = 'injected'"):
    """The declaration of a table over the bucket `logs`, as AWS's own guide writes it for this layout."""
    kinds = {
        "configurationstateid": "bigint",
        "supplementaryconfiguration": "map<string,string>",
        "tags": "map<string,string>",
    }
    fields = ", ".join(f"{field}: {kinds.get(field, 'string')}" for field in FIELDS)
    mappings = ", ".join(f"'mapping.{field}' = '{member}'" for field, member in FIELDS.items())
    return f"""
        CREATE EXTERNAL TABLE IF NOT EXISTS `config`.`{name}` (
            fileversion string, configurationitems array<struct<{fields}>>)
        PARTITIONED BY (account string, region string, dt string)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
        WITH SERDEPROPERTIES ('case.insensitive' = 'false', 'mapping.fileversion' = 'fileVersion',
            'mapping.configurationitems' = 'configurationItems', {mappings} {properties})
        LOCATION 's3://logs/AWSLogs/'
        TBLPROPERTIES ('projection.enabled' = 'true', {projection},
            'projection.region.type' = 'enum', 'projection.region.values' = 'eu-central-1,us-east-1',
            'projection.dt.type' = 'date', 'projection.dt.format' = 'yyyy/M/d', 'projection.dt.range' = '2026/1/1,NOW',
            'projection.dt.interval' = '1', 'projection.dt.interval.unit' = 'DAYS',
            'storage.location.template' = 's3://logs/AWSLogs/${{account}}/Config/${{region}}/${{dt}}/ConfigSnapshot/')
        """


RESULTS = f"""
    SELECT account, region, item.resourceid AS resource, json_extract_scalar(rule, '$.configRuleName') AS rule,
           json_extract_scalar(rule, '$.complianceType') AS status
    FROM snapshots
    CROSS JOIN UNNEST(configurationitems) AS i(item)
    CROSS JOIN UNNEST(CAST(json_extract(item.configuration, '$.configRuleList') AS array(json))) AS r(rule)
    WHERE item.resourcetype = 'AWS::Config::ResourceCompliance'
      AND account IN ('{FIRST}', '{SECOND}') AND region IN ('eu-central-1', 'us-east-1') AND dt = ?
    ORDER BY account, region, resource, rule
    """


class AthenaCase(StandInCase):
    """A bucket with a few snapshots, a table over it, and a bucket for results."""

    objects = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s3 = cls.aws.client("s3")
        for bucket in ("logs", "results"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": HOME})
        for name, body in cls.objects.items():
            s3.put_object(Bucket="logs", Key=name, Body=body)
        cls.athena = cls.aws.client("athena")
        cls.aws.describe(athena={"today": "2026-10-31", "workgroups": {"primary": {"output": "s3://results/athena"}}})
        for statement in ("CREATE DATABASE IF NOT EXISTS config", table()):
            execution, _ = cls.ended(statement)
            assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]

    @classmethod
    def started(cls, text, **more):
        context = {"Database": "config"}
        return cls.athena.start_query_execution(QueryString=text, QueryExecutionContext=context, **more)[
            "QueryExecutionId"
        ]

    @classmethod
    def ended(cls, text, *parameters, **more):
        more = {"ExecutionParameters": list(parameters), **more} if parameters else more
        return until_ended(cls.athena, cls.started(text, **more))

    def rows(self, text, *parameters, **more):
        """A query's rows without the header; its execution."""
        execution, _ = self.ended(text, *parameters, **more)
        self.assertEqual(execution["Status"]["State"], "SUCCEEDED", execution["Status"])
        return self.pages(execution)[1:], execution

    def pages(self, execution, size=1000):
        pages = self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"], PaginationConfig={"PageSize": size}
        )
        return [[one.get("VarCharValue") for one in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]

    def failure(self, text, *parameters, **more):
        execution, _ = self.ended(text, *parameters, **more)
        self.assertEqual(execution["Status"]["State"], "FAILED", execution["Status"])
        return execution["Status"]["AthenaError"]["ErrorType"], execution["Status"]["StateChangeReason"]
