"""What the stand-in's own tests share: a stand-in as a process, boto3 clients for it, and made-up snapshots."""

import gzip
import json
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

SERVE = Path(__file__).parent / "serve.py"
PORTAL = "999999999999"
HOME = "eu-central-1"
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


class StandIn:
    """A stand-in that runs until it is closed."""

    def __init__(self, *arguments):
        command = [sys.executable, str(SERVE), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the stand-in ended with {self.process.wait()}")
        self.ready = json.loads(line)
        self.endpoint = self.ready["endpoint"]
        # boto3 takes a while to make one.
        self.clients = {}

    def close(self):
        """Ends it by closing its standard input; its exit code. One that goes on is killed, and the test fails."""
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def client(self, service, region=HOME, credentials=None):
        """A client without retries, so that a test sees every answer. `credentials` are those of AssumeRole."""
        known = (service, region, (credentials or {}).get("AccessKeyId"))
        if known not in self.clients:
            self.clients[known] = self.made_client(service, region, credentials)
        return self.clients[known]

    def made_client(self, service, region, credentials):
        environment = self.ready["environment"]
        own = credentials or {
            "AccessKeyId": environment["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": environment["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": None,
        }
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=own["AccessKeyId"],
            aws_secret_access_key=own["SecretAccessKey"],
            aws_session_token=own["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    def control(self, do, **order):
        body = json.dumps({"do": do, **order}).encode()
        return self.ask(urllib.request.Request(f"{self.endpoint}/-/control", body))

    def ask(self, request):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from None

    def fault(self, kind, **fault):
        self.control("fault", fault={"kind": kind, **fault})

    def describe(self, **description):
        self.control("describe", description=description)

    def shown(self, name):
        return self.ask(f"{self.endpoint}/-/{name}")


class StandInCase(unittest.TestCase):
    """A test class with a stand-in of its own. Every test ends with no violation but those that it expects."""

    arguments = ()
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.aws = StandIn(*cls.arguments)
        cls.addClassCleanup(cls.aws.close)

    def setUp(self):
        self.addCleanup(self.look_for_violations)
        self.known = len(self.aws.shown("violations"))
        self.aws.control("clear_faults")
        self.aws.control("clear_log")

    def look_for_violations(self):
        self.assertEqual(self.violations(), [])

    def violations(self):
        """What came since the test began, or since this was last asked."""
        found = self.aws.shown("violations")
        new, self.known = found[self.known :], len(found)
        return new

    def refusal(self, code, call, **parameters):
        """The message of the error that a call is answered with."""
        with self.assertRaises(Exception) as caught:
            call(**parameters)
        answer = getattr(caught.exception, "response", None)
        self.assertIsNotNone(answer, caught.exception)
        self.assertEqual(answer["Error"]["Code"], code)
        return answer["Error"].get("Message", "")


def key(account, region, day, time_of_day="T050000Z", name="0a1b"):
    """A snapshot's key; the day as (year, month, day), written without leading zeros as AWS does."""
    year, month, date = day
    stamp = f"{year}{month:02d}{date:02d}{time_of_day}"
    folder = f"AWSLogs/{account}/Config/{region}/{year}/{month}/{date}/ConfigSnapshot"
    return f"{folder}/{account}_Config_{region}_ConfigSnapshot_{stamp}_{name}.json.gz"


def snapshot(items):
    """A delivered file: one line of JSON, packed."""
    document = {"fileVersion": "1.0", "configSnapshotId": "6292fd47", "configurationItems": items}
    return gzip.compress(json.dumps(document, separators=(",", ":")).encode())


def result(account, region, resource, rules, captured="2026-10-01T04:00:00.000Z"):
    """A resource's item with its results: {rule name: compliance}."""
    kind, _, identifier = resource.partition("/")
    entries = [
        {
            "configRuleName": name,
            "configRuleId": f"config-rule-{name[:6]}",
            "configRuleArn": f"arn:aws:config:{region}:{account}:config-rule/config-rule-{name[:6]}",
            "complianceType": compliance,
        }
        for name, compliance in rules.items()
    ]
    worst = "NON_COMPLIANT" if "NON_COMPLIANT" in rules.values() else "COMPLIANT"
    return {
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": captured,
        "configurationStateId": 1790827200000,
        "awsAccountId": account,
        "configurationItemStatus": "OK",
        "resourceType": "AWS::Config::ResourceCompliance",
        "resourceId": resource,
        "awsRegion": region,
        "configuration": {
            "complianceType": worst,
            "targetResourceType": kind,
            "targetResourceId": identifier,
            "configRuleList": entries,
        },
        "supplementaryConfiguration": {},
        "tags": {},
    }


def until_ended(athena, identifier):
    """A query's execution once it has ended, and the states that were seen on the way."""
    states = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        execution = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
        states.append(execution["Status"]["State"])
        if states[-1] in ENDED:
            return execution, states
        # The stand-in works in the process that is asked.
        time.sleep(0.01)
    raise AssertionError(f"the query has not ended in a minute: {states[-1]}")
