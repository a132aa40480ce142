"""Athena over the bucket's objects, read by boto3."""

import csv
import io
import uuid

from .harness import HOME, PORTAL, key, result, snapshot, until_ended
from .harness_athena import FIRST, RESULTS, SECOND, AthenaCase, table


def objects():
    bad, good = "NON_COMPLIANT", "COMPLIANT"
    return {
        key(FIRST, HOME, (2026, 10, 1)): snapshot(
            [
                result(FIRST, HOME, "AWS::S3::Bucket/a", {"logged": bad, "tagged": good}),
                {"resourceType": "AWS::S3::Bucket"},
            ]
        ),
        key(FIRST, HOME, (2026, 10, 2)): snapshot([result(FIRST, HOME, "AWS::S3::Bucket/a", {"logged": good})]),
        key(FIRST, HOME, (2026, 10, 2), "T110000Z"): snapshot(
            [result(FIRST, HOME, "AWS::S3::Bucket/b", {"logged": bad})]
        ),
        key(SECOND, "us-east-1", (2026, 10, 1)): snapshot(
            [result(SECOND, "us-east-1", "AWS::IAM::User/u", {"keys": good})]
        ),
        # Of a Region that the table does not list, and no object of Athena's.
        key(FIRST, "ap-east-1", (2026, 10, 1)): snapshot(
            [result(FIRST, "ap-east-1", "AWS::IAM::User/x", {"keys": bad})]
        ),
        f"AWSLogs/{FIRST}/Config/eu-central-1/2026/10/1/ConfigSnapshot/_hidden.json.gz": b"not a gzip",
        f"AWSLogs/{FIRST}/Config/eu-central-1/2026/10/1/ConfigHistory/x.json.gz": b"not a gzip",
    }


