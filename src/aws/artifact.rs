//! AWS Artifact: AWS's own reports with their terms, and the agreements that an account has with AWS.
//!
//! Every field is optional in AWS's model, so what is listed leaves here as a map of what was given, by AWS's own names:
//! <https://docs.aws.amazon.com/artifact/latest/APIReference/API_Types.html>.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_config::retry::RetryConfig;
use aws_sdk_artifact::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_artifact::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_artifact::error::BoxError;
use aws_sdk_artifact::primitives::{DateTime, DateTimeFormat};
use aws_sdk_artifact::types::{CustomerAgreementSummary, ReportDetail, ReportSummary};
use serde_json::{Map, Value};

use super::failure::{Asked, Failure};
use super::paging::Pages;
use super::role::RoleArn;

/// Artifact as some credentials see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifact {
    client: aws_sdk_artifact::Client,
    role: Option<RoleArn>,
}

/// What was given of a thing, by AWS's names of the fields; times are RFC 3339 in UTC.
pub type Fields = Map<String, Value>;

/// A report's terms, and what shows that they were asked for.
#[derive(Clone)]
pub struct Terms {
    /// Where the terms' document can be fetched for a short time, by anybody who has the address.
    pub address: String,
    /// Good for fetching the report once.
    pub token: String,
}

/// A page's size; AWS allows 300.
const PAGE: i32 = 300;

impl Artifact {
    pub(super) fn new(client: aws_sdk_artifact::Client, role: Option<&RoleArn>) -> Self {
        Self { client, role: role.cloned() }
    }

    /// The role whose credentials are used; `None` for the program's own.
    pub fn role(&self) -> Option<&RoleArn> {
        self.role.as_ref()
    }

    /// Every report, each as its newest version.
    ///
    /// <https://docs.aws.amazon.com/artifact/latest/APIReference/API_ListReports.html>
    pub async fn reports(&self) -> Result<Vec<Fields>, Failure> {
        let asked = self.asked("artifact:ListReports", "AWS’s reports");
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.list_reports().max_results(PAGE).set_next_token(pages.token());
            let list = List::named("reports");
            let page = call.customize().interceptor(list.clone()).send().await;
            let page = page.map_err(|error| Failure::of_sdk(&error, asked))?;
            list.must_be_there(asked)?;
            found.extend(page.reports.unwrap_or_default().into_iter().map(summary));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// How many reports are on a first page of one: one call.
    pub async fn first_report(&self) -> Result<usize, Failure> {
        let asked = self.asked("artifact:ListReports", "AWS’s reports");
        let page = self.client.list_reports().max_results(1).send().await;
        Ok(page.map_err(|error| Failure::of_sdk(&error, asked))?.reports.unwrap_or_default().len())
    }

    /// Every version of a report.
    ///
    /// <https://docs.aws.amazon.com/artifact/latest/APIReference/API_ListReportVersions.html>
    pub async fn versions(&self, report_id: &str) -> Result<Vec<Fields>, Failure> {
        let asked = self.asked("artifact:ListReportVersions", report_id);
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.list_report_versions().report_id(report_id).max_results(PAGE);
            let list = List::named("reports");
            let page = call.set_next_token(pages.token()).customize().interceptor(list.clone()).send().await;
            let page = page.map_err(|error| Failure::of_sdk(&error, asked))?;
            list.must_be_there(asked)?;
            found.extend(page.reports.into_iter().map(summary));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// A version in full; `None` where the answer holds nothing.
    ///
    /// <https://docs.aws.amazon.com/artifact/latest/APIReference/API_GetReportMetadata.html>
    pub async fn metadata(&self, report_id: &str, version: i64) -> Result<Option<Fields>, Failure> {
        let asked = self.asked("artifact:GetReportMetadata", report_id);
        let answer = self.client.get_report_metadata().report_id(report_id).report_version(version).send().await;
        Ok(answer.map_err(|error| Failure::of_sdk(&error, asked))?.report_details.map(detail))
    }

    /// A version's terms, to be read before it is fetched.
    ///
    /// <https://docs.aws.amazon.com/artifact/latest/APIReference/API_GetTermForReport.html>
    pub async fn terms(&self, report_id: &str, version: i64) -> Result<Terms, Failure> {
        let asked = self.asked("artifact:GetTermForReport", report_id);
        let answer = self.client.get_term_for_report().report_id(report_id).report_version(version).send().await;
        let answer = answer.map_err(|error| Failure::of_sdk(&error, asked))?;
        match (answer.document_presigned_url, answer.term_token) {
            (Some(address), Some(token)) => Ok(Terms { address, token }),
            _ => Err(Failure::transient(asked, "the answer lacks the terms’ address or their token")),
        }
    }

    /// Where a version can be fetched for a short time, for who has accepted the terms that the token is of.
    ///
    /// <https://docs.aws.amazon.com/artifact/latest/APIReference/API_GetReport.html>
    pub async fn report(&self, report_id: &str, version: i64, token: &str) -> Result<String, Failure> {
        let asked = self.asked("artifact:GetReport", report_id);
        let call = self.client.get_report().report_id(report_id).report_version(version).term_token(token);
        // Tried once: an attempt whose answer is lost may have used the token.
        let once = aws_sdk_artifact::config::Builder::new().retry_config(RetryConfig::disabled());
        let answer = call.customize().config_override(once).send().await;
        let answer = answer.map_err(|error| Failure::of_sdk(&error, asked))?;
        answer.document_presigned_url.ok_or_else(|| Failure::transient(asked, "the answer lacks the report’s address"))
    }

    /// The active agreements that apply to the account of the credentials. `account` names it in messages.
    ///
    /// <https://docs.aws.amazon.com/artifact/latest/APIReference/API_ListCustomerAgreements.html>
    pub async fn agreements(&self, account: &str) -> Result<Vec<Fields>, Failure> {
        let asked = self.asked("artifact:ListCustomerAgreements", account);
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.list_customer_agreements().max_results(PAGE).set_next_token(pages.token());
            let list = List::named("customerAgreements");
            let page = call.customize().interceptor(list.clone()).send().await;
            let page = page.map_err(|error| Failure::of_sdk(&error, asked))?;
            list.must_be_there(asked)?;
            found.extend(page.customer_agreements.into_iter().map(agreement));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    fn asked<'a>(&'a self, action: &'static str, subject: &'a str) -> Asked<'a> {
        Asked { action, subject, role: self.role.as_ref() }
    }
}

/// Sees whether an answer holds its list. Where it lacks one, the SDK puts an empty list in its place, and "AWS did not say"
/// would read as "there is none".
#[derive(Debug, Clone)]
struct List {
    name: &'static str,
    is_there: Arc<AtomicBool>,
}

impl List {
    fn named(name: &'static str) -> Self {
        Self { name, is_there: Arc::default() }
    }

