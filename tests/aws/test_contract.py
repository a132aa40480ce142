"""That what departs from AWS's service models is seen: each test spoils one thing."""

import json
import unittest

from .answers import ServiceError, error_answer, json_answer
from .calls import Answer, Call, Request
from .contract import Contract, misfits
from .harness import StandInCase

CONTRACT = Contract()
RULE = {"ConfigRuleName": "r", "Source": {"Owner": "AWS", "SourceIdentifier": "R"}}


def call(service, operation, **parameters):
    return Call(service, operation, "111122223333", "", "eu-central-1", "AKIA", parameters)


class Answers(unittest.TestCase):
    def wrong(self, rule):
        return CONTRACT.answer(call("config", "DescribeConfigRules"), json_answer({"ConfigRules": [rule]}))

    def test_a_right_answer_is_let_pass(self):
        self.assertEqual(self.wrong(RULE), [])

    def test_an_unknown_member_is_seen(self):
        self.assertEqual(
            self.wrong({**RULE, "Severity": "HIGH"}), ["answer.ConfigRules[0].Severity is no member of ConfigRule"]
        )

    def test_a_missing_member_is_seen(self):
        self.assertEqual(self.wrong({"ConfigRuleName": "r"}), ["answer.ConfigRules[0].Source is missing"])

    def test_a_value_outside_of_an_enumeration_is_seen(self):
        self.assertIn("none of ACTIVE", self.wrong({**RULE, "ConfigRuleState": "ASLEEP"})[0])

    def test_a_wrong_type_is_seen(self):
        self.assertEqual(
            self.wrong({**RULE, "Description": 7}), ["answer.ConfigRules[0].Description is 7, not a string"]
        )
        self.assertEqual(
            self.wrong({**RULE, "Description": True})[0], "answer.ConfigRules[0].Description is True, not a string"
        )

    def test_a_length_and_a_pattern_are_seen(self):
        self.assertIn("has size 0", self.wrong({**RULE, "ConfigRuleName": ""})[0])
        shape = CONTRACT.service("organizations").shape_for("AccountId")
        self.assertIn("does not match", next(misfits("12", shape, "id")))

    def test_an_error_that_the_operation_cannot_give_is_seen(self):
        asked = call("config", "DescribeConfigRules")
        for code, seen in (
            ("NoSuchConfigRuleException", False),
            ("ThrottlingException", False),
            ("NoSuchBucket", True),
        ):
            answer = error_answer(asked, ServiceError(code, "text"))
            self.assertEqual(bool(CONTRACT.answer(asked, answer)), seen, code)

    def test_an_answer_that_is_no_json_is_seen(self):
        answer = Answer(200, {}, b"<html>")
        self.assertIn("no JSON", CONTRACT.answer(call("config", "DescribeConfigRules"), answer)[0])

    def test_xml_that_boto3_cannot_read_is_seen(self):
        answer = Answer(200, {}, b"<ListBucketResult>")
        self.assertIn("boto3 cannot read", CONTRACT.answer(call("s3", "ListObjectsV2"), answer)[0])


class Requests(unittest.TestCase):
    def wrong(self, asked):
        return CONTRACT.request(asked, Request("POST", "/", {}, b""))

    def test_an_unknown_parameter_is_seen_in_each_protocol(self):
        self.assertEqual(self.wrong(call("s3", "ListObjectsV2", prefix="a", folder="b")), ["folder is no parameter"])
        self.assertEqual(self.wrong(call("sts", "AssumeRole", RoleArn="a", Role="b")), ["Role is no parameter"])
        self.assertIn("Rules", self.wrong(call("config", "DescribeConfigRules", Rules=[]))[0])

    def test_a_missing_parameter_is_seen(self):
        self.assertIn("QueryString", self.wrong(call("athena", "StartQueryExecution"))[0])

    def test_a_token_that_is_too_short_is_seen(self):
        found = self.wrong(call("athena", "StartQueryExecution", QueryString="select 1", ClientRequestToken="short"))
        self.assertIn("ClientRequestToken", found[0])

    def test_a_page_larger_than_aws_gives_is_seen(self):
        self.assertIn("not between 1 and 20", self.wrong(call("organizations", "ListAccounts", MaxResults=100))[0])

    def test_an_operation_that_aws_does_not_have_is_seen(self):
        self.assertIn("no operation", self.wrong(call("config", "DescribeEverything"))[0])
        self.assertIn("no operation", self.wrong(call("auditmanager", "ListAssessments"))[0])


class Told(StandInCase):
    def test_a_wrong_request_is_told_by_the_violations(self):
        organizations = self.aws.client("organizations")
        organizations.meta.events.register("before-call.organizations.ListAccounts", spoil)
        self.refusal("AWSOrganizationsNotInUseException", organizations.list_accounts)
        found = self.violations()
        self.assertEqual({one["where"] for one in found}, {"request"})
        self.assertIn("Page", found[0]["text"])


def spoil(params, **_):
    params["body"] = json.dumps({"Page": 2}).encode()
