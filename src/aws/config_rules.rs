//! AWS Config's rules as an account in a Region has them.

use super::config_aggregator::Noted;
use super::failure::{Asked, Failure};
use super::paging::Pages;
use super::role::RoleArn;

/// AWS Config in one Region as some credentials see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ConfigRules {
    client: aws_sdk_config::Client,
    role: Option<RoleArn>,
}

/// A rule: <https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigRule.html>. What AWS leaves out is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigRule {
    pub name: String,
    pub arn: String,
    pub id: String,
    pub description: String,
    /// `AWS`, `CUSTOM_LAMBDA` or `CUSTOM_POLICY`.
    pub owner: String,
    /// A managed rule's identifier, or a function's ARN.
    pub source_identifier: String,
    /// What lets a custom rule run.
    pub source_details: Vec<SourceDetail>,
    /// JSON, as the rule was given it.
    pub input_parameters: Option<String>,
    pub scope: Option<RuleScope>,
    /// `One_Hour` … `TwentyFour_Hours`.
    pub frequency: Option<String>,
    pub state: String,
    /// The service that made a service-linked rule.
    pub created_by: String,
    /// `DETECTIVE`, `PROACTIVE`.
    pub modes: Vec<String>,
}

/// Which resources let a rule run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleScope {
    pub resource_types: Vec<String>,
    pub resource_id: Option<String>,
    pub tag_key: Option<String>,
    pub tag_value: Option<String>,
}

/// One event that lets a custom rule run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct SourceDetail {
    pub event_source: String,
    pub message_type: String,
    pub frequency: String,
}

impl ConfigRules {
    pub(super) fn new(client: aws_sdk_config::Client, role: Option<&RoleArn>) -> Self {
        Self { client, role: role.cloned() }
    }

    /// How many rules there are on the first page: one call. `place` names the account and the Region in messages.
    pub async fn first_page(&self, place: &str) -> Result<usize, Failure> {
        let asked = Asked { action: "config:DescribeConfigRules", subject: place, role: self.role.as_ref() };
        let page = self.client.describe_config_rules().send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
        Ok(page.config_rules.unwrap_or_default().len())
    }

    /// Every rule. `place` names the account and the Region in messages.
    ///
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigRules.html>
    pub async fn rules(&self, place: &str) -> Result<Vec<ConfigRule>, Failure> {
        let asked = Asked { action: "config:DescribeConfigRules", subject: place, role: self.role.as_ref() };
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.describe_config_rules().set_next_token(pages.token());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            found.extend(page.config_rules.unwrap_or_default().into_iter().map(rule));
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }

    /// What AWS noted on each resource that fails under a rule. `place` names the account and the Region in messages.
    ///
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_GetComplianceDetailsByConfigRule.html>
    pub async fn notes(&self, rule: &str, place: &str) -> Result<Vec<Noted>, Failure> {
        let action = "config:GetComplianceDetailsByConfigRule";
        let asked = Asked { action, subject: place, role: self.role.as_ref() };
        let (mut pages, mut found) = (Pages::default(), Vec::new());
        loop {
            let call = self.client.get_compliance_details_by_config_rule().config_rule_name(rule);
            let call = call.compliance_types(aws_sdk_config::types::ComplianceType::NonCompliant).limit(100);
            let page = call.set_next_token(pages.token()).send().await;
            let page = page.map_err(|error| Failure::of_sdk(&error, asked))?;
            for one in page.evaluation_results.unwrap_or_default() {
                let times = (one.result_recorded_time, one.config_rule_invoked_time);
                found.push(Noted::of(one.evaluation_result_identifier, one.annotation, times));
            }
            if !pages.turn(page.next_token, asked)? {
                return Ok(found);
            }
        }
    }
}

fn rule(rule: aws_sdk_config::types::ConfigRule) -> ConfigRule {
    let source = rule.source;
    ConfigRule {
        name: rule.config_rule_name.unwrap_or_default(),
        arn: rule.config_rule_arn.unwrap_or_default(),
        id: rule.config_rule_id.unwrap_or_default(),
        description: rule.description.unwrap_or_default(),
        owner: source.as_ref().map(|source| source.owner.as_str().to_owned()).unwrap_or_default(),
        source_identifier: source.as_ref().and_then(|it| it.source_identifier.clone()).unwrap_or_default(),
        source_details: source
            .iter()
            .flat_map(aws_sdk_config::types::Source::source_details)
            .map(source_detail)
            .collect(),
        input_parameters: rule.input_parameters,
        scope: rule.scope.map(|scope| RuleScope {
            resource_types: scope.compliance_resource_types.unwrap_or_default(),
            resource_id: scope.compliance_resource_id,
            tag_key: scope.tag_key,
            tag_value: scope.tag_value,
        }),
        frequency: rule.maximum_execution_frequency.as_ref().map(|it| it.as_str().to_owned()),
        state: rule.config_rule_state.as_ref().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        created_by: rule.created_by.unwrap_or_default(),
        modes: rule
            .evaluation_modes
            .unwrap_or_default()
            .iter()
            .filter_map(|mode| mode.mode.as_ref().map(|mode| mode.as_str().to_owned()))
            .collect(),
    }
}

fn source_detail(detail: &aws_sdk_config::types::SourceDetail) -> SourceDetail {
    SourceDetail {
        event_source: detail.event_source().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        message_type: detail.message_type().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        frequency: detail.maximum_execution_frequency().map(|it| it.as_str().to_owned()).unwrap_or_default(),
    }
}
