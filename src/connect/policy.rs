//! Policies in IAM's JSON: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>. Pure.

use serde_json::{Value, json};

use super::permissions::{Holder, Permission, permissions};
use super::setup::{Names, Setup};

/// The policy of some credentials: what these settings need and nothing more. `None`: they need nothing.
pub fn policy(setup: &Setup, names: &Names, holder: Holder) -> Option<Value> {
    let statements: Vec<Value> = permissions(setup, names)
        .iter()
        .filter(|permission| permission.holder == holder && permission.needed.is_ok())
        .map(statement)
        .collect();
    (!statements.is_empty()).then(|| json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// One statement of a policy.
pub(super) fn statement(permission: &Permission) -> Value {
    let mut statement = json!({
        "Sid": permission.sid,
        "Effect": "Allow",
        "Action": permission.actions,
        "Resource": permission.resources,
    });
    if let Some(condition) = &permission.condition {
        statement["Condition"] = condition.clone();
    }
    statement
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Alone {
        #[command(flatten)]
        setup: Setup,
    }

    fn of(arguments: &[&str], holder: Holder) -> Option<Value> {
        let setup = Alone::parse_from(["aws", "--from", "s3://acme/o-abc"].iter().chain(arguments)).setup;
        policy(&setup, &Names::known(&setup), holder)
    }

    fn allow(sid: &str, actions: &[&str], resources: &[&str]) -> Value {
        json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
    }

    fn whole(statements: &[Value]) -> Value {
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    fn list() -> Value {
        let mut list = allow("ListDeliveries", &["s3:ListBucket"], &["arn:aws:s3:::acme"]);
        list["Condition"] =
            json!({ "StringLike": { "s3:prefix": ["o-abc/", "o-abc/AWSLogs/*", "o-abc/*/AWSLogs/*"] } });
        list
    }

    fn read() -> Value {
        let keys = ["arn:aws:s3:::acme/o-abc/AWSLogs/*/Config/*", "arn:aws:s3:::acme/o-abc/*/AWSLogs/*/Config/*"];
        allow("ReadDeliveries", &["s3:GetObject"], &keys)
    }

    #[test]
    fn a_bucket_alone_is_listed_and_read_and_nothing_else() {
        assert_eq!(of(&[], Holder::Portal), Some(whole(&[list(), read()])));
        for holder in [Holder::Archive, Holder::Organization, Holder::Member] {
            assert_eq!(of(&[], holder), None);
        }
    }

    #[test]
    fn a_role_takes_over_what_it_is_there_for() {
        let arguments = [
            "--aws-role",
            "arn:aws:iam::111122223333:role/Reader",
            "--aws-kms-keys",
            "arn:aws:kms:eu-west-1:111122223333:key/k",
            "--aws-region",
            "eu-west-1",
            "--organizations",
            "--rule-definitions",
            "--aws-member-role",
            "audit/Member",
            "--aws-external-id",
            "secretsmanager:external",
        ];
        let mut decrypt = allow("DecryptDeliveries", &["kms:Decrypt"], &["arn:aws:kms:eu-west-1:111122223333:key/k"]);
        decrypt["Condition"] = json!({ "StringLike": { "kms:ViaService": "s3.eu-west-1.amazonaws.com" } });
        assert_eq!(of(&arguments, Holder::Archive), Some(whole(&[list(), read(), decrypt])));
        let assume = |sid, arn| allow(sid, &["sts:AssumeRole"], &[arn]);
        let secret = "arn:aws:secretsmanager:eu-west-1:*:secret:external-??????";
        let organizations = [
            "organizations:ListAccounts",
            "organizations:ListRoots",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListAccountsForParent",
            "organizations:ListParents",
            "organizations:ListTagsForResource",
        ];
        assert_eq!(
            of(&arguments, Holder::Portal),
            Some(whole(&[
                allow("ReadSecrets", &["secretsmanager:GetSecretValue"], &[secret]),
                assume("AssumeArchiveRole", "arn:aws:iam::111122223333:role/Reader"),
                assume("AssumeMemberRole", "arn:aws:iam::*:role/audit/Member"),
                allow("ReadOrganization", &organizations, &["*"]),
            ]))
        );
        assert_eq!(
            of(&arguments, Holder::Member),
            Some(whole(&[
                allow("ReadRules", &["config:DescribeConfigRules"], &["*"]),
                allow("ReadNotes", &["config:GetComplianceDetailsByConfigRule"], &["*"]),
            ]))
        );
    }

    #[test]
    fn athena_is_allowed_its_workgroup_its_table_and_its_results() {
        let arguments = [
            "--engine",
            "athena",
            "--athena-workgroup",
            "audit",
            "--athena-output",
            "s3://results/x",
            "--aws-region",
            "us-gov-west-1",
        ];
        let found = of(&arguments, Holder::Portal);
        let statements = found.as_ref().and_then(|policy| policy["Statement"].as_array()).expect("a policy");
        let resources: Vec<&Value> = statements.iter().skip(2).map(|statement| &statement["Resource"]).collect();
        assert_eq!(
            resources,
            [
                &json!(["arn:aws-us-gov:athena:us-gov-west-1:*:workgroup/audit"]),
                &json!([
                    "arn:aws-us-gov:glue:us-gov-west-1:*:catalog",
                    "arn:aws-us-gov:glue:us-gov-west-1:*:database/auditfolio",
                    "arn:aws-us-gov:glue:us-gov-west-1:*:table/auditfolio/config_snapshots",
                ]),
                &json!(["arn:aws-us-gov:s3:::results"]),
                &json!(["arn:aws-us-gov:s3:::results/x/*"]),
            ]
        );
    }

    #[test]
    fn reading_artifact_is_allowed_what_it_asks_and_nothing_that_accepts_an_agreement() {
        let arguments = [
            "--artifact-every",
            "1d",
            "--aws-region",
            "eu-west-1",
            "--aws-member-role",
            "Member",
            "--aggregator",
            "all",
        ];
        let portal = of(&arguments, Holder::Portal).expect("a policy").to_string();
        for action in ["ListReports", "ListReportVersions", "GetReportMetadata", "GetTermForReport", "GetReport"] {
            assert!(portal.contains(&format!("\"artifact:{action}\"")), "{action}: {portal}");
        }
        assert!(portal.contains("arn:aws:artifact:us-east-1::report/*"), "{portal}");
        assert!(portal.contains("\"AssumeMemberRole\""), "{portal}");
        let agreements = allow("ReadAgreements", &["artifact:ListCustomerAgreements"], &["*"]);
        assert_eq!(of(&arguments, Holder::Member), Some(whole(&[agreements])));
    }

    #[test]
    fn evidence_in_a_folder_needs_nothing_of_aws() {
        let setup = Alone::parse_from(["aws", "--from", "/evidence", "--engine", "athena"]).setup;
        assert_eq!(policy(&setup, &Names::known(&setup), Holder::Portal), None);
    }
}
