"""The policies and templates that the program prints, held against botocore's service models."""

import json
import subprocess
import unittest

from .contract import Contract
from .test_sample import program

CONTRACT = Contract()
# IAM's actions that are no operation of their service, and the operation that needs them.
OTHERWISE_NAMED = {"s3:ListBucket": "ListObjectsV2", "sts:TagSession": "AssumeRole"}
# Settings that use everything.
EVERYTHING = [
    "--from=s3://acme-config/o-abc",
    "--aws-region=eu-central-1",
    "--aws-kms-keys=arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d",
    "--organizations",
    "--rule-definitions",
    "--aws-member-role=AuditfolioMember",
    "--aws-external-id=secretsmanager:external#id",
    "--engine=athena",
    "--athena-workgroup=audit",
    "--athena-output=s3://acme-results/audit",
    "--aggregator=organization",
]
ROLES = [
    "--aws-role=arn:aws:iam::111122223333:role/Reader",
    "--aws-organization-role=arn:aws:iam::444455556666:role/Lister",
    "--aggregator-role=arn:aws:iam::777788889999:role/Aggregator",
]


def printed(*arguments):
    done = subprocess.run([program(), "aws", *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def statements(value):
    """Every statement of policies anywhere in a value, those in texts of JSON too."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for one in value.values():
            yield from statements(one)
    elif isinstance(value, list):
        for one in value:
            yield from statements(one)
    elif isinstance(value, str) and value.startswith("[{"):
        yield from statements(json.loads(value))


def actions(statement):
    found = statement["Action"]
    # A template may choose between two lists.
    return [action for part in found["Fn::If"][1:] for action in part] if isinstance(found, dict) else found


class Printed(unittest.TestCase):
    def documents(self):
        for roles in ([], ROLES):
            for holder in ("portal", "archive", "organization", "member", "aggregator"):
                if roles or holder in ("portal", "member"):
                    for command in ("policy", "cloudformation"):
                        yield f"{command} {holder}", printed(command, holder, *EVERYTHING, *roles)

    def test_every_action_is_an_operation_of_its_service(self):
        seen = set()
        for name, document in self.documents():
            for statement in statements(document):
                for action in actions(statement):
                    service, _, operation = action.partition(":")
                    model = CONTRACT.service(service)
                    self.assertIn(OTHERWISE_NAMED.get(action, operation), model.operation_names, f"{name}: {action}")
                    seen.add(action)
        self.assertEqual(len(seen), 25, sorted(seen))

    def test_nothing_but_what_has_no_resource_is_allowed_on_everything(self):
        for name, document in self.documents():
            for statement in statements(document):
                if "Principal" in statement or statement.get("Resource") != ["*"]:
                    continue
                for action in actions(statement):
                    self.assertIn(action.partition(":")[0], ("organizations", "config"), f"{name}: {action}")


if __name__ == "__main__":
    unittest.main()
