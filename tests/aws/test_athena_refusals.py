"""What Athena refuses, and how its queries fail: each test is a mistake that DuckDB alone would have let pass."""

import gzip
import json
import uuid

from .harness import HOME, key, result, snapshot
from .harness_athena import FIRST, RESULTS, AthenaCase, table

BAD, MALFORMED, LARGE, TWICE, FINE = (f"{number:012d}" for number in range(1, 6))


def objects():
    day = (2026, 10, 1)
    whole = snapshot([result(BAD, HOME, "AWS::S3::Bucket/a", {"logged": "COMPLIANT"})])
    tags = {"configurationItems": [{"resourceType": "T", "tags": {"Environment": "a", "environment": "b"}}]}
    return {
        key(BAD, HOME, day): whole[: len(whole) // 2],
        key(MALFORMED, HOME, day): gzip.compress(b'{"fileVersion": "1.0", "configurationItems": ['),
        key(LARGE, HOME, day): gzip.compress(b'{"fileVersion": "' + b"x" * (32 * 1024 * 1024) + b'"}'),
        key(TWICE, HOME, day): gzip.compress(json.dumps(tags).encode()),
        key(FINE, HOME, day): snapshot([]),
    }


class Refusals(AthenaCase):
    objects = objects()

    def refused(self, text, **more):
        """The message of a statement that is refused before it starts."""
        return self.refusal("InvalidRequestException", self.started, text=text, **more)

    def test_an_injected_column_needs_a_value(self):
        error, reason = self.failure("SELECT count(*) FROM snapshots WHERE dt = '2026/10/1'")
        self.assertEqual(error, 1008)
        self.assertIn(
            "For the injected projected partition column account, the WHERE clause must contain only static", reason
        )

    def test_an_injected_column_takes_no_other_columns_value(self):
        text = """SELECT count(*) FROM snapshots CROSS JOIN (SELECT '111122223333' AS wanted) AS w
                  WHERE account = w.wanted AND dt = '2026/10/1'"""
        self.assertIn("CONSTRAINT_VIOLATION", self.failure(text)[1])

    def test_an_injected_column_takes_no_order(self):
        for condition in ("account > '0'", f"account = '{FINE}' AND account < '9'", "account LIKE '1%'"):
            with self.subTest(condition):
                self.assertIn("CONSTRAINT_VIOLATION", self.failure(f"SELECT 1 FROM snapshots WHERE {condition}")[1])

    def test_an_injected_column_takes_no_value_of_half_of_an_or(self):
        text = f"SELECT 1 FROM snapshots WHERE account = '{FINE}' OR region = 'eu-central-1'"
        self.assertIn("CONSTRAINT_VIOLATION", self.failure(text)[1])

    def test_an_injected_column_takes_only_so_many_values(self):
        values = ", ".join(f"'{number:012d}'" for number in range(1_001))
        text = f"SELECT 1 FROM snapshots WHERE account IN ({values}) AND dt = '2026/10/1'"
        self.assertIn("cannot be converted to a valid partition", self.failure(text)[1])

    def test_partitions_are_limited_in_number(self):
        values = ", ".join(f"'{number:012d}'" for number in range(1_000))
        projection = """'projection.account.type' = 'injected', 'projection.years.type' = 'x'"""
        self.ended(table("old", projection=projection).replace("2026/1/1,NOW", "2020/1/1,NOW"))
        text = f"SELECT 1 FROM old WHERE account IN ({values})"
        self.assertIn("HIVE_EXCEEDED_PARTITION_LIMIT", self.failure(text)[1])

    def test_unpadded_days_take_no_order(self):
        for condition in ("dt >= '2026/9/1'", "dt BETWEEN '2026/9/1' AND '2026/10/1'", "'2026/9/1' < dt"):
            with self.subTest(condition):
                reason = self.failure(f"SELECT 1 FROM snapshots WHERE account = '{FINE}' AND {condition}")[1]
                self.assertIn("whose texts do not sort by day", reason)

    def test_a_string_parameter_needs_its_quotes(self):
        for parameter in ("2026/10/1", "yesterday", "'2026/10/1", "'a' OR '1' = '1'"):
            with self.subTest(parameter):
                error, reason = self.failure(RESULTS, parameter)
                self.assertEqual(error, 1006)
                self.assertIn("parameter 1 is no literal", reason)

    def test_a_number_is_no_string(self):
        error, reason = self.failure(
            RESULTS.replace(f"account IN ('{FIRST}', '444455556666')", "account = ?"), FIRST, "'2026/10/1'"
        )
        self.assertEqual((error, reason[:13]), (1006, "TYPE_MISMATCH"))
        text = f"""SELECT 1 FROM snapshots CROSS JOIN UNNEST(configurationitems) AS i(item)
                   WHERE account = '{FINE}' AND item.resourceid = 7"""
        self.assertIn("TYPE_MISMATCH", self.failure(text)[1])

    def test_parameters_are_as_many_as_their_places(self):
        for parameters in ((), ("'a'", "'b'")):
            self.assertIn("Incorrect number of parameters", self.failure(RESULTS, *parameters)[1])

    def test_parameters_are_for_queries_only(self):
        self.assertIn("DML", self.refused("DROP TABLE IF EXISTS nothing", ExecutionParameters=["'a'"]))

    def test_a_row_over_32_mb_fails_the_query(self):
        error, reason = self.failure(RESULTS.replace(FIRST, LARGE), "'2026/10/1'")
        self.assertEqual(error, 1001)
        self.assertIn("HIVE_CURSOR_ERROR: a row of 33554451 bytes is larger than 33554432 bytes", reason)

    def test_an_object_that_cannot_be_read_fails_the_query(self):
        reason = self.failure(RESULTS.replace(FIRST, BAD), "'2026/10/1'")[1]
        self.assertIn("HIVE_CURSOR_ERROR: Unexpected end of input stream", reason)
        self.assertIn(key(BAD, HOME, (2026, 10, 1)), reason)
        reason = self.failure(RESULTS.replace(FIRST, MALFORMED), "'2026/10/1'")[1]
        self.assertIn("Row is not a valid JSON Object", reason)

    def test_names_that_differ_in_case_only_fail_a_table_that_lowers_them(self):
        self.ended(table("lowering").replace("'case.insensitive' = 'false', ", ""))
        text = f"SELECT 1 FROM lowering WHERE account = '{TWICE}' AND dt = '2026/10/1'"
        self.assertIn("Duplicate key 'environment'", self.failure(text)[1])
        self.rows(text.replace("lowering", "snapshots"))

    def test_a_token_is_not_used_for_another_text(self):
        token = uuid.uuid4().hex
        self.started("SELECT 1", ClientRequestToken=token)
        self.assertIn("Idempotent parameters do not match", self.refused("SELECT 2", ClientRequestToken=token))

    def test_only_so_many_queries_run_at_once(self):
        self.aws.describe(athena={"max_active": 2})
        self.addCleanup(self.aws.describe, athena={"max_active": 20})
        self.aws.fault("hold", times=None)
        for _ in range(2):
            self.started("SELECT 1")
        start = self.athena.start_query_execution
        with self.assertRaises(self.athena.exceptions.TooManyRequestsException) as caught:
            start(QueryString="SELECT 1")
        self.assertEqual(caught.exception.response["Reason"], "CONCURRENT_QUERY_LIMIT_EXCEEDED")
        self.aws.control("clear_faults")
        self.rows("SELECT 1")

    def test_what_is_no_single_query_is_refused_at_once(self):
        for text in ("SELEC 1", "SELECT 1; SELECT 2", "INSERT INTO a VALUES (1)", "SELECT (1"):
            with self.subTest(text):
                self.assertIn("line 1:", self.refused(text))

    def test_another_engines_way_of_writing_is_refused_at_once(self):
        texts = (
            "SELECT '1'::int",
            "SELECT 1 WHERE 'a' ILIKE 'A'",
            "SELECT `account` FROM snapshots",
            "SELECT DISTINCT ON (account) account FROM snapshots",
            "SELECT * EXCLUDE (dt) FROM snapshots",
            "SELECT account, count(*) FROM snapshots GROUP BY ALL",
            "SELECT 1 AS a UNION BY NAME SELECT 2 AS a",
            "SELECT account FROM snapshots QUALIFY row_number() OVER (ORDER BY dt) = 1",
            "SELECT ARRAY[1, 2, 3][1:2]",
        )
        for text in texts:
            with self.subTest(text):
                self.assertIn("line 1:", self.refused(text))

    def test_a_selects_own_alias_is_known_in_its_order_only(self):
        table = f"FROM snapshots WHERE account = '{FINE}' AND dt = '2026/10/1'"
        self.rows(f"SELECT account AS a, count(*) AS n {table} GROUP BY account ORDER BY n, a")
        self.rows(f"SELECT a FROM (SELECT account AS a {table}) WHERE a = '{FINE}' GROUP BY a")
        texts = (
            f"SELECT substr(account, 1, 3) AS a, count(*) {table} GROUP BY a",
            f"SELECT account AS a {table} AND a = '1'",
            f"SELECT account, count(*) AS n {table} GROUP BY account HAVING n > 1",
            f"SELECT account AS a, a || 'x' AS b {table}",
        )
        for text in texts:
            with self.subTest(text):
                self.assertIn("COLUMN_NOT_FOUND", self.failure(text)[1])

    def test_functions_of_another_engine_are_refused(self):
        for call in ("list_sum(ARRAY[1])", "read_json('/etc/passwd')", "nonsense(1)", "ifnull(1, 2)", "len('a')"):
            with self.subTest(call):
                self.assertIn("FUNCTION_NOT_FOUND", self.failure(f"SELECT {call}")[1])

    def test_what_is_not_there_fails_the_query(self):
        self.assertEqual(self.failure("SELECT 1 FROM nowhere")[0], 1110)
        error, reason = self.failure(f"SELECT nothing FROM snapshots WHERE account = '{FINE}'")
        self.assertEqual((error, reason[:12]), (1006, "SYNTAX_ERROR"))

    def test_a_result_needs_a_place(self):
        self.aws.describe(athena={"workgroups": {"bare": {}}})
        self.assertIn("No output location provided", self.refused("SELECT 1", WorkGroup="bare"))
        error, _ = self.failure("SELECT 1", ResultConfiguration={"OutputLocation": "s3://nowhere/"})
        self.assertEqual(error, 1306)

    def test_a_workgroup_must_be_there_and_enabled(self):
        self.aws.describe(athena={"workgroups": {"off": {"output": "s3://results/", "state": "DISABLED"}}})
        self.assertIn("is disabled", self.refused("SELECT 1", WorkGroup="off"))
        self.assertIn("is not found", self.refused("SELECT 1", WorkGroup="nothing"))

    def test_a_workgroups_cutoff_ends_a_query(self):
        self.aws.describe(athena={"workgroups": {"thrifty": {"output": "s3://results/", "cutoff": 10}}})
        execution, _ = self.ended(f"SELECT 1 FROM snapshots WHERE account = '{FINE}'", WorkGroup="thrifty")
        status = execution["Status"]
        self.assertEqual(
            (status["State"], status["StateChangeReason"][-31:]),
            ("CANCELLED", "Bytes scanned limit was exceeded"[-31:]),
        )

    def test_results_are_of_a_query_that_succeeded(self):
        execution, _ = self.ended("SELECT 1 FROM nowhere")
        results = self.athena.get_query_results
        query = execution["QueryExecutionId"]
        self.assertIn(
            "Final query state: FAILED", self.refusal("InvalidRequestException", results, QueryExecutionId=query)
        )
        self.aws.fault("hold")
        message = self.refusal("InvalidRequestException", results, QueryExecutionId=self.started("SELECT 1"))
        self.assertIn("Query has not yet finished. Current state: QUEUED", message)
        self.refusal("InvalidRequestException", results, QueryExecutionId=str(uuid.uuid4()))

    def test_a_query_fails_as_ordered(self):
        self.aws.fault("query_failed", contains="SELECT 11")
        self.rows("SELECT 12")
        execution, _ = self.ended("SELECT 11")
        error = execution["Status"]["AthenaError"]
        self.assertEqual((error["ErrorCategory"], error["ErrorType"], error["Retryable"]), (1, 0, True))
        self.aws.fault(
            "query_failed", retryable=False, category=2, error_type=1501, message="Permission denied on S3 path"
        )
        error = self.ended("SELECT 11")[0]["Status"]["AthenaError"]
        self.assertEqual((error["ErrorMessage"], error["Retryable"]), ("Permission denied on S3 path", False))
        self.rows("SELECT 11")

    def test_a_table_needs_its_database_and_its_serde(self):
        error, reason = self.failure(table().replace("`config`", "`elsewhere`"))
        self.assertEqual(error, 1003)
        self.assertIn("Database does not exist: elsewhere", reason)
        other = table("other").replace("org.openx.data.jsonserde.JsonSerDe", "org.apache.hive.hcatalog.data.JsonSerDe")
        self.assertIn("SerDe", self.failure(other)[1])
        self.assertIn("already exists", self.failure(table().replace("IF NOT EXISTS", ""))[1])
