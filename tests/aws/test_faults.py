"""Faults, as boto3 sees them."""

import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from botocore.exceptions import ConnectionClosedError, ResponseStreamingError

from .harness import PORTAL, StandInCase

PERSON = f"User: arn:aws:iam::{PORTAL}:user/portal is not authorized to perform: "


class Faults(StandInCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s3 = cls.aws.client("s3")
        s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_object(Bucket="logs", Key="a/one", Body=b"x" * 1000)
        s3.put_object(Bucket="logs", Key="b/two", Body=b"y" * 1000)
        accounts = [
            {
                "Id": f"{number:012d}",
                "Name": f"account {number}",
                "Email": f"aws+{number}@example.com",
                "Status": "ACTIVE",
                "JoinedMethod": "CREATED",
                "JoinedTimestamp": "2025-01-01T00:00:00Z",
            }
            for number in range(1, 6)
        ]
        cls.aws.describe(
            organization={"id": "o-abcd123456", "management_account": "000000000001", "accounts": accounts},
        )

    def calls(self):
        """A call of each protocol, with the codes that it is answered with."""
        s3, sts = self.aws.client("s3"), self.aws.client("sts")
        return {
            "s3": lambda: s3.get_object(Bucket="logs", Key="a/one"),
            "sts": sts.get_caller_identity,
            "organizations": self.aws.client("organizations").list_accounts,
            "config": self.aws.client("config").describe_config_rules,
            "athena": lambda: self.aws.client("athena").get_work_group(WorkGroup="primary"),
            "secretsmanager": lambda: self.aws.client("secretsmanager").get_secret_value(SecretId="database"),
        }

    def test_each_service_says_a_fault_in_its_own_words(self):
        others = ("organizations", "config", "athena", "secretsmanager")
        codes = {
            "throttle": ("SlowDown", "Throttling", "ThrottlingException"),
            "expired": ("ExpiredToken", "ExpiredToken", "ExpiredTokenException"),
            "region_disabled": ("InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"),
            "deny": ("AccessDenied", "AccessDenied", "AccessDeniedException"),
            "clock_skew": ("RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"),
            "server_error": ("InternalError", "InternalFailure", "InternalFailure"),
        }
        calls = self.calls()
        for kind, (of_s3, of_sts, of_others) in codes.items():
            expected = {"s3": of_s3, "sts": of_sts, **dict.fromkeys(others, of_others)}
            for service, code in expected.items():
                with self.subTest(kind=kind, service=service):
                    self.aws.fault(kind, service=service)
                    self.refusal(code, calls[service])

    def test_a_denial_names_person_action_and_resource(self):
        calls = self.calls()
        expected = {
            "s3": 's3:GetObject on resource: "arn:aws:s3:::logs/a/one" because no identity-based policy allows the '
            "s3:GetObject action",
            "config": "config:DescribeConfigRules on resource: * because no identity-based policy allows the "
            "config:DescribeConfigRules action",
            "athena": f"athena:GetWorkGroup on resource: arn:aws:athena:eu-central-1:{PORTAL}:workgroup/primary "
            "because no identity-based policy allows the athena:GetWorkGroup action",
        }
        for service, words in expected.items():
            self.aws.fault("deny", service=service)
            code = "AccessDenied" if service == "s3" else "AccessDeniedException"
            self.assertEqual(self.refusal(code, calls[service]), PERSON + words)

    def test_a_fault_strikes_what_fits_it_as_often_as_it_says(self):
        s3 = self.aws.client("s3")
        self.aws.fault("throttle", service="s3", key_prefix="b/", after=1, times=2)
        s3.get_object(Bucket="logs", Key="a/one")
        s3.get_object(Bucket="logs", Key="b/two")
        for _ in range(2):
            self.refusal("SlowDown", s3.get_object, Bucket="logs", Key="b/two")
        s3.get_object(Bucket="logs", Key="b/two")
        self.assertEqual(self.aws.shown("faults"), [])
        self.aws.fault("deny", service="s3", operation="ListObjectsV2", key_prefix="a/", times=None)
        for _ in range(2):
            self.refusal("AccessDenied", s3.list_objects_v2, Bucket="logs", Prefix="a/")
        s3.list_objects_v2(Bucket="logs", Prefix="b/")
        self.aws.control("clear_faults")
        s3.list_objects_v2(Bucket="logs", Prefix="a/")

    def test_a_fault_strikes_one_account_in_one_region(self):
        self.aws.describe(roles=[{"arn": "arn:aws:iam::*:role/Reader"}])
        role = "arn:aws:iam::000000000002:role/Reader"
        session = self.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="auditfolio")["Credentials"]
        self.aws.fault("region_disabled", account="000000000002", region="ap-east-1", times=None)
        there = self.aws.client("config", "ap-east-1", session)
        self.refusal("UnrecognizedClientException", there.describe_config_rules)
        self.aws.client("config", "eu-central-1", session).describe_config_rules()
        self.aws.client("config", "ap-east-1").describe_config_rules()

    def test_a_cut_body_ends_before_its_announced_length(self):
        s3 = self.aws.client("s3")
        self.aws.fault("cut", operation="GetObject", bytes=300)
        answer = s3.get_object(Bucket="logs", Key="a/one")
        self.assertEqual(answer["ContentLength"], 1000)
        with self.assertRaises(ResponseStreamingError):
            answer["Body"].read()
        self.assertEqual(self.aws.shown("log")[-1]["bytes"], 300)

    def test_a_reset_connection_gives_no_answer(self):
        self.aws.fault("reset", service="organizations")
        with self.assertRaises(ConnectionClosedError):
            self.aws.client("organizations").list_accounts()

    def test_a_slow_answer_is_slow_and_right(self):
        self.aws.fault("slow", service="organizations", seconds=0.3)
        began = time.monotonic()
        self.assertEqual(len(self.aws.client("organizations").list_accounts()["Accounts"]), 5)
        self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_a_skewed_clock_shows_in_the_date(self):
        self.aws.fault("clock_skew", service="s3", seconds=-3600)
        with self.assertRaises(Exception) as caught:
            self.aws.client("s3").get_object(Bucket="logs", Key="a/one")
        date = parsedate_to_datetime(caught.exception.response["ResponseMetadata"]["HTTPHeaders"]["date"])
        self.assertLess(abs(datetime.now(UTC) - timedelta(hours=1) - date), timedelta(seconds=60))

    def test_the_log_says_when_a_call_was_signed(self):
        self.aws.client("organizations").list_roots()
        signed = datetime.strptime(self.aws.shown("log")[-1]["signed_at"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        self.assertLess(abs(datetime.now(UTC) - signed), timedelta(seconds=60))

    def test_an_empty_page_carries_a_token_and_loses_nothing(self):
        organizations = self.aws.client("organizations")
        self.aws.fault("empty_page", operation="ListAccounts", after=1)
        pages = list(organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2}))
        self.assertEqual([len(page["Accounts"]) for page in pages], [2, 0, 2, 1])
        self.assertIn("NextToken", pages[1])
        found = [one["Id"] for page in pages for one in page["Accounts"]]
        self.assertEqual(found, [f"{number:012d}" for number in range(1, 6)])

    def test_a_token_of_another_question_is_refused(self):
        organizations = self.aws.client("organizations")
        token = organizations.list_accounts(MaxResults=2)["NextToken"]
        self.refusal("InvalidInputException", organizations.list_roots, NextToken=token)

    def test_any_other_error_can_be_ordered(self):
        members = {"Reason": "CONCURRENT_QUERY_LIMIT_EXCEEDED"}
        self.aws.fault("error", service="athena", code="TooManyRequestsException", message="later", members=members)
        start = self.aws.client("athena").start_query_execution
        self.assertEqual(self.refusal("TooManyRequestsException", start, QueryString="select 1"), "later")

    def test_what_nobody_here_answers_is_an_error_without_retries_and_a_violation(self):
        self.refusal("UnknownOperationException", self.aws.client("config").describe_conformance_packs)
        self.assertEqual([one["operation"] for one in self.violations()], ["DescribeConformancePacks"])
        self.refusal("UnknownOperationException", self.aws.client("sqs").list_queues)
        self.assertEqual({one["service"] for one in self.violations()}, {"sqs"})

    def test_a_request_that_nobody_signed_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{self.aws.endpoint}/logs/a/one")
        self.assertEqual(caught.exception.code, 403)
        caught.exception.close()
        self.assertNotEqual(self.violations(), [])
