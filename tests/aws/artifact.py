"""AWS Artifact, answered from a description: reports with their versions and terms, and accounts' agreements.

    "artifact": {
        "reports": [{"id": "report-0123456789abcdef", "name": "SOC 2 Type 2 Report", "series": "SOC",
                     "versions": [{"version": 1, "periodStart": "2025-10-01T00:00:00Z", "termArn": ...}]}],
        "agreements": {"111122223333": [{"name": ..., "id": "customer-agreement-...", "state": "ACTIVE", ...}]},
        "organization_agreements": [{..., "organizationArn": "arn:aws:organizations::..."}],
        "page_size": 300, "document_seconds": 60, "token_seconds": 900,
        "documents": {"report-0123456789abcdef 1": "not a PDF"}}
A version's members go before its report's; a member that is null is left out. Members that only GetReportMetadata shows
are left out of lists. Times are ISO 8601 as AWS's REST-JSON has them. ListReports shows the last version of each report.

A terms token is good once, for the account, the report and the version that it was given out for. A presigned address
leads back here, needs no signature, and ends after "document_seconds". What is behind it is a PDF of its own for each
report and version, and one for its terms; "documents" puts other bytes there.
"""

import itertools
import time
import uuid
import zlib

from .answers import ServiceError, rest_answer
from .calls import Answer
from .paging import page

ONLY_IN_DETAIL = ("createdAt", "lastModifiedAt", "deletedAt", "termArn", "sequenceNumber")
# AWS's own member for it is only in lists of agreements; here it says who sees which.
ADDRESS = "/artifact-documents/"


class State:
    """Tokens and addresses that were given out."""

    def __init__(self):
        self.tokens = {}
        self.documents = {}


def answer(world, call, request):
    """The answer to a call of Artifact."""
    operation = OPERATIONS.get(call.operation)
    if operation is None:
        raise ServiceError("ResourceNotFoundException", "no such operation", 404, resourceId="", resourceType="")
    return rest_answer(operation(world, call, request))


def invalid(reason, message):
    return ServiceError("ValidationException", message, 400, reason=reason)


def paged(world, call, name, entries):
    described = world.part("artifact").get("page_size", 300)
    size = min(int(call.parameters.get("maxResults", 50)), described)
    try:
        shown, token = page(call, entries, size)
    except ServiceError as error:
        raise invalid("invalidToken", error.message) from None
    # SDKs put an empty list where the answer has none.
    listed = {} if call.fault("no_list") else {name: shown}
    return {**listed, **({"nextToken": token} if token else {})}


def given(members):
    """What is given of a thing: absent and null are the same."""
    return {name: value for name, value in members.items() if value is not None and name != "versions"}


def versions(report):
    """All versions of a report in full, oldest first."""
    return [given({**report, **version}) for version in report.get("versions", [{"version": 1}])]


def listed(version):
    return {name: value for name, value in version.items() if name not in ONLY_IN_DETAIL}


def found(world, call):
    """The report that a call asks for."""
    wanted = call.parameters.get("reportId")
    for report in world.part("artifact").get("reports", []):
        if report.get("id") == wanted:
            return report
    raise ServiceError(
        "ResourceNotFoundException", f"{wanted} does not exist", 404, resourceId=str(wanted), resourceType="report"
    )


def found_version(world, call):
    """The version that a call asks for: the newest where it names none."""
    all_versions = versions(found(world, call))
    wanted = call.parameters.get("reportVersion")
    if wanted is None:
        return all_versions[-1]
    for version in all_versions:
        if version.get("version") == int(wanted):
            return version
    raise ServiceError(
        "ResourceNotFoundException", f"there is no version {wanted}", 404, resourceId=str(wanted), resourceType="report"
    )


def list_reports(world, call, _):
    reports = [versions(report)[-1] for report in world.part("artifact").get("reports", [])]
    return paged(world, call, "reports", [listed(version) for version in reports])


