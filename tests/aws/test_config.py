"""Config, computed from the bucket and read by boto3."""

import json

from .harness import HOME, PORTAL, StandInCase, key, result, snapshot

FIRST, SECOND = "111122223333", "111122223335"
PACK_RULE = "s3-bucket-versioning-enabled-conformance-pack-k3yq7n1xz"


def pack(account, region):
    rules = f"arn:aws:config:{region}:{account}:config-rule/aws-service-rule"
    arn = f"{rules}/config-conforms.amazonaws.com/config-rule-8cbq2r"
    return {
        "configurationItemCaptureTime": "2026-10-02T05:01:10.442Z",
        "resourceType": "AWS::Config::ConformancePackCompliance",
        "resourceId": "conformance-pack-k3yq7n1xz",
        "resourceName": "OrgConformsPack-NIST-z6cn9v2w",
        "configuration": {
            "compliantRuleCount": 1,
            "nonCompliantRuleCount": 0,
            "totalRuleCount": 2,
            "complianceType": "COMPLIANT",
            "configRuleList": [
                {
                    "configRuleName": PACK_RULE,
                    "controls": [],
                    "configRuleArn": arn,
                    "complianceType": "INSUFFICIENT_DATA",
                }
            ],
        },
    }


class ConfigService(StandInCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s3 = cls.aws.client("s3")
        s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": HOME})
        bad, good = "NON_COMPLIANT", "COMPLIANT"
        older = result(FIRST, HOME, "AWS::S3::Bucket/old", {"access-keys-rotated": bad})
        buckets = [
            result(FIRST, HOME, f"AWS::S3::Bucket/b{number}", {"restricted-ssh": bad if number < 5 else good})
            for number in range(8)
        ]
        keys = result(FIRST, HOME, "AWS::IAM::User/u", {"access-keys-rotated": good, "unclear": "INSUFFICIENT_DATA"})
        stale = result(FIRST, HOME, "AWS::S3::Bucket/b7", {"restricted-ssh": bad}, "2026-09-01T00:00:00.000Z")
        other = result(SECOND, "us-east-1", "AWS::IAM::User/v", {"access-keys-rotated": bad})
        objects = {
            key(FIRST, HOME, (2026, 9, 30)): snapshot([older]),
            key(FIRST, HOME, (2026, 10, 2)): snapshot([*buckets, stale, keys, pack(FIRST, HOME)]),
            # The newest of all cannot be read, so the one before it speaks.
            key(FIRST, HOME, (2026, 10, 3)): snapshot([older])[:40],
            key(SECOND, "us-east-1", (2026, 10, 1)): snapshot([other]),
            f"AWSLogs/{FIRST}/Config/ConfigWritabilityCheckFile": b"",
        }
        for name, body in objects.items():
            s3.put_object(Bucket="logs", Key=name, Body=body)
        aggregator = {"name": "organization", "account": PORTAL, "region": HOME}
        cls.aws.describe(
            config={"bucket": "logs", "aggregators": [aggregator]}, roles=[{"arn": "arn:aws:iam::*:role/Member"}]
        )

    def setUp(self):
        super().setUp()
        self.config = self.aws.client("config")
        self.addCleanup(
            self.aws.describe, config={"rules": [], "results": [], "sources": [], "packs": [], "page_size": 1000, "cap": 100}
        )

    def member(self, account, region=HOME):
        role = f"arn:aws:iam::{account}:role/Member"
        session = self.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="auditfolio")["Credentials"]
        return self.aws.client("config", region, session)

    def aggregated(self, operation, name, **parameters):
        pages = self.config.get_paginator(operation).paginate(ConfigurationAggregatorName="organization", **parameters)
        return [one for page in pages for one in page[name]]

    def rules(self, **parameters):
        return self.aggregated(
            "describe_aggregate_compliance_by_config_rules", "AggregateComplianceByConfigRules", **parameters
        )

    def test_each_account_and_region_has_its_own_rules(self):
        rules = self.member(FIRST).describe_config_rules()["ConfigRules"]
        names = [rule["ConfigRuleName"] for rule in rules]
        self.assertEqual(names, ["access-keys-rotated", "restricted-ssh", PACK_RULE, "unclear"])
        self.assertEqual(self.member(FIRST, "us-east-1").describe_config_rules()["ConfigRules"], [])
        self.assertEqual(len(self.member(SECOND, "us-east-1").describe_config_rules()["ConfigRules"]), 1)

    def test_a_rules_definition_is_made_from_its_name(self):
        rules = {rule["ConfigRuleName"]: rule for rule in self.member(FIRST).describe_config_rules()["ConfigRules"]}
        self.assertEqual(
            rules["restricted-ssh"]["Source"], {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"}
        )
        self.assertEqual(rules[PACK_RULE]["Source"]["SourceIdentifier"], "S3_BUCKET_VERSIONING_ENABLED")
        self.assertEqual(rules[PACK_RULE]["CreatedBy"], "config-conforms.amazonaws.com")
        self.assertEqual(rules[PACK_RULE]["ConfigRuleId"], "config-rule-8cbq2r")
        self.assertEqual(json.loads(rules["access-keys-rotated"]["InputParameters"]), {"maxAccessKeyAge": "90"})
        other = self.member(SECOND, "us-east-1").describe_config_rules()["ConfigRules"][0]
        self.assertEqual(json.loads(other["InputParameters"]), {"maxAccessKeyAge": "180"})

    def test_a_rules_definition_changes_as_described(self):
        changes = [
            {"name": "access-*", "account": FIRST, "parameters": {"maxAccessKeyAge": "30"}},
            {"name": "unclear", "absent": True},
            {"name": "restricted-ssh", "members": {"ConfigRuleState": "DELETING"}},
        ]
        self.aws.describe(config={"rules": changes})
        rules = {rule["ConfigRuleName"]: rule for rule in self.member(FIRST).describe_config_rules()["ConfigRules"]}
        self.assertEqual(json.loads(rules["access-keys-rotated"]["InputParameters"]), {"maxAccessKeyAge": "30"})
        self.assertEqual(rules["restricted-ssh"]["ConfigRuleState"], "DELETING")
        self.assertNotIn("unclear", rules)

    def test_rules_come_in_pages_of_which_some_are_empty(self):
        self.aws.describe(config={"page_size": 3})
        member = self.member(FIRST)
        self.aws.fault("empty_page", operation="DescribeConfigRules", account=FIRST)
        pages = list(member.get_paginator("describe_config_rules").paginate())
        self.assertEqual([len(page["ConfigRules"]) for page in pages], [0, 3, 1])

    def test_a_rule_that_is_not_there_is_an_error(self):
        ask = self.member(FIRST).describe_config_rules
        self.refusal("NoSuchConfigRuleException", ask, ConfigRuleNames=["restricted-ssh", "nothing"])

    def test_an_unknown_aggregator_is_an_error(self):
        ask = self.config.describe_aggregate_compliance_by_config_rules
        self.refusal("NoSuchConfigurationAggregatorException", ask, ConfigurationAggregatorName="another")
        there = self.aws.client("config", "us-east-1").describe_configuration_aggregators()
        self.assertEqual(there["ConfigurationAggregators"], [])

    def test_the_aggregator_tells_each_rule_by_its_worst_result(self):
        found = {(one["AccountId"], one["ConfigRuleName"]): one["Compliance"] for one in self.rules()}
        five = {
            "ComplianceType": "NON_COMPLIANT",
            "ComplianceContributorCount": {"CappedCount": 5, "CapExceeded": False},
        }
        one = {
            "ComplianceType": "NON_COMPLIANT",
            "ComplianceContributorCount": {"CappedCount": 1, "CapExceeded": False},
        }
        self.assertEqual(
            found,
            {
                (FIRST, "restricted-ssh"): five,
                (FIRST, "access-keys-rotated"): {"ComplianceType": "COMPLIANT"},
                (FIRST, "unclear"): {"ComplianceType": "INSUFFICIENT_DATA"},
                (SECOND, "access-keys-rotated"): one,
            },
        )

    def test_the_aggregators_counts_are_capped(self):
        self.aws.describe(config={"cap": 3})
        worst = self.rules(Filters={"ConfigRuleName": "restricted-ssh"})[0]["Compliance"]
        self.assertEqual(worst["ComplianceContributorCount"], {"CappedCount": 3, "CapExceeded": True})

    def test_the_aggregator_differs_as_described(self):
        changes = [{"name": "restricted-*", "compliance": "COMPLIANT"}, {"account": SECOND, "absent": True}]
        self.aws.describe(config={"results": changes})
        found = {one["ConfigRuleName"]: one["Compliance"]["ComplianceType"] for one in self.rules()}
        self.assertEqual(found["restricted-ssh"], "COMPLIANT")
        self.assertNotIn(SECOND, {one["AccountId"] for one in self.rules()})

    def test_the_aggregator_filters_and_pages(self):
        failing = self.rules(Filters={"ComplianceType": "NON_COMPLIANT"})
        self.assertEqual({one["ConfigRuleName"] for one in failing}, {"restricted-ssh", "access-keys-rotated"})
        self.assertEqual(len(self.rules(Filters={"AwsRegion": "us-east-1"})), 1)
        self.assertEqual(len(self.rules(PaginationConfig={"PageSize": 1})), 4)
        ask = self.config.describe_aggregate_compliance_by_config_rules
        filters = {"ComplianceType": "NOT_APPLICABLE"}
        self.refusal("ValidationException", ask, ConfigurationAggregatorName="organization", Filters=filters)

    def test_annotations_are_told_of_what_fails(self):
        found = self.aggregated(
            "get_aggregate_compliance_details_by_config_rule",
            "AggregateEvaluationResults",
            ConfigRuleName="restricted-ssh",
            AccountId=FIRST,
            AwsRegion=HOME,
            PaginationConfig={"PageSize": 3},
        )
        resources = [one["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] for one in found]
        self.assertEqual(resources, [f"b{number}" for number in range(8)])
        self.assertEqual([one.get("Annotation") for one in found[4:6]], ["b4 does not meet restricted-ssh.", None])

    def test_packs_are_told_as_delivered(self):
        found = self.aggregated(
            "describe_aggregate_compliance_by_conformance_packs", "AggregateComplianceByConformancePacks"
        )
        self.assertEqual(len(found), 1)
        counts = {"CompliantRuleCount": 1, "NonCompliantRuleCount": 0, "TotalRuleCount": 2}
        self.assertEqual(found[0]["Compliance"], {"ComplianceType": "COMPLIANT", **counts})

    def test_packs_differ_are_absent_and_are_remembered_as_described(self):
        name = "OrgConformsPack-NIST-z6cn9v2w"
        described = [
            {"name": "OrgConformsPack-NIST-*", "members": {"NonCompliantRuleCount": 1}},
            {"added": "Deleted", "account": SECOND, "region": "us-east-1", "members": {"TotalRuleCount": 2}},
        ]
        self.aws.describe(config={"packs": described, "cap": 1})
        self.aws.fault("empty_page", operation="DescribeAggregateComplianceByConformancePacks")
        told = self.aggregated(
            "describe_aggregate_compliance_by_conformance_packs", "AggregateComplianceByConformancePacks"
        )
        counts = {
            (one["AccountId"], one["ConformancePackName"]): one["Compliance"]["NonCompliantRuleCount"] for one in told
        }
        self.assertEqual(counts, {(FIRST, name): 1, (SECOND, "Deleted"): 0})
        self.assertEqual(told[1]["Compliance"]["ComplianceType"], "INSUFFICIENT_DATA")
        self.aws.describe(config={"packs": [{"name": "OrgConformsPack-*", "absent": True}]})
        told = self.aggregated(
            "describe_aggregate_compliance_by_conformance_packs", "AggregateComplianceByConformancePacks"
        )
        self.assertEqual(told, [])

    def test_sources_tell_how_fresh_they_are(self):
        change = {"account": SECOND, "status": "FAILED", "error_code": "AccessDenied", "error_message": "no"}
        self.aws.describe(config={"sources": [change]})
        ask = self.config.describe_configuration_aggregator_sources_status
        found = ask(ConfigurationAggregatorName="organization")["AggregatedSourceStatusList"]
        shown = [
            (one["SourceId"], one["AwsRegion"], one["LastUpdateStatus"], one.get("LastErrorCode")) for one in found
        ]
        self.assertEqual(shown, [(FIRST, HOME, "SUCCEEDED", None), (SECOND, "us-east-1", "FAILED", "AccessDenied")])
        failed = ask(ConfigurationAggregatorName="organization", UpdateStatus=["FAILED"])
        self.assertEqual(len(failed["AggregatedSourceStatusList"]), 1)
