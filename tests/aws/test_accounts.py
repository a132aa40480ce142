"""S3, STS, Organizations and Secrets Manager, read by boto3."""

import gzip
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from .harness import PORTAL, StandInCase, key, snapshot

MEMBER = "111122223333"
MANAGEMENT = "444455556666"


def sample(folder):
    """A folder as `auditfolio sample` makes it: two objects of different days, foreign litter, and account lists."""
    for day in ((2026, 10, 1), (2026, 10, 2)):
        path = Path(folder) / "o-a1" / key(MEMBER, "eu-central-1", day)
        path.parent.mkdir(parents=True)
        path.write_bytes(snapshot([]))
        at = datetime(*day, 6, tzinfo=UTC).timestamp()
        os.utime(path, (at, at))
    (Path(folder) / "expected.json").write_text("{}", encoding="utf-8")
    for day, status in (("2026-10-01", "ACTIVE"), ("2026-10-02", "SUSPENDED")):
        accounts = [account(MANAGEMENT, "Management", "ACTIVE"), account(MEMBER, "payments-prod", status)]
        text = json.dumps({"Accounts": accounts})
        (Path(folder) / f"accounts-{day}.json").write_text(text, encoding="utf-8")


def account(identifier, name, status):
    return {
        "Id": identifier,
        "Arn": f"arn:aws:organizations::{MANAGEMENT}:account/o-ddcgfg0c5r/{identifier}",
        "Email": f"aws+{name.lower()}@example.com",
        "Name": name,
        "Status": status,
        "State": status,
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": "2024-12-05T12:27:39.026000+00:00",
    }