class Queries(AthenaCase):
    objects = objects()

    def size(self, *names):
        return sum(len(self.objects[name]) for name in names)

    def test_a_query_reads_the_objects_of_its_partitions(self):
        rows, execution = self.rows(RESULTS, "'2026/10/1'")
        self.assertEqual(
            rows,
            [
                [FIRST, HOME, "AWS::S3::Bucket/a", "logged", "NON_COMPLIANT"],
                [FIRST, HOME, "AWS::S3::Bucket/a", "tagged", "COMPLIANT"],
                [SECOND, "us-east-1", "AWS::IAM::User/u", "keys", "COMPLIANT"],
            ],
        )
        read = self.size(key(FIRST, HOME, (2026, 10, 1)), key(SECOND, "us-east-1", (2026, 10, 1)))
        self.assertEqual(execution["Statistics"]["DataScannedInBytes"], read)
        self.assertEqual(execution["StatementType"], "DML")

    def test_a_path_narrows_what_is_read(self):
        name = key(FIRST, HOME, (2026, 10, 2), "T110000Z")
        text = f"""SELECT "$path", count(*) FROM snapshots WHERE account = '{FIRST}' AND dt = '2026/10/2'
                   AND "$path" IN ('s3://logs/{name}') GROUP BY 1"""
        rows, execution = self.rows(text)
        self.assertEqual(rows, [[f"s3://logs/{name}", "1"]])
        self.assertEqual(execution["Statistics"]["DataScannedInBytes"], self.size(name))

    def test_days_that_are_not_named_are_all_read(self):
        rows, _ = self.rows(f"SELECT DISTINCT dt FROM snapshots WHERE account = '{FIRST}' ORDER BY 1")
        self.assertEqual(rows, [["2026/10/1"], ["2026/10/2"]])
        padded, execution = self.rows(f"SELECT dt FROM snapshots WHERE account = '{FIRST}' AND dt = '2026/10/01'")
        self.assertEqual((padded, execution["Statistics"]["DataScannedInBytes"]), ([], 0))

    def test_a_deleted_object_is_not_read(self):
        s3 = self.aws.client("s3")
        s3.put_bucket_versioning(Bucket="logs", VersioningConfiguration={"Status": "Enabled"})
        name = key(SECOND, HOME, (2026, 10, 3))
        s3.put_object(Bucket="logs", Key=name, Body=snapshot([]))
        text = f"SELECT \"$path\" FROM snapshots WHERE account = '{SECOND}' AND dt = '2026/10/3'"
        self.assertEqual(self.rows(text)[0], [[f"s3://logs/{name}"]])
        s3.delete_object(Bucket="logs", Key=name)
        self.assertEqual(self.rows(text)[0], [])

    def test_two_days_are_compared_in_one_statement(self):
        one = RESULTS.rpartition("ORDER BY")[0]
        text = f"""WITH old AS ({one}), new AS ({one})
            SELECT coalesce(new.resource, old.resource) AS resource, coalesce(new.rule, old.rule) AS rule,
                old.status, new.status
            FROM old FULL OUTER JOIN new ON old.account = new.account AND old.region = new.region
                AND old.resource = new.resource AND old.rule = new.rule
            WHERE old.status IS DISTINCT FROM new.status ORDER BY 1, 2"""
        rows, execution = self.rows(text, "'2026/10/1'", "'2026/10/2'")
        self.assertEqual(
            rows,
            [
                ["AWS::IAM::User/u", "keys", "COMPLIANT", None],
                ["AWS::S3::Bucket/a", "logged", "NON_COMPLIANT", "COMPLIANT"],
                ["AWS::S3::Bucket/a", "tagged", "COMPLIANT", None],
                ["AWS::S3::Bucket/b", "logged", None, "NON_COMPLIANT"],
            ],
        )
        snapshots = [name for name in self.objects if "_ConfigSnapshot_" in name and "ap-east-1" not in name]
        self.assertEqual(execution["Statistics"]["DataScannedInBytes"], self.size(*snapshots))

    def test_values_are_written_as_athena_writes_them(self):
        text = """SELECT 7 / 2 AS whole, CAST(NULL AS varchar) AS missing, '' AS empty, true AS yes, 'a"b,c' AS quoted,
            CAST(123456789 AS double) AS large, 0.5e0 AS half, ARRAY[1, 2] AS list, 1 + 1,
            from_iso8601_timestamp('2026-10-01T04:00:00.5Z') AS moment, DATE '2026-10-01' AS day, sum(3) AS total"""
        rows, execution = self.rows(text)
        self.assertEqual(
            rows,
            [
                [
                    "3",
                    None,
                    "",
                    "true",
                    'a"b,c',
                    "1.23456789E8",
                    "0.5",
                    "[1, 2]",
                    "2",
                    "2026-10-01 04:00:00.500 UTC",
                    "2026-10-01",
                    "3",
                ]
            ],
        )
        found = self.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        columns = [(one["Name"], one["Type"]) for one in found["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
        expected = ["integer", "varchar", "varchar", "boolean", "varchar", "double", "double", "array", "integer"]
        expected += ["timestamp with time zone", "date", "bigint"]
        self.assertEqual([kind for _, kind in columns], expected)
        self.assertEqual([columns[0][0], columns[8][0]], ["whole", "_col8"])

    def test_json_is_read_as_athena_reads_it(self):
        text = """SELECT json_extract_scalar('{"a": {"b": 1}}', '$.a'), json_extract_scalar('not json', '$.a'),
            json_extract_scalar('{"a": 5}', '$.a'), json_extract_scalar('{"a": null}', '$.a'),
            cardinality(CAST(json_extract('{"l": [1, 2]}', '$.l') AS array(json)))"""
        self.assertEqual(self.rows(text)[0], [[None, None, "5", None, "2"]])

    def test_the_result_is_a_csv_in_its_bucket(self):
        _, execution = self.rows("SELECT 'a\"b' AS x, CAST(NULL AS varchar) AS y, '' AS z")
        place = execution["ResultConfiguration"]["OutputLocation"]
        self.assertEqual(place, f"s3://results/athena/{execution['QueryExecutionId']}.csv")
        body = (
            self.aws.client("s3").get_object(Bucket="results", Key=place.removeprefix("s3://results/"))["Body"].read()
        )
        self.assertEqual(body, b'"x","y","z"\n"a""b",,""\n')

    def test_csv_and_pages_hold_the_same_rows(self):
        rows, execution = self.rows("SELECT n, CAST(n AS varchar) || 'x' AS t FROM UNNEST(sequence(1, 2500)) AS u(n)")
        self.assertEqual(len(rows), 2500)
        key_of_csv = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://results/")
        body = self.aws.client("s3").get_object(Bucket="results", Key=key_of_csv)["Body"].read().decode()
        self.assertEqual(list(csv.reader(io.StringIO(body))), [["n", "t"], *rows])
        self.assertEqual(self.pages(execution, 7), [["n", "t"], *rows])

    def test_a_page_may_be_empty_and_carry_a_token(self):
        rows, execution = self.rows("SELECT n FROM UNNEST(sequence(1, 5)) AS u(n)")
        self.aws.fault("empty_page", operation="GetQueryResults", after=1)
        self.assertEqual(self.pages(execution, 2), [["n"], *rows])
        self.assertIn("empty_page", str(self.aws.shown("log")))

    def test_a_workgroup_may_keep_results_itself(self):
        self.aws.describe(athena={"workgroups": {"managed": {"managed": True}}})
        rows, execution = self.rows("SELECT 1", WorkGroup="managed")
        self.assertEqual(rows, [["1"]])
        self.assertNotIn("ResultConfiguration", execution)
        configuration = self.athena.get_work_group(WorkGroup="managed")["WorkGroup"]["Configuration"]
        self.assertTrue(configuration["ManagedQueryResultsConfiguration"]["Enabled"])

    def test_a_workgroup_may_enforce_its_place_for_results(self):
        self.aws.describe(athena={"workgroups": {"strict": {"output": "s3://results/strict/", "enforced": True}}})
        own = {"OutputLocation": "s3://results/own/"}
        strict = self.rows("SELECT 1", WorkGroup="strict", ResultConfiguration=own)[1]["ResultConfiguration"]
        self.assertTrue(strict["OutputLocation"].startswith("s3://results/strict/"))
        primary = self.rows("SELECT 1", ResultConfiguration=own)[1]["ResultConfiguration"]
        self.assertTrue(primary["OutputLocation"].startswith("s3://results/own/"))

    def test_a_token_finds_the_query_that_it_started(self):
        token = uuid.uuid4().hex
        first = self.started("SELECT 1", ClientRequestToken=token)
        self.assertEqual(self.started("SELECT 1", ClientRequestToken=token), first)
        self.assertNotEqual(self.started("SELECT 1", ClientRequestToken=uuid.uuid4().hex), first)

    def test_a_query_is_queued_runs_and_may_be_queued_again(self):
        self.assertEqual(self.ended("SELECT 1")[1][:2], ["QUEUED", "RUNNING"])
        self.aws.fault("requeue")
        self.assertEqual(self.ended("SELECT 1")[1][:4], ["QUEUED", "RUNNING", "QUEUED", "RUNNING"])

    def test_a_query_that_runs_is_stopped(self):
        self.aws.fault("hold")
        query = self.started("SELECT 1")
        states = [self.state(query) for _ in range(4)]
        self.assertEqual(states, ["QUEUED", "RUNNING", "RUNNING", "RUNNING"])
        self.athena.stop_query_execution(QueryExecutionId=query)
        self.assertEqual(self.state(query), "CANCELLED")
        self.athena.stop_query_execution(QueryExecutionId=query)

    def test_a_query_in_the_middle_of_its_work_is_stopped(self):
        text = """SELECT count(*) FROM UNNEST(sequence(1, 20000)) AS a(x), UNNEST(sequence(1, 20000)) AS b(y)
                  WHERE x * y % 7 = 1"""
        query = self.started(text)
        self.athena.stop_query_execution(QueryExecutionId=query)
        execution, _ = until_ended(self.athena, query)
        self.assertEqual(execution["Status"]["State"], "CANCELLED")

    def test_a_held_query_ends_when_it_is_let_go(self):
        self.aws.fault("hold")
        query = self.started("SELECT 1")
        self.aws.control("clear_faults")
        self.assertEqual(until_ended(self.athena, query)[0]["Status"]["State"], "SUCCEEDED")

    def state(self, query):
        return self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"]

    def test_several_executions_are_asked_for_at_once(self):
        query, nothing = self.started("SELECT 1"), str(uuid.uuid4())
        found = self.athena.batch_get_query_execution(QueryExecutionIds=[query, nothing])
        self.assertEqual([one["QueryExecutionId"] for one in found["QueryExecutions"]], [query])
        self.assertEqual([one["QueryExecutionId"] for one in found["UnprocessedQueryExecutionIds"]], [nothing])

    def test_tables_are_of_one_account_and_region(self):
        there = self.aws.client("athena", "us-east-1")
        text = f"SELECT 1 FROM config.snapshots WHERE account = '{PORTAL}'"
        query = there.start_query_execution(QueryString=text)["QueryExecutionId"]
        execution, _ = until_ended(there, query)
        self.assertEqual(execution["Status"]["AthenaError"]["ErrorType"], 1110)

    def test_a_dropped_table_is_gone(self):
        self.ended(table("passing"))
        self.rows(f"SELECT 1 FROM passing WHERE account = '{FIRST}'")
        self.ended("DROP TABLE IF EXISTS passing")
        self.assertEqual(self.failure(f"SELECT 1 FROM passing WHERE account = '{FIRST}'")[0], 1110)
