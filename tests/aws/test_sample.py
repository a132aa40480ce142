"""The stand-in over a sample's bucket, held against the sample's own true counts, which another program wrote."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from .harness import PORTAL
from .harness_athena import AthenaCase, table

ROOT = Path(__file__).resolve().parents[2]
WORDS = {
    "COMPLIANT": "complying",
    "NON_COMPLIANT": "not_complying",
    "INSUFFICIENT_DATA": "insufficient_data",
    "NOT_APPLICABLE": "not_applicable",
    "EVALUATION_PENDING": "unrecognised",
}
READ = ("delivered", "delivered, later object unreadable")
COUNTS = """
    SELECT account, region, status, count(*) FROM (
        SELECT account, region, item.resourceid AS resource, json_extract_scalar(rule, '$.configRuleName') AS rule,
               max_by(json_extract_scalar(rule, '$.complianceType'), item.configurationitemcapturetime) AS status
        FROM snapshots
        CROSS JOIN UNNEST(configurationitems) AS i(item)
        CROSS JOIN UNNEST(CAST(json_extract(item.configuration, '$.configRuleList') AS array(json))) AS r(rule)
        WHERE item.resourcetype = 'AWS::Config::ResourceCompliance'
          AND account IN ({accounts}) AND dt = ? AND "$path" IN ({paths})
        GROUP BY 1, 2, 3, 4)
    GROUP BY 1, 2, 3
    """


def program():
    """The program that makes the sample, built by `cargo build`."""
    found = [os.environ.get("AUDITFOLIO_PROGRAM"), ROOT / "target/debug/auditfolio", ROOT / "target/release/auditfolio"]
    for path in found:
        if path and Path(path).exists():
            return str(path)
    raise FileNotFoundError("build the program first (cargo build), or name it in AUDITFOLIO_PROGRAM")


class Sample(AthenaCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with tempfile.TemporaryDirectory() as folder:
            options = [
                "--accounts",
                "12",
                "--regions",
                "2",
                "--days",
                "12",
                "--until",
                "2026-10-31",
                "--resources",
                "10",
            ]
            subprocess.run([program(), "sample", "--out", folder, *options], check=True, stdout=subprocess.DEVNULL)
            cls.aws.control("load", bucket="sample", folder=folder, organization=True)
            cls.expected = json.loads((Path(folder) / "expected.json").read_text(encoding="utf-8"))
        statement = (
            table().replace("s3://logs/", "s3://sample/").replace("eu-central-1,us-east-1", "eu-central-1,eu-west-1")
        )
        cls.ended("DROP TABLE snapshots")
        cls.ended(statement)
        aggregator = {"name": "organization", "account": PORTAL, "region": "eu-central-1"}
        cls.aws.describe(config={"bucket": "sample", "cap": 100_000, "aggregators": [aggregator]})

    def test_athenas_counts_are_the_samples_on_each_day(self):
        known = 0
        for day in self.expected["days"]:
            places = [place for place in day["places"] if place["state"] in READ]
            known += len(places)
            year, month, date = day["day"].split("-")
            accounts = ", ".join(sorted({f"'{place['account_id']}'" for place in places}))
            paths = ", ".join(f"'s3://sample/{place['object']}'" for place in places)
            rows, _ = self.rows(COUNTS.format(accounts=accounts, paths=paths), f"'{year}/{int(month)}/{int(date)}'")
            counted = {(account, region, WORDS[status]): int(number) for account, region, status, number in rows}
            expected = {
                (place["account_id"], place["region"], word): place[word]
                for place in places
                for word in WORDS.values()
                if place[word]
            }
            self.assertEqual(counted, expected, day["day"])
        self.assertGreater(known, 100)

    def test_the_aggregator_counts_what_the_newest_snapshots_say(self):
        newest = {}
        for day in self.expected["days"]:
            for place in day["places"]:
                if place["state"] in (*READ, "no compliance items"):
                    newest[place["account_id"], place["region"]] = place["not_complying"]
        pages = (
            self.aws.client("config")
            .get_paginator("describe_aggregate_compliance_by_config_rules")
            .paginate(ConfigurationAggregatorName="organization", Filters={"ComplianceType": "NON_COMPLIANT"})
        )
        told = dict.fromkeys(newest, 0)
        for page in pages:
            for one in page["AggregateComplianceByConfigRules"]:
                count = one["Compliance"]["ComplianceContributorCount"]["CappedCount"]
                told[one["AccountId"], one["AwsRegion"]] += count
        self.assertEqual(told, newest)

    def test_the_organisation_is_the_samples(self):
        pages = self.aws.client("organizations").get_paginator("list_accounts").paginate()
        listed = {one["Id"]: one["Name"] for page in pages for one in page["Accounts"]}
        last = self.expected["last_day"]
        # One that was closed is listed until AWS forgets it; one that left is not.
        present = {one["id"]: one["name"] for one in self.expected["accounts"] if (one["until"] or "9999") > last}
        self.assertLessEqual(present.items(), listed.items())
