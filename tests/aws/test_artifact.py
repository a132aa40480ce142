"""Artifact, read by boto3."""

import time
import urllib.error
import urllib.request

from .harness import StandInCase

SOC, ISO = "report-0123456789abcdef", "report-0123456789abcdeg"
MEMBER, OTHER = "111122223333", "111122223335"
REPORTS = [
    {
        "id": SOC,
        "name": "SOC 2 Type 2 Report",
        "series": "SOC",
        "acceptanceType": "EXPLICIT",
        "versions": [
            {"version": 1, "state": "UNPUBLISHED", "periodStart": "2025-04-01T00:00:00Z", "sequenceNumber": 7},
            {"version": 2, "state": "PUBLISHED", "name": None, "createdAt": "2025-11-14T10:00:00Z"},
        ],
    },
    {"id": ISO, "name": "ISO 27001 Certificate", "versions": [{"version": 1}]},
]
BAA = {"name": "AWS Business Associate Addendum", "id": "customer-agreement-0123456789abcdef", "state": "ACTIVE"}
WHOLE = {**BAA, "id": "customer-agreement-0123456789abcdeg", "organizationArn": "arn:aws:organizations::1:organization/o-1"}


class Artifact(StandInCase):
    def setUp(self):
        super().setUp()
        self.aws.describe(
            roles=[{"arn": "arn:aws:iam::*:role/Member"}],
            artifact={
                "reports": REPORTS,
                "agreements": {MEMBER: [BAA]},
                "organization_agreements": [WHOLE],
                "page_size": 300,
                "document_seconds": 60,
                "token_seconds": 900,
                "documents": {},
            },
        )
        self.artifact = self.aws.client("artifact", "us-east-1")

    def member(self, account):
        role = f"arn:aws:iam::{account}:role/Member"
        session = self.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="auditfolio")["Credentials"]
        return self.aws.client("artifact", "us-east-1", session)

    def fetched(self, address):
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.read()

    def test_lists_show_the_newest_version_and_versions_show_all_without_what_only_a_description_has(self):
        newest = self.artifact.list_reports()["reports"]
        self.assertEqual([(one["id"], one["version"]) for one in newest], [(SOC, 2), (ISO, 1)])
        self.assertNotIn("name", newest[0])
        found = self.artifact.list_report_versions(reportId=SOC)["reports"]
        self.assertEqual([one["version"] for one in found], [2, 1])
        self.assertEqual(found[1]["periodStart"].date().isoformat(), "2025-04-01")
        self.assertNotIn("sequenceNumber", found[1])
        detail = self.artifact.get_report_metadata(reportId=SOC, reportVersion=1)["reportDetails"]
        self.assertEqual(detail["sequenceNumber"], 7)
        self.assertEqual(self.artifact.get_report_metadata(reportId=SOC)["reportDetails"]["version"], 2)

    def test_pages_carry_tokens_that_only_the_same_question_accepts(self):
        self.aws.describe(artifact={"page_size": 1})
        first = self.artifact.list_reports()
        self.assertEqual(len(first["reports"]), 1)
        second = self.artifact.list_reports(nextToken=first["nextToken"])
        self.assertEqual(second["reports"][0]["id"], ISO)
        self.assertNotIn("nextToken", second)
        self.refusal(
            "ValidationException", self.artifact.list_report_versions, reportId=SOC, nextToken=first["nextToken"]
        )
        self.aws.fault("empty_page", operation="ListReports")
        pages = list(self.artifact.get_paginator("list_reports").paginate())
        self.assertEqual([len(page["reports"]) for page in pages], [0, 1, 1])

    def test_an_answer_can_lack_its_list(self):
        for operation in ("list_reports", "list_customer_agreements"):
            name = "".join(part.capitalize() for part in operation.split("_"))
            self.aws.fault("no_list", operation=name)
            answer = getattr(self.artifact, operation)()
            self.assertEqual(set(answer), {"ResponseMetadata"})
        self.assertEqual(len(self.artifact.list_reports()["reports"]), 2)

    def test_an_account_sees_its_own_agreements_and_the_organisations(self):
        own = self.member(MEMBER).list_customer_agreements()["customerAgreements"]
        self.assertEqual([one["id"][-1] for one in own], ["g", "f"])
        other = self.member(OTHER).list_customer_agreements()["customerAgreements"]
        self.assertEqual([one["organizationArn"] for one in other], [WHOLE["organizationArn"]])

    def test_terms_come_first_and_their_token_is_good_once(self):
        terms = self.artifact.get_term_for_report(reportId=SOC, reportVersion=2)
        self.assertTrue(self.fetched(terms["documentPresignedUrl"]).startswith(b"%PDF-1.4"))
        asked = {"reportId": SOC, "reportVersion": 2, "termToken": terms["termToken"]}
        address = self.artifact.get_report(**asked)["documentPresignedUrl"]
        told = bytes.fromhex(self.aws.control("document", name=f"{SOC} 2")["hex"])
        self.assertEqual(self.fetched(address), told)
        self.assertNotEqual(self.fetched(terms["documentPresignedUrl"]), told)
        self.refusal("ValidationException", self.artifact.get_report, **asked)

    def test_a_token_is_bound_to_account_report_and_version_and_ends(self):
        def token(artifact=self.artifact):
            return artifact.get_term_for_report(reportId=SOC, reportVersion=2)["termToken"]

        for call, parameters in (
            (self.member(MEMBER), {"reportId": SOC, "reportVersion": 2}),
            (self.artifact, {"reportId": SOC, "reportVersion": 1}),
            (self.artifact, {"reportId": ISO}),
        ):
            self.refusal("ValidationException", call.get_report, termToken=token(), **parameters)
        self.refusal("ValidationException", self.artifact.get_report, reportId=SOC, termToken="never-given")
        late = token()
        self.aws.describe(artifact={"token_seconds": 0})
        self.refusal("ValidationException", self.artifact.get_report, reportId=SOC, reportVersion=2, termToken=late)

    def test_a_presigned_address_ends(self):
        self.aws.describe(artifact={"document_seconds": 0})
        address = self.artifact.get_term_for_report(reportId=SOC)["documentPresignedUrl"]
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.fetched(address)
        self.assertEqual(caught.exception.code, 403)
        self.assertIn(b"Request has expired", caught.exception.read())
        caught.exception.close()

    def test_what_does_not_exist_is_said_so(self):
        self.refusal("ResourceNotFoundException", self.artifact.get_report_metadata, reportId="report-0000000000000000")
        self.refusal("ResourceNotFoundException", self.artifact.get_report_metadata, reportId=SOC, reportVersion=9)

    def test_faults_have_artifacts_own_statuses(self):
        quota = {"resourceId": "r", "resourceType": "report", "serviceCode": "artifact", "quotaCode": "L-1"}
        for kind, details, status, code in (
            ("throttle", {"retry_after_seconds": 3}, 429, "ThrottlingException"),
            ("deny", {}, 403, "AccessDeniedException"),
            ("expired", {}, 403, "ExpiredTokenException"),
            ("server_error", {}, 500, "InternalServerException"),
            (
                "error",
                {"code": "ServiceQuotaExceededException", "message": "too many", "status": 402, "members": quota},
                402,
                "ServiceQuotaExceededException",
            ),
        ):
            with self.subTest(kind):
                self.aws.fault(kind, service="artifact", **details)
                with self.assertRaises(self.artifact.exceptions.ClientError) as caught:
                    self.artifact.list_reports()
                answer = caught.exception.response
                self.assertEqual((answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]), (status, code))
                if kind == "throttle":
                    self.assertEqual(answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"], "3")

    def test_notifications_are_subscribed_to(self):
        put = self.artifact.put_account_settings(notificationSubscriptionStatus="SUBSCRIBED")
        self.assertEqual(put["accountSettings"], {"notificationSubscriptionStatus": "SUBSCRIBED"})
        self.assertEqual(self.artifact.get_account_settings()["accountSettings"], put["accountSettings"])

    def test_a_member_that_aws_does_not_have_is_seen(self):
        self.aws.describe(artifact={"reports": [{"id": SOC, "severity": "HIGH", "versions": [{"version": 0}]}]})
        self.artifact.list_reports()
        found = [one["text"] for one in self.violations()]
        self.assertIn("answer.reports[0].severity is no member of ReportSummary", found)
        self.assertTrue(any("version has size 0" in text for text in found), found)

    def test_a_time_that_is_no_iso_8601_is_seen(self):
        self.aws.describe(artifact={"reports": [{"id": SOC, "versions": [{"version": 1, "periodEnd": 1790811000}]}]})
        self.artifact.list_reports()
        self.assertIn("not a time of ISO 8601", self.violations()[0]["text"])

    def test_documents_can_be_anything(self):
        self.aws.describe(artifact={"documents": {f"{ISO} 1": "<html>"}})
        terms = self.artifact.get_term_for_report(reportId=ISO)
        address = self.artifact.get_report(reportId=ISO, termToken=terms["termToken"])["documentPresignedUrl"]
        self.assertEqual(self.fetched(address), b"<html>")
        log = self.aws.shown("log")
        self.assertEqual(log[-1]["service"], "artifact-documents")
        self.assertLess(log[-1]["at"], time.time() + 1)
