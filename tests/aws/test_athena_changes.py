"""The product's own statements, asked of the stand-in: what a day says otherwise than the day before it."""

import csv
import io
import unittest
from pathlib import Path

from .harness import HOME, StandInCase, key, result, snapshot, until_ended

SQL = Path(__file__).parents[2] / "src" / "collection" / "athena" / "sql"
BUCKET = "acme-config"
ONE, TWO = "000000000001", "000000000002"
BEFORE, DAY = (2026, 9, 30), (2026, 10, 1)
OLDER, NEWER = "2026-10-01T03:00:00.000Z", "2026-10-01T04:00:00.000Z"


def text(parameter):
    return "'" + parameter.replace("'", "''") + "'"


def written(day):
    year, month, date = day
    return f"{year}/{month}/{date}"


def pack(account, rules, status="COMPLIANT", counts=(1, 0, 1), **more):
    """A conformance pack's item that names rules."""
    item = result(account, HOME, "", {})
    compliant, non_compliant, total = counts
    item.update(resourceType="AWS::Config::ConformancePackCompliance", resourceId="conformance-pack-a", resourceName="P")
    item["configuration"] = {
        "complianceType": status,
        "compliantRuleCount": compliant,
        "nonCompliantRuleCount": non_compliant,
        "totalRuleCount": total,
        "configRuleList": [{"configRuleName": name, "complianceType": "COMPLIANT"} for name in rules],
    }
    return {**item, **more}


