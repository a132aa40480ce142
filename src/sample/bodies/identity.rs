//! IAM: users, roles, groups and policies.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Body, Setting, moment, relation};
use crate::sample::random::Random;

const PEOPLE: [&str; 12] =
    ["amara", "bjorn", "chiara", "deniz", "elena", "farid", "grace", "hugo", "ines", "jun", "katya", "liam"];
const SERVICES: [&str; 10] =
    ["s3", "ec2", "dynamodb", "kms", "logs", "sqs", "sns", "secretsmanager", "lambda", "cloudwatch"];

pub(super) fn describe(resource_type: &str, setting: &Setting<'_>, random: &mut Random) -> Body {
    match resource_type {
        "AWS::IAM::User" => user(setting, random),
        "AWS::IAM::Role" => role(setting, random),
        "AWS::IAM::Group" => group(setting, random),
        _ => policy(setting, random),
    }
}

fn arn(setting: &Setting<'_>, rest: &str) -> String {
    format!("arn:aws:iam::{}:{rest}", setting.account_id)
}

/// A policy document as AWS Config records it: URL-encoded JSON.
fn document(statements: u32, random: &mut Random) -> String {
    let statements: Vec<Value> = (0..statements)
        .map(|number| {
            let service = *random.pick(&SERVICES);
            json!({
                "Sid": format!("Statement{number}"), "Effect": "Allow",
                "Action": [format!("{service}:Get*"), format!("{service}:List*"), format!("{service}:Describe*")],
                "Resource": format!("arn:aws:{service}:*:*:{}/*", random.lower(12)),
            })
        })
        .collect();
    encoded(&json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn encoded(document: &Value) -> String {
    let mut text = String::new();
    for byte in document.to_string().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'*') {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    text
}

fn user(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("AIDA{}", random.upper(17));
    let name = format!("{}.{}{}", random.pick(&PEOPLE), random.lower(4), setting.number);
    let arn = arn(setting, &format!("user/{name}"));
    let policies = if random.chance(250_000) {
        json!([{ "policyName": "inline", "policyDocument": document(random.between(1, 4), random) }])
    } else {
        json!([])
    };
    let configuration = json!({
        "path": "/", "userName": name, "userId": id, "arn": arn, "createDate": moment(setting.created),
        "userPolicyList": policies, "groupList": ["developers"], "permissionsBoundary": null, "tags": [],
        "attachedManagedPolicies":
            [{ "policyName": "ReadOnlyAccess", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess" }],
    });
    let mut body = setting.body(id, Some(name), arn, configuration, random);
    body.relationships =
        json!([relation("AWS::IAM::Group", &format!("AGPA{}", random.upper(17)), "Is attached to Group")]);
    body
}

fn role(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("AROA{}", random.upper(17));
    let name = format!("{}-role", setting.name(random));
    let arn = arn(setting, &format!("role/{name}"));
    let service = *random.pick(&["lambda", "ec2", "ecs-tasks", "states", "codebuild"]);
    let trust = encoded(&json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": format!("{service}.amazonaws.com") },
            "Action": "sts:AssumeRole" }],
    }));
    // A few roles carry inline policies of many statements.
    let most = if random.chance(200_000) { 40 } else { 6 };
    let configuration = json!({
        "path": "/service-role/", "roleName": name, "roleId": id, "arn": arn, "createDate": moment(setting.created),
        "assumeRolePolicyDocument": trust, "instanceProfileList": [], "permissionsBoundary": null, "tags": [],
        "rolePolicyList": [{ "policyName": "inline", "policyDocument": document(random.between(1, most), random) }],
        "attachedManagedPolicies": [{ "policyName": "AWSLambdaBasicExecutionRole",
            "policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole" }],
        "roleLastUsed": { "lastUsedDate": setting.changed(), "region": setting.region },
    });
    setting.body(id, Some(name), arn, configuration, random)
}

fn group(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("AGPA{}", random.upper(17));
    let name = setting.name(random);
    let arn = arn(setting, &format!("group/{name}"));
    let configuration = json!({
        "path": "/", "groupName": name, "groupId": id, "arn": arn, "createDate": moment(setting.created),
        "groupPolicyList": [], "attachedManagedPolicies":
            [{ "policyName": "PowerUserAccess", "policyArn": "arn:aws:iam::aws:policy/PowerUserAccess" }],
    });
    setting.body(id, Some(name), arn, configuration, random)
}

fn policy(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("ANPA{}", random.upper(17));
    let name = format!("{}-policy", setting.name(random));
    let arn = arn(setting, &format!("policy/{name}"));
    let version = format!("v{}", setting.revision + 1);
    let configuration = json!({
        "policyName": name, "policyId": id, "arn": arn, "path": "/", "defaultVersionId": version,
        "attachmentCount": random.below(6), "permissionsBoundaryUsageCount": 0, "isAttachable": true, "description": null,
        "createDate": moment(setting.created), "updateDate": setting.changed(),
        "policyVersionList": [{ "document": document(random.between(2, 12), random), "versionId": version,
            "isDefaultVersion": true, "createDate": setting.changed() }],
    });
    setting.body(id, Some(name), arn, configuration, random)
}
