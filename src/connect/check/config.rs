//! What is tried of AWS Config and Artifact: rules and agreements through a member account's role, and the aggregator.

use super::super::permissions::Holder;
use super::super::setup::Setup;
use super::artifact::agreements;
use super::report::Report;
use super::run::{becomes, noted};
use crate::aws::{Clients, Kind};

/// Reads the rules of one member account.
pub(super) async fn member(setup: &Setup, clients: &Clients, account_id: Option<&str>, report: &mut Report) {
    if !report.needs("AssumeMemberRole") {
        return;
    }
    let Some(account_id) = account_id else {
        report.block_all(
            &["AssumeMemberRole", "ReadRules", "ReadNotes", "ReadAgreements"],
            "no member account was found to try it in: name one with --account",
        );
        return;
    };
    match clients.member(account_id).await {
        Ok(Some(member)) => {
            if becomes(&member, "AssumeMemberRole", Holder::Member, report).await {
                rules(&member, account_id, report).await;
                agreements(setup, &member, account_id, report).await;
            }
        }
        Ok(None) => {}
        Err(why) => report.broken("AssumeMemberRole", "sts:AssumeRole", format!("{why}.")),
    }
}

/// A name that no rule has: AWS decides whether a call is allowed before it looks for the rule.
const NO_RULE: &str = "auditfolio-self-test";

/// Reads a little of the rules of an account.
async fn rules(member: &Clients, account_id: &str, report: &mut Report) {
    const RULES: (&str, &str) = ("ReadRules", "config:DescribeConfigRules");
    const NOTES: (&str, &str) = ("ReadNotes", "config:GetComplianceDetailsByConfigRule");
    let place = format!("account {account_id}, Region {}", member.region());
    let aws = member.config_rules();
    if report.needs(RULES.0) {
        match aws.first_page(&place).await {
            Ok(rules) => {
                report.works(RULES.0, RULES.1, format!("{place} has {rules} rules on the first page."));
            }
            Err(failure) => report.failed(RULES.0, RULES.1, &failure),
        }
    }
    if report.needs(NOTES.0) {
        match aws.notes(NO_RULE, &place).await {
            Err(failure) if failure.kind != Kind::NotFound => report.failed(NOTES.0, NOTES.1, &failure),
            Ok(_) | Err(_) => report.works(NOTES.0, NOTES.1, "AWS answered."),
        }
    }
}

/// Reads a little of the aggregator.
pub(super) async fn aggregator(setup: &Setup, clients: &Clients, report: &mut Report) {
    const SID: &str = "ReadAggregator";
    const DETAILS: &str = "config:GetAggregateComplianceDetailsByConfigRule";
    let settings = &setup.aggregator;
    let Some(name) = settings.aggregator.as_ref().filter(|_| report.needs(SID)) else { return };
    let region = settings.aggregator_region.clone().unwrap_or_else(|| clients.region().to_owned());
    let clients = clients.of_aggregator(settings.aggregator_role.as_ref(), &region).await;
    if !becomes(&clients, "AssumeAggregatorRole", Holder::Aggregator, report).await {
        return;
    }
    let aws = clients.aggregator(name);
    noted(report, SID, "config:DescribeConfigurationAggregatorSourcesStatus", aws.sources().await);
    noted(report, SID, "config:DescribeAggregateComplianceByConformancePacks", aws.packs().await);
    let action = "config:DescribeAggregateComplianceByConfigRules";
    let results = noted(report, SID, action, aws.rules().next().await).flatten().unwrap_or_default();
    match results.first() {
        Some(one) => {
            noted(report, SID, DETAILS, aws.notes(&one.rule, &one.account_id, &one.region).await);
        }
        None => report.block(SID, "the aggregator named no rule to try it on"),
    }
}