class Changes(StandInCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.aws.describe(
            athena={"workgroups": {"primary": {"output": f"s3://{BUCKET}/results/"}}, "today": "2026-10-31", "states": []}
        )
        cls.s3, cls.athena = cls.aws.client("s3"), cls.aws.client("athena")
        cls.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": HOME})
        table = (SQL / "create_table.sql").read_text(encoding="utf-8")
        named = {
            "database": "default",
            "table": "snapshots",
            "location": f"s3://{BUCKET}/AWSLogs/",
            "regions": f"{HOME},us-east-1",
            "first_day": "2020/1/1",
        }
        for name, value in named.items():
            table = table.replace("{" + name + "}", value)
        execution, _ = cls.run_query(table, [])
        assert execution["Status"]["State"] == "SUCCEEDED", execution

    @classmethod
    def run_query(cls, query, parameters):
        more = {"ExecutionParameters": parameters} if parameters else {}
        started = cls.athena.start_query_execution(QueryString=query, **more)
        return until_ended(cls.athena, started["QueryExecutionId"])

    def put(self, account, day, items, **named):
        name = key(account, HOME, day, **named)
        body = snapshot(items)
        self.s3.put_object(Bucket=BUCKET, Key=name, Body=body)
        self.addCleanup(self.s3.delete_object, Bucket=BUCKET, Key=name)
        return name, len(body)

    def ask(self, *objects, day=DAY):
        """The rows of the statement over some objects, and the bytes that it scanned."""
        keys = [name for name, _ in objects]
        parts = [name.split("/") for name in keys]
        accounts = sorted({part[1] for part in parts})
        days = sorted({"/".join(part[4:7]) for part in parts})
        query = (SQL / "changes_of_a_day.sql").read_text(encoding="utf-8")
        lists = {
            "table": '"default"."snapshots"',
            "accounts": ", ".join(map(text, accounts)),
            "regions": text(HOME),
            "days": ", ".join("?" for _ in days),
            "paths": ", ".join("?" for _ in keys),
        }
        for name, value in lists.items():
            query = query.replace("{" + name + "}", value)
        parameters = [written(day), *days, *(f"s3://{BUCKET}/{name}" for name in keys)]
        execution, _ = self.run_query(query, [text(parameter) for parameter in parameters])
        self.assertEqual(execution["Status"]["State"], "SUCCEEDED", execution["Status"].get("StateChangeReason"))
        bucket, _, name = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
        body = self.s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode()
        return list(csv.DictReader(io.StringIO(body))), execution["Statistics"]["DataScannedInBytes"]

    def said(self, rows, kind):
        return sorted(
            (row["account"], row["a"], row["b"], row["c"], row["new_value"], row["old_value"])
            for row in rows
            if row["kind"] == kind
        )

    def counts(self, rows, account, side):
        wanted = ("objects", "items", "compliance_items", "pack_items", "evaluations", "older", "twice", "doubts")
        [row] = [row for row in rows if (row["kind"], row["account"], row["a"]) == ("counts", account, side)]
        return tuple(int(row[name] or 0) for name in wanted)

    def test_only_what_differs_from_the_day_before_travels_and_each_object_is_scanned_once(self):
        same = {"same": "COMPLIANT"}
        before = self.put(ONE, BEFORE, [
            result(ONE, HOME, "AWS::S3::Bucket/a", {**same, "turns": "COMPLIANT"}),
            result(ONE, HOME, "AWS::S3::Bucket/b", {**same, "goes": "COMPLIANT"}),
        ])
        now = self.put(ONE, DAY, [
            result(ONE, HOME, "AWS::S3::Bucket/a", {**same, "turns": "NON_COMPLIANT"}, NEWER),
            result(ONE, HOME, "AWS::S3::Bucket/b", same, NEWER),
            result(ONE, HOME, "AWS::S3::Bucket/c", same, NEWER),
        ])
        rows, scanned = self.ask(before, now)
        bucket = "AWS::S3::Bucket"
        self.assertEqual(self.said(rows, "evaluation"), [
            (ONE, "goes", bucket, "b", "", "COMPLIANT"),
            (ONE, "same", bucket, "c", "COMPLIANT", ""),
            (ONE, "turns", bucket, "a", "NON_COMPLIANT", "COMPLIANT"),
        ])
        self.assertEqual(self.said(rows, "rule"), [(ONE, "goes", "", "", "", "present")])
        self.assertEqual({row["captured_at"] for row in rows if row["new_value"] and row["kind"] == "evaluation"}, {NEWER})
        self.assertEqual(self.counts(rows, ONE, "new"), (1, 3, 3, 0, 4, 0, 0, 0))
        self.assertEqual(self.counts(rows, ONE, "old"), (1, 2, 2, 0, 4, 0, 0, 0))
        self.assertEqual(scanned, before[1] + now[1])

    def test_a_place_without_a_day_before_says_all_and_a_silent_place_says_nothing(self):
        item = result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "COMPLIANT"})
        # Another place delivered before and is silent on the day: nobody asks for it, and nothing of it is gone.
        self.put(TWO, BEFORE, [result(TWO, HOME, "AWS::S3::Bucket/x", {"r": "COMPLIANT"})])
        rows, _ = self.ask(self.put(ONE, DAY, [item]))
        self.assertEqual(self.said(rows, "evaluation"), [(ONE, "r", "AWS::S3::Bucket", "a", "COMPLIANT", "")])
        self.assertEqual(self.said(rows, "rule"), [(ONE, "r", "", "", "present", "")])
        self.assertEqual(len(self.said(rows, "attribute")), 1)
        self.assertEqual({row["account"] for row in rows}, {ONE})

    def test_places_have_days_before_of_their_own(self):
        def day(status):
            return [result(ONE, HOME, "AWS::S3::Bucket/a", {"r": status})]

        def other(status):
            return [result(TWO, HOME, "AWS::S3::Bucket/a", {"r": status})]

        objects = [
            self.put(ONE, (2026, 9, 9), day("COMPLIANT")),
            self.put(ONE, DAY, day("NON_COMPLIANT")),
            self.put(TWO, BEFORE, other("COMPLIANT")),
            self.put(TWO, DAY, other("COMPLIANT")),
        ]
        rows, _ = self.ask(*objects)
        self.assertEqual(
            self.said(rows, "evaluation"), [(ONE, "r", "AWS::S3::Bucket", "a", "NON_COMPLIANT", "COMPLIANT")]
        )
        self.assertEqual(self.counts(rows, TWO, "old"), (1, 1, 1, 0, 1, 0, 0, 0))

    def test_only_the_object_that_was_named_is_read(self):
        self.put(ONE, DAY, [result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "COMPLIANT"})], name="early")
        late = self.put(ONE, DAY, [result(ONE, HOME, "AWS::S3::Bucket/b", {"r": "COMPLIANT"})], name="late")
        rows, scanned = self.ask(late)
        self.assertEqual([row[3] for row in self.said(rows, "evaluation")], ["b"])
        self.assertEqual(scanned, late[1])

    def test_the_newest_item_speaks_a_deletion_ends_and_the_graver_status_counts(self):
        gone = result(ONE, HOME, "AWS::S3::Bucket/gone", {})
        gone.update(configurationItemStatus="ResourceDeleted", configuration=None)
        twice = result(ONE, HOME, "AWS::S3::Bucket/twice", {"r": "COMPLIANT"})
        entries = twice["configuration"]["configRuleList"]
        entries.append({**entries[0], "complianceType": "NON_COMPLIANT"})
        rows, _ = self.ask(self.put(ONE, DAY, [
            result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "NON_COMPLIANT"}, NEWER),
            result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "COMPLIANT", "s": "COMPLIANT"}, OLDER),
            {**result(ONE, HOME, "AWS::S3::Bucket/gone", {"r": "COMPLIANT"}, OLDER)},
            {**gone, "configurationItemCaptureTime": NEWER},
            twice,
        ]))
        bucket = "AWS::S3::Bucket"
        self.assertEqual(self.said(rows, "evaluation"), [
            (ONE, "r", bucket, "a", "NON_COMPLIANT", ""),
            (ONE, "r", bucket, "twice", "NON_COMPLIANT", ""),
        ])
        self.assertEqual(self.said(rows, "resource"), [(ONE, "", bucket, "gone", "present", "")])
        self.assertEqual(self.counts(rows, ONE, "new"), (1, 5, 5, 0, 6, 3, 1, 0))

    def test_of_two_items_with_one_time_the_later_in_the_file_speaks(self):
        first = result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "COMPLIANT"})
        second = result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "NON_COMPLIANT"})
        rows, _ = self.ask(self.put(ONE, DAY, [first, second]))
        self.assertEqual([row[4] for row in self.said(rows, "evaluation")], ["NON_COMPLIANT"])

    def test_packs_have_verdicts_and_name_rules(self):
        before = self.put(ONE, BEFORE, [pack(ONE, ["r"]), result(ONE, HOME, "AWS::S3::Bucket/a", {})])
        now = self.put(ONE, DAY, [pack(ONE, ["r", "s"], "NON_COMPLIANT", (1, 1, 2)), result(ONE, HOME, "AWS::S3::Bucket/a", {})])
        rows, _ = self.ask(before, now)
        self.assertEqual(
            self.said(rows, "pack"),
            [(ONE, "conformance-pack-a", "", "", "1|1|2||NON_COMPLIANT|P", "1|0|1||COMPLIANT|P")],
        )
        self.assertEqual(self.said(rows, "rule"), [(ONE, "s", "", "", "present", "")])
        self.assertEqual(self.counts(rows, ONE, "new"), (1, 2, 1, 1, 0, 0, 0, 0))

    def test_what_needs_a_closer_look_is_counted_as_doubt(self):
        good = result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "COMPLIANT"})
        nameless = result(ONE, HOME, "AWS::S3::Bucket/a", {"r": "COMPLIANT"})
        del nameless["configuration"]["configRuleList"][0]["configRuleName"]
        listless = result(ONE, HOME, "AWS::S3::Bucket/a", {})
        del listless["configuration"]["configRuleList"]
        plain = {**good, "resourceType": "AWS::S3::Bucket", "configuration": {"name": "a"}}
        cases = {
            "sound": (good, 0),
            "another type": (plain, 0),
            "another account": ({**good, "awsAccountId": TWO}, 1),
            "another account's other type": ({**plain, "awsAccountId": TWO}, 1),
            "no type": ({**good, "resourceType": None}, 1),
            "another form of time": ({**good, "configurationItemCaptureTime": "2026-10-01T04:00:00Z"}, 1),
            "no state id": ({**good, "configurationStateId": None}, 1),
            "no configuration": ({**good, "configuration": None}, 1),
            "no rule name": (nameless, 1),
            "no rule list": (listless, 1),
            "a list of another kind": ({**good, "configuration": {"configRuleList": {"a": 1}}}, 1),
            "a pack without counts": (pack(ONE, [], counts=(None, None, None)), 1),
        }
        for name, (item, doubts) in cases.items():
            with self.subTest(name):
                rows, _ = self.ask(self.put(ONE, DAY, [item]))
                self.assertEqual(self.counts(rows, ONE, "new")[-1], doubts)

    def test_an_object_without_compliance_items_is_counted(self):
        item = {**result(ONE, HOME, "x", {}), "resourceType": "AWS::S3::Bucket"}
        rows, _ = self.ask(self.put(ONE, DAY, [item, item]))
        self.assertEqual(self.counts(rows, ONE, "new"), (1, 2, 0, 0, 0, 0, 0, 0))
        self.assertEqual(len(rows), 1)

    def test_the_table_is_named_once(self):
        # A part that is used twice is scanned twice by Athena, which puts it in the place of each use.
        query = (SQL / "changes_of_a_day.sql").read_text(encoding="utf-8")
        parts = ["object", "delivered", "said", "judged", "entry", "fact", "keyed"]
        words = query.replace("\n", " ").split()
        for name in ["{table}", *parts]:
            uses = sum(1 for one, two in zip(words, words[1:], strict=False) if one in ("from", "join") and two == name)
            self.assertEqual(uses, 1, name)


if __name__ == "__main__":
    unittest.main()
