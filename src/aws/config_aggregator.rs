//! AWS Config's aggregator: how fresh its sources are, and what it says of rules and conformance packs.
//!
//! A page of its answers may be empty and have a successor all the same. None of its operations has a throttling error of
//! its own in AWS's model; a general one is told by its code.

use aws_sdk_config::primitives::DateTime;
use aws_sdk_config::types::EvaluationResultIdentifier;
use time::OffsetDateTime;

use super::failure::{Asked, Failure};
use super::paging::{Pages, moment};
use super::role::RoleArn;

/// An aggregator as some credentials see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Aggregator {
    client: aws_sdk_config::Client,
    role: Option<RoleArn>,
    name: String,
    /// What calls are asked of, in words.
    subject: String,
}

/// A source of an aggregator:
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_AggregatedSourceStatus.html>. What AWS leaves out is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// `ACCOUNT` or `ORGANIZATION`.
    pub kind: String,
    /// An account's id or an organisation's.
    pub id: String,
    pub region: String,
    /// `SUCCEEDED`, `FAILED` or `OUTDATED`.
    pub status: String,
    pub updated_at: Option<OffsetDateTime>,
    pub error_code: String,
    pub error_message: String,
}

/// A rule's result in an account and Region:
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_AggregateComplianceByConfigRule.html>.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleResult {
    pub rule: String,
    pub account_id: String,
    pub region: String,
    /// `COMPLIANT`, `NON_COMPLIANT`, `NOT_APPLICABLE` or `INSUFFICIENT_DATA`.
    pub compliance: String,
    /// Resources that make it so, where AWS counts them.
    pub contributors: Option<i32>,
    /// Whether AWS stopped counting there:
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_ComplianceContributorCount.html>.
    pub capped: bool,
}

/// A conformance pack's verdict in an account and Region:
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_AggregateConformancePackCompliance.html>.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackResult {
    pub name: String,
    pub account_id: String,
    pub region: String,
    pub compliance: String,
    pub compliant_rules: i32,
    pub non_compliant_rules: i32,
    pub total_rules: i32,
}

/// What AWS Config noted on a resource that does not comply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Noted {
    pub resource_type: String,
    pub resource_id: String,
    /// Up to 256 characters of the rule's own words.
    pub annotation: Option<String>,
    pub recorded_at: Option<OffsetDateTime>,
    pub invoked_at: Option<OffsetDateTime>,
}

/// A rule's results, page by page.
#[derive(Debug)]
pub struct RuleResults<'a> {
    aggregator: &'a Aggregator,
    pages: Pages,
    ended: bool,
}

impl RuleResults<'_> {
    /// The next page, which may be empty; `None` after the last one.
    ///
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeAggregateComplianceByConfigRules.html>
    pub async fn next(&mut self) -> Result<Option<Vec<RuleResult>>, Failure> {
        if self.ended {
            return Ok(None);
        }
        let asked = self.aggregator.asked("config:DescribeAggregateComplianceByConfigRules");
        let call = self.aggregator.client.describe_aggregate_compliance_by_config_rules();
        let call = call.configuration_aggregator_name(&self.aggregator.name).set_next_token(self.pages.token());
        let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
        self.ended = !self.pages.turn(page.next_token, asked)?;
        let results = page.aggregate_compliance_by_config_rules.unwrap_or_default();
        Ok(Some(results.into_iter().map(rule_result).collect()))
    }
}

impl Aggregator {
    pub(super) fn new(client: aws_sdk_config::Client, role: Option<&RoleArn>, name: &str, region: &str) -> Self {
        let subject = format!("aggregator {name}, Region {region}");
        Self { client, role: role.cloned(), name: name.to_owned(), subject }
    }

    /// The role whose credentials are used; `None` for the program's own.
    pub fn role(&self) -> Option<&RoleArn> {
        self.role.as_ref()
    }

