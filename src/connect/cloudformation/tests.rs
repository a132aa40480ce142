#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use clap::Parser as _;

use super::*;

#[derive(Debug, clap::Parser)]
struct Alone {
    #[command(flatten)]
    setup: Setup,
}

const ALL: [&str; 18] = [
    "--aws-role",
    "arn:aws:iam::111122223333:role/audit/Reader",
    "--organizations",
    "--aws-organization-role",
    "arn:aws:iam::444455556666:role/Lister",
    "--rule-definitions",
    "--aws-member-role",
    "Member-{account}",
    "--aws-external-id",
    "geheim",
    "--engine",
    "athena",
    "--athena-workgroup",
    "audit",
    "--aggregator",
    "organization",
    "--aggregator-role",
    "arn:aws:iam::777788889999:role/Aggregator",
];

fn of(arguments: &[&str], holder: Holder) -> Result<Value, String> {
    let setup = Alone::parse_from(["aws", "--from", "s3://acme"].iter().chain(arguments)).setup;
    template(&setup, holder)
}

/// The names that a template refers to.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("Ref", Value::String(name)) => found.push(name.clone()),
                    ("Fn::GetAtt", Value::Array(parts)) => found.push(parts[0].as_str().unwrap().to_owned()),
                    ("Fn::Sub", Value::String(text)) => {
                        let names = text.split("${").skip(1).map(|rest| rest.split('}').next().unwrap());
                        found.extend(names.map(|name| name.trim_end_matches(".Arn").to_owned()));
                    }
                    _ => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::String(text) => assert!(!text.contains("${"), "nobody fills in {text}"),
        _ => {}
    }
}

#[test]
fn a_template_refers_only_to_what_it_has_and_holds_no_secret() {
    for holder in Holder::ALL {
        let template = of(&ALL, holder).unwrap();
        let mut found = Vec::new();
        references(&template, &mut found);
        for name in found {
            let there = ["Parameters", "Resources"].iter().any(|part| template[part].get(&name).is_some());
            let pseudo = ["AWS::Partition", "AWS::Region", "AWS::AccountId"].contains(&name.as_str());
            assert!(there || pseudo, "{holder:?} refers to {name}");
        }
        assert!(!template.to_string().contains("geheim"));
    }
}

#[test]
fn a_member_role_trusts_the_portal_with_the_external_id_and_reads_rules_only() {
    let template = of(&ALL, Holder::Member).unwrap();
    let role = &template["Resources"]["Role"]["Properties"];
    assert_eq!((&role["Path"], &role["RoleName"]), (&json!("/"), &json!({ "Fn::Sub": "Member-${AWS::AccountId}" })));
    assert_eq!(
        role["AssumeRolePolicyDocument"]["Statement"],
        json!([{
            "Effect": "Allow",
            "Principal": { "AWS": { "Ref": "PortalRoleArn" } },
            "Action": ["sts:AssumeRole"],
            "Condition": { "StringEquals": { "sts:ExternalId": { "Ref": "ExternalId" } } },
        }])
    );
    let policy =
        json!([{ "Sid": "ReadRules", "Effect": "Allow", "Action": ["config:DescribeConfigRules"], "Resource": ["*"] }]);
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"], policy);
    assert_eq!(template["Resources"].as_object().unwrap().len(), 1);
}

#[test]
fn the_role_that_reads_the_bucket_has_the_workgroup_and_the_statements_for_the_buckets_owner() {
    let template = of(&ALL, Holder::Archive).unwrap();
    let role = &template["Resources"]["Role"]["Properties"];
    assert_eq!((&role["Path"], &role["RoleName"]), (&json!("/audit/"), &json!("Reader")));
    let workgroup = &template["Resources"]["Workgroup"]["Properties"];
    let configuration = &workgroup["WorkGroupConfiguration"];
    assert_eq!(workgroup["Name"], "audit");
    assert_eq!(configuration["EnforceWorkGroupConfiguration"], true);
    assert_eq!(configuration["ResultConfiguration"]["OutputLocation"], json!({ "Fn::Sub": "s3://${AthenaResults}/" }));
    assert_eq!(template["Parameters"]["QueryLimitBytes"]["Default"], CUTOFF);
    let statements = template["Outputs"]["BucketPolicyStatements"]["Value"]["Fn::Sub"].as_str().unwrap();
    let statements: Value = serde_json::from_str(statements).unwrap();
    assert_eq!(statements[0]["Principal"], json!({ "AWS": "${Role.Arn}" }));
    assert_eq!(statements[0]["Sid"], "AuditfolioListDeliveries");
    assert_eq!(statements[1]["Resource"][0], "arn:${AWS::Partition}:s3:::acme/AWSLogs/*/Config/*");
    assert_eq!(of(&ALL, Holder::Portal).unwrap()["Resources"].get("Workgroup"), None);
}

#[test]
fn a_place_for_results_that_is_there_is_not_made() {
    let arguments = [&ALL[..], &["--athena-output", "s3://results/x", "--athena-limit-bytes", "1"]].concat();
    let template = of(&arguments, Holder::Archive).unwrap();
    assert_eq!(template["Resources"].get("AthenaResults"), None);
    let location = &template["Resources"]["Workgroup"]["Properties"]["WorkGroupConfiguration"]["ResultConfiguration"];
    assert_eq!(location["OutputLocation"], "s3://results/x/");
    assert_eq!(template["Parameters"]["QueryLimitBytes"]["Default"], LEAST_CUTOFF);
}

#[test]
fn the_portal_is_a_service_of_aws_or_somebody_who_is_there() {
    let template = of(&[], Holder::Portal).unwrap();
    let trust = &template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Principal"]["Fn::If"][0], "ByService");
    assert_eq!(template["Resources"]["InstanceProfile"]["Condition"], "OnInstance");
    let conditions = template["Conditions"].as_object().unwrap();
    assert_eq!(conditions.keys().collect::<Vec<_>>(), ["ByService", "InPod", "OnInstance"]);
}

#[test]
fn what_the_settings_do_not_have_is_no_template() {
    for (arguments, holder, why) in [
        (&[][..], Holder::Archive, "no --aws-role is set"),
        (&[], Holder::Member, "no --aws-member-role is set"),
        (&["--aws-member-role", "R", "--aggregator", "a"], Holder::Member, "needs nothing"),
        (&["--engine", "athena"], Holder::Portal, "name another with --athena-workgroup"),
        (&["--athena-output", "s3://a/*/"], Holder::Portal, "cannot stand in a policy"),
    ] {
        let error = of(arguments, holder).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