class Accounts(StandInCase):
    def load(self, bucket, **order):
        with tempfile.TemporaryDirectory() as folder:
            sample(folder)
            return self.aws.control("load", bucket=bucket, folder=folder, **order)

    def test_a_samples_objects_are_in_the_bucket_with_their_times_of_delivery(self):
        self.assertEqual(self.load("loaded")["objects"], 2)
        listed = self.aws.client("s3").list_objects_v2(Bucket="loaded", Prefix="o-a1/AWSLogs/")["Contents"]
        self.assertEqual([one["Key"].rpartition("_ConfigSnapshot_")[2] for one in listed], [
            "20261001T050000Z_0a1b.json.gz", "20261002T050000Z_0a1b.json.gz",
        ])  # fmt: skip
        self.assertEqual(listed[0]["LastModified"], datetime(2026, 10, 1, 6, tzinfo=UTC))
        body = self.aws.client("s3").get_object(Bucket="loaded", Key=listed[0]["Key"])["Body"].read()
        self.assertEqual(json.loads(gzip.decompress(body))["configurationItems"], [])

    def test_a_bucket_grows_by_what_was_delivered_later(self):
        self.assertEqual(self.load("growing", until="2026-10-01T12:00:00Z")["objects"], 1)
        self.assertEqual(self.load("growing")["objects"], 1)
        self.assertEqual(self.load("growing")["objects"], 0)

    def test_a_bucket_keeps_versions_where_it_is_told_to(self):
        self.load("versioned", versioned=True)
        s3 = self.aws.client("s3")
        first = s3.list_object_versions(Bucket="versioned")["Versions"][0]
        s3.put_object(Bucket="versioned", Key=first["Key"], Body=b"newer")
        old = s3.get_object(Bucket="versioned", Key=first["Key"], VersionId=first["VersionId"])
        self.assertNotEqual(old["Body"].read(), b"newer")
        self.assertEqual(s3.get_object(Bucket="versioned", Key=first["Key"])["Body"].read(), b"newer")

    def test_objects_are_read_in_ranges_under_an_etag(self):
        s3 = self.aws.client("s3")
        s3.create_bucket(Bucket="ranges", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        etag = s3.put_object(Bucket="ranges", Key="a::b ü", Body=b"0123456789")["ETag"]
        part = s3.get_object(Bucket="ranges", Key="a::b ü", Range="bytes=3-5", IfMatch=etag)
        self.assertEqual((part["Body"].read(), part["ContentRange"]), (b"345", "bytes 3-5/10"))
        self.refusal("PreconditionFailed", s3.get_object, Bucket="ranges", Key="a::b ü", IfMatch='"other"')

    def test_the_log_tells_what_was_listed(self):
        self.load("logged")
        s3 = self.aws.client("s3")
        s3.list_objects_v2(Bucket="logged", Prefix="o-a1/AWSLogs/", Delimiter="/")
        entry = self.aws.shown("log")[-1]
        shown = [entry[name] for name in ("service", "operation", "account", "region", "bucket", "status")]
        self.assertEqual(shown, ["s3", "ListObjectsV2", PORTAL, "eu-central-1", "logged", 200])
        self.assertEqual(entry["parameters"]["prefix"], "o-a1/AWSLogs/")
        self.assertGreater(entry["bytes"], 100)

    def test_the_organisation_is_that_of_the_samples_list_of_the_day(self):
        self.load("organised", organization=True, until="2026-10-01T12:00:00Z")
        organizations = self.aws.client("organizations")
        pages = organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 1})
        listed = [one for page in pages for one in page["Accounts"]]
        self.assertEqual([one["Id"] for one in listed], [MANAGEMENT, MEMBER])
        self.assertEqual(listed[1]["Status"], "ACTIVE")
        self.assertEqual(listed[1]["JoinedTimestamp"], datetime(2024, 12, 5, 12, 27, 39, 26000, UTC))
        self.load("organised", organization=True)
        self.assertEqual(organizations.describe_account(AccountId=MEMBER)["Account"]["Status"], "SUSPENDED")

    def test_units_parents_and_tags_agree(self):
        self.load("organised", organization=True)
        organizations = self.aws.client("organizations")
        root = organizations.list_roots()["Roots"][0]["Id"]
        units = organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
        production = next(unit["Id"] for unit in units if unit["Name"] == "Production")
        accounts = organizations.list_accounts_for_parent(ParentId=production)["Accounts"]
        self.assertEqual([one["Id"] for one in accounts], [MEMBER])
        parents = organizations.list_parents(ChildId=MEMBER)["Parents"]
        self.assertEqual(parents, [{"Id": production, "Type": "ORGANIZATIONAL_UNIT"}])
        tags = organizations.list_tags_for_resource(ResourceId=MEMBER)["Tags"]
        self.assertEqual(tags, [{"Key": "environment", "Value": "production"}])
        unknown = "ou-abcd-11111111"
        self.refusal("ParentNotFoundException", organizations.list_accounts_for_parent, ParentId=unknown)

    def test_a_role_is_assumed_only_where_the_description_allows_it(self):
        sts = self.aws.client("sts")
        role = f"arn:aws:iam::{MEMBER}:role/AuditfolioMember"
        self.aws.describe(roles=[{"arn": "arn:aws:iam::*:role/AuditfolioMember", "external_id": "ours"}])
        message = self.refusal("AccessDenied", sts.assume_role, RoleArn=role, RoleSessionName="auditfolio")
        wanted = (
            f"User: arn:aws:iam::{PORTAL}:user/portal is not authorized to perform: sts:AssumeRole on resource: {role}"
        )
        self.assertEqual(message, wanted)
        other = {"RoleArn": role.replace("Member", "Admin"), "RoleSessionName": "auditfolio", "ExternalId": "ours"}
        self.refusal("AccessDenied", sts.assume_role, **other)
        session = sts.assume_role(RoleArn=role, RoleSessionName="auditfolio", ExternalId="ours")["Credentials"]
        caller = self.aws.client("sts", credentials=session).get_caller_identity()
        self.assertEqual(caller["Account"], MEMBER)
        self.assertEqual(caller["Arn"], f"arn:aws:sts::{MEMBER}:assumed-role/AuditfolioMember/auditfolio")
        self.aws.control("expire_sessions")
        self.refusal("ExpiredToken", self.aws.client("sts", credentials=session).get_caller_identity)

    def test_another_accounts_role_reads_the_bucket_and_not_the_organisation(self):
        self.load("shared", organization=True)
        self.aws.describe(roles=[{"arn": "arn:aws:iam::*:role/Reader"}])
        role = f"arn:aws:iam::{MEMBER}:role/Reader"
        session = self.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="auditfolio")["Credentials"]
        self.assertEqual(self.aws.client("s3", credentials=session).list_objects_v2(Bucket="shared")["KeyCount"], 2)
        organizations = self.aws.client("organizations", credentials=session)
        self.refusal("AccessDeniedException", organizations.list_accounts)

    def test_secrets_are_kept(self):
        secrets = self.aws.client("secretsmanager")
        secrets.create_secret(Name="database", SecretString='{"password": "first"}')
        secrets.put_secret_value(SecretId="database", SecretString='{"password": "second"}')
        self.assertEqual(
            json.loads(secrets.get_secret_value(SecretId="database")["SecretString"])["password"], "second"
        )
        self.refusal("ResourceNotFoundException", secrets.get_secret_value, SecretId="nowhere")