    fn asked(&self, action: &'static str) -> Asked<'_> {
        Asked { action, subject: &self.subject, role: self.role.as_ref() }
    }

    /// A failure of an answer that cannot be right.
    pub fn odd(&self, action: &'static str, what: &str) -> Failure {
        Failure::transient(self.asked(action), what)
    }

    /// Every source:
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationAggregatorSourcesStatus.html>.
    pub async fn sources(&self) -> Result<Vec<Source>, Failure> {
        let asked = self.asked("config:DescribeConfigurationAggregatorSourcesStatus");
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.describe_configuration_aggregator_sources_status();
            let call = call.configuration_aggregator_name(&self.name).set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            found.extend(page.aggregated_source_status_list.unwrap_or_default().into_iter().map(source));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// Every rule's result in every account and Region that has one.
    pub fn rules(&self) -> RuleResults<'_> {
        RuleResults { aggregator: self, pages: Pages::default(), ended: false }
    }

    /// Every conformance pack's verdict:
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeAggregateComplianceByConformancePacks.html>.
    pub async fn packs(&self) -> Result<Vec<PackResult>, Failure> {
        let asked = self.asked("config:DescribeAggregateComplianceByConformancePacks");
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.describe_aggregate_compliance_by_conformance_packs();
            let call = call.configuration_aggregator_name(&self.name).set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            let packs = page.aggregate_compliance_by_conformance_packs.unwrap_or_default();
            found.extend(packs.into_iter().map(pack_result));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// What AWS noted on each resource that fails under a rule in an account and Region:
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_GetAggregateComplianceDetailsByConfigRule.html>.
    pub async fn notes(&self, rule: &str, account_id: &str, region: &str) -> Result<Vec<Noted>, Failure> {
        let asked = self.asked("config:GetAggregateComplianceDetailsByConfigRule");
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.get_aggregate_compliance_details_by_config_rule();
            let call = call.configuration_aggregator_name(&self.name).config_rule_name(rule);
            let call = call.account_id(account_id).aws_region(region);
            let call = call.compliance_type(aws_sdk_config::types::ComplianceType::NonCompliant);
            let page = call.limit(100).set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| Failure::of_sdk(&error, asked))?;
            for one in page.aggregate_evaluation_results.unwrap_or_default() {
                let times = (one.result_recorded_time, one.config_rule_invoked_time);
                found.push(Noted::of(one.evaluation_result_identifier, one.annotation, times));
            }
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }
}

impl Noted {
    /// Of a resource, what was noted, and when it was recorded and the rule invoked.
    pub(super) fn of(
        identifier: Option<EvaluationResultIdentifier>,
        annotation: Option<String>,
        (recorded_at, invoked_at): (Option<DateTime>, Option<DateTime>),
    ) -> Self {
        let named = identifier.and_then(|it| it.evaluation_result_qualifier);
        let (resource_type, resource_id) = named.map(|it| (it.resource_type, it.resource_id)).unwrap_or_default();
        Self {
            resource_type: resource_type.unwrap_or_default(),
            resource_id: resource_id.unwrap_or_default(),
            annotation: annotation.filter(|text| !text.is_empty()),
            recorded_at: recorded_at.as_ref().and_then(moment),
            invoked_at: invoked_at.as_ref().and_then(moment),
        }
    }
}

fn source(one: aws_sdk_config::types::AggregatedSourceStatus) -> Source {
    Source {
        kind: one.source_type.as_ref().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        id: one.source_id.unwrap_or_default(),
        region: one.aws_region.unwrap_or_default(),
        status: one.last_update_status.as_ref().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        updated_at: one.last_update_time.as_ref().and_then(moment),
        error_code: one.last_error_code.unwrap_or_default(),
        error_message: one.last_error_message.unwrap_or_default(),
    }
}

fn rule_result(one: aws_sdk_config::types::AggregateComplianceByConfigRule) -> RuleResult {
    let (word, counted) = match one.compliance {
        Some(compliance) => (
            compliance.compliance_type.as_ref().map(|word| word.as_str().to_owned()),
            compliance.compliance_contributor_count,
        ),
        None => (None, None),
    };
    RuleResult {
        rule: one.config_rule_name.unwrap_or_default(),
        account_id: one.account_id.unwrap_or_default(),
        region: one.aws_region.unwrap_or_default(),
        compliance: word.unwrap_or_default(),
        contributors: counted.as_ref().map(|count| count.capped_count),
        capped: counted.is_some_and(|count| count.cap_exceeded),
    }
}

fn pack_result(one: aws_sdk_config::types::AggregateComplianceByConformancePack) -> PackResult {
    let compliance = one.compliance;
    let number = |of: fn(&aws_sdk_config::types::AggregateConformancePackCompliance) -> i32| {
        compliance.as_ref().map(of).unwrap_or_default()
    };
    PackResult {
        compliant_rules: number(|it| it.compliant_rule_count),
        non_compliant_rules: number(|it| it.non_compliant_rule_count),
        total_rules: number(|it| it.total_rule_count),
        compliance: compliance
            .as_ref()
            .and_then(|it| it.compliance_type.as_ref())
            .map(|word| word.as_str().to_owned())
            .unwrap_or_default(),
        name: one.conformance_pack_name.unwrap_or_default(),
        account_id: one.account_id.unwrap_or_default(),
        region: one.aws_region.unwrap_or_default(),
    }
}