def list_report_versions(world, call, _):
    return paged(world, call, "reports", [listed(version) for version in reversed(versions(found(world, call)))])


def get_report_metadata(world, call, _):
    return {"reportDetails": found_version(world, call)}


def get_term_for_report(world, call, request):
    version = found_version(world, call)
    state = world.kept("artifact", State)
    token = uuid.uuid4().hex
    name = document_name(version)
    with world.lock:
        state.tokens[token] = {"account": call.account, "name": name, "at": time.time(), "used": False}
    return {"documentPresignedUrl": presigned(world, call, request, f"terms {name}"), "termToken": token}


def get_report(world, call, request):
    name = document_name(found_version(world, call))
    state = world.kept("artifact", State)
    seconds = world.part("artifact").get("token_seconds", 900)
    with world.lock:
        token = state.tokens.get(call.parameters.get("termToken"))
        good = (
            token
            and not token["used"]
            and (token["account"], token["name"]) == (call.account, name)
            and token["at"] + seconds > time.time()
        )
        if not good:
            raise invalid("invalidToken", "The term token is not valid for this report")
        token["used"] = True
    return {"documentPresignedUrl": presigned(world, call, request, name)}


def list_customer_agreements(world, call, _):
    described = world.part("artifact")
    agreements = [*described.get("organization_agreements", []), *described.get("agreements", {}).get(call.account, [])]
    return paged(world, call, "customerAgreements", [given(one) for one in agreements])


def get_account_settings(world, _, __):
    return {"accountSettings": world.kept("artifact settings", dict)}


def put_account_settings(world, call, _):
    settings = world.kept("artifact settings", dict)
    settings.update(given({"notificationSubscriptionStatus": call.parameters.get("notificationSubscriptionStatus")}))
    return {"accountSettings": settings}


def document_name(version):
    return f"{version.get('id')} {version.get('version')}"


def presigned(world, call, request, name):
    """An address for a document, good for a while."""
    seconds = world.part("artifact").get("document_seconds", 60)
    key = uuid.uuid4().hex
    with world.lock:
        world.kept("artifact", State).documents[key] = {"name": name, "until": time.time() + seconds}
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={at}&X-Amz-Expires={seconds}&X-Amz-Signature={key}"
    return f"http://{request.headers['host']}{ADDRESS}{key}.pdf?{query}"


def document(world, request):
    """What is behind a presigned address."""
    key = request.path.removeprefix(ADDRESS).removesuffix(".pdf")
    with world.lock:
        wanted = world.kept("artifact", State).documents.get(key)
    if not wanted or request.method != "GET":
        raise ServiceError("AccessDenied", "Access Denied", 403)
    if wanted["until"] <= time.time():
        raise ServiceError("AccessDenied", "Request has expired", 403)
    return Answer(200, {"content-type": "application/pdf"}, contents(world, wanted["name"]))


def contents(world, name):
    """The bytes of a document: a report's by "ID VERSION", its terms' by "terms ID VERSION"."""
    other = world.part("artifact").get("documents", {}).get(name)
    return other.encode() if other is not None else pdf(name)


def pdf(text):
    """A PDF of one page with a line of text, the same bytes for the same line."""
    stream = zlib.compress(f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    parts = [b"%PDF-1.4\n"]
    parts += [b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, 1)]
    starts = list(itertools.accumulate(map(len, parts)))
    table = b"".join(b"%010d 00000 n \n" % start for start in starts[:-1])
    tail = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return b"".join(parts) + tail % (len(objects) + 1, table, len(objects) + 1, starts[-1])


OPERATIONS = {
    "ListReports": list_reports,
    "ListReportVersions": list_report_versions,
    "GetReportMetadata": get_report_metadata,
    "GetTermForReport": get_term_for_report,
    "GetReport": get_report,
    "ListCustomerAgreements": list_customer_agreements,
    "GetAccountSettings": get_account_settings,
    "PutAccountSettings": put_account_settings,
}
