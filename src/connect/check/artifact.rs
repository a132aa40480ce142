//! What is tried of Artifact. No terms of a report that exists are asked for: whoever does that means to read them.

use super::super::permissions::Holder;
use super::super::setup::Setup;
use super::report::Report;
use super::run::{becomes, noted};
use crate::aws::{Clients, Failure, Kind};

/// An id that no report has: AWS decides whether a call is allowed before it looks for the report.
const NO_REPORT: &str = "report-0000000000000000";
const LIST_AGREEMENTS: &str = "artifact:ListCustomerAgreements";

/// Reads a little of AWS's reports, and the agreements of the accounts whose credentials there are.
pub(super) async fn artifact(setup: &Setup, clients: &Clients, report: &mut Report) {
    if !report.needs("ListReports") {
        return;
    }
    let region = &setup.artifact.settings.artifact_region;
    let aws = clients.in_region(region).artifact();
    noted(report, "ListReports", "artifact:ListReports", aws.first_report().await);
    answered(report, "ReadReports", "artifact:ListReportVersions", aws.versions(NO_REPORT).await);
    answered(report, "ReadReports", "artifact:GetReportMetadata", aws.metadata(NO_REPORT, 1).await);
    answered(report, "FetchReports", "artifact:GetTermForReport", aws.terms(NO_REPORT, 1).await);
    answered(report, "FetchReports", "artifact:GetReport", aws.report(NO_REPORT, 1, "none").await);
    noted(report, "ReadOwnAgreements", LIST_AGREEMENTS, aws.agreements("the portal’s own account").await);
    if report.needs("ReadOrganizationAgreements") && !report.is_blocked("ReadOrganizationAgreements") {
        let clients = clients.organization().await;
        if becomes(&clients, "AssumeOrganizationRole", Holder::Organization, report).await {
            let aws = clients.in_region(region).artifact();
            let found = aws.agreements("the management account").await;
            noted(report, "ReadOrganizationAgreements", LIST_AGREEMENTS, found);
        }
    }
}

/// Reads the agreements of a member account.
pub(super) async fn agreements(setup: &Setup, member: &Clients, account_id: &str, report: &mut Report) {
    if report.needs("ReadAgreements") {
        let aws = member.in_region(&setup.artifact.settings.artifact_region).artifact();
        noted(report, "ReadAgreements", LIST_AGREEMENTS, aws.agreements(&format!("account {account_id}")).await);
    }
}

/// That there is no such report says that the call was allowed.
fn answered<T>(report: &mut Report, sid: &'static str, action: &'static str, answer: Result<T, Failure>) {
    let no_such =
        |failure: &Failure| failure.kind == Kind::NotFound || failure.code.as_deref() == Some("ValidationException");
    match answer {
        Err(failure) if !no_such(&failure) => report.failed(sid, action, &failure),
        Ok(_) | Err(_) => report.works(sid, action, "AWS answered."),
    }
}