    fn must_be_there(&self, asked: Asked<'_>) -> Result<(), Failure> {
        if self.is_there.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(Failure::transient(asked, &format!("the answer lacks its list, {}", self.name)))
    }
}

impl Intercept for List {
    fn name(&self) -> &'static str {
        "List"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        self.is_there.store(has_list(body, self.name), Ordering::Relaxed);
        Ok(())
    }
}

/// Whether an answer's body holds a list of this name.
fn has_list(body: &[u8], name: &str) -> bool {
    serde_json::from_slice::<Fields>(body).is_ok_and(|members| members.get(name).is_some_and(Value::is_array))
}

/// Collects what was given.
#[derive(Default)]
struct Given(Fields);

impl Given {
    fn text(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.as_ref().into());
        }
        self
    }

    fn number(mut self, name: &str, value: Option<i64>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    fn time(mut self, name: &str, value: Option<DateTime>) -> Self {
        if let Some(value) = value {
            // One outside of any calendar is kept as the seconds that were given.
            let value = value.fmt(DateTimeFormat::DateTime).map_or_else(|_| value.as_secs_f64().into(), Value::from);
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    fn list(mut self, name: &str, value: Option<Vec<String>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }
}

/// What a report's line in a list and its description have in common: AWS's model has two types for it.
macro_rules! common {
    ($of:ident) => {
        Given::default()
            .text("id", $of.id)
            .text("name", $of.name)
            .text("state", $of.state)
            .text("arn", $of.arn)
            .number("version", $of.version)
            .text("uploadState", $of.upload_state)
            .text("description", $of.description)
            .time("periodStart", $of.period_start)
            .time("periodEnd", $of.period_end)
            .text("series", $of.series)
            .text("category", $of.category)
            .text("companyName", $of.company_name)
            .text("productName", $of.product_name)
            .text("statusMessage", $of.status_message)
            .text("acceptanceType", $of.acceptance_type)
    };
}

fn summary(of: ReportSummary) -> Fields {
    common!(of).0
}

fn detail(of: ReportDetail) -> Fields {
    common!(of)
        .time("createdAt", of.created_at)
        .time("lastModifiedAt", of.last_modified_at)
        .time("deletedAt", of.deleted_at)
        .text("termArn", of.term_arn)
        .number("sequenceNumber", of.sequence_number)
        .0
}

fn agreement(of: CustomerAgreementSummary) -> Fields {
    Given::default()
        .text("name", of.name)
        .text("arn", of.arn)
        .text("id", of.id)
        .text("agreementArn", of.agreement_arn)
        .text("awsAccountId", of.aws_account_id)
        .text("organizationArn", of.organization_arn)
        .time("effectiveStart", of.effective_start)
        .time("effectiveEnd", of.effective_end)
        .text("state", of.state)
        .text("description", of.description)
        .list("acceptanceTerms", of.acceptance_terms)
        .list("terminateTerms", of.terminate_terms)
        .text("type", of.r#type)
        .0
}

#[cfg(test)]
mod tests {
    use aws_sdk_artifact::types::PublishedState;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_given_keeps_aws_names_and_what_was_not_is_absent() {
        let given = summary(
            ReportSummary::builder()
                .id("report-a")
                .version(3)
                .state(PublishedState::from("NOVEL"))
                .period_end(DateTime::from_secs(1_790_811_000))
                .build(),
        );
        let wanted = json!({"id": "report-a", "version": 3, "state": "NOVEL", "periodEnd": "2026-09-30T23:30:00Z"});
        assert_eq!(Value::Object(given), wanted);
    }

    #[test]
    fn a_list_that_is_empty_is_there_and_one_that_is_null_or_absent_is_not() {
        assert!(has_list(br#"{"reports": [], "nextToken": "a"}"#, "reports"));
        for body in [&br#"{"reports": null}"#[..], br#"{"nextToken": "a"}"#, br#"{"Reports": []}"#, b"[]", b""] {
            assert!(!has_list(body, "reports"), "{body:?}");
        }
    }

    #[test]
    fn a_time_beyond_any_calendar_is_kept_as_it_was_given() {
        let given = summary(ReportSummary::builder().period_end(DateTime::from_secs(i64::MAX)).build());
        assert!(given["periodEnd"].is_number(), "{given:?}");
    }
}
