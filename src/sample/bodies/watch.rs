//! Trails, alarms, log groups, topics, queues, keys and secrets.

use serde_json::json;

use super::{Body, Setting, moment};
use crate::sample::random::Random;

pub(super) fn describe(resource_type: &str, setting: &Setting<'_>, random: &mut Random) -> Body {
    match resource_type {
        "AWS::CloudTrail::Trail" => trail(setting, random),
        "AWS::CloudWatch::Alarm" => {
            let name = setting.name(random);
            alarm(name, setting, random)
        }
        "AWS::Logs::LogGroup" => log_group(setting, random),
        "AWS::SNS::Topic" => topic(setting, random),
        "AWS::SQS::Queue" => queue(setting, random),
        "AWS::KMS::Key" => key(setting, random),
        _ => secret(setting, random),
    }
}

fn trail(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = format!("{}-trail-{}", setting.slug, setting.number);
    let arn = setting.arn("cloudtrail", &format!("trail/{name}"));
    let configuration = json!({
        "name": name, "s3BucketName": format!("{}-trail", setting.slug), "s3KeyPrefix": null, "snsTopicName": null,
        "snsTopicARN": null, "includeGlobalServiceEvents": true, "isMultiRegionTrail": true, "homeRegion": setting.region,
        "trailARN": arn, "logFileValidationEnabled": setting.is_sound(), "isOrganizationTrail": true,
        "cloudWatchLogsLogGroupArn": setting.arn("logs", "log-group:cloudtrail:*"),
        "cloudWatchLogsRoleArn": format!("arn:aws:iam::{}:role/cloudtrail-to-logs", setting.account_id),
        "kmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())), "hasCustomEventSelectors": false,
        "hasInsightSelectors": false,
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}

pub(super) fn alarm(name: String, setting: &Setting<'_>, random: &mut Random) -> Body {
    let arn = setting.arn("cloudwatch", &format!("alarm:{name}"));
    let configuration = json!({
        "alarmName": name, "alarmArn": arn, "alarmDescription": "Set up by the platform team",
        "alarmConfigurationUpdatedTimestamp": setting.changed(), "actionsEnabled": setting.is_sound(),
        "oKActions": [], "alarmActions": [setting.arn("sns", "alerts")], "insufficientDataActions": [],
        "stateValue": "OK", "stateReason": "Threshold not crossed", "stateUpdatedTimestamp": setting.changed(),
        "metricName": random.pick(&["CPUUtilization", "Errors", "Latency", "FreeStorageSpace"]), "namespace": "AWS/EC2",
        "statistic": "Average", "dimensions": [{ "name": "InstanceId", "value": format!("i-0{}", random.hex(16)) }],
        "period": 300, "evaluationPeriods": 3, "threshold": 80, "comparisonOperator": "GreaterThanThreshold", "metrics": [],
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}

fn log_group(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = format!("/aws/lambda/{}", setting.name(random));
    let arn = setting.arn("logs", &format!("log-group:{name}:*"));
    let configuration = json!({
        "LogGroupName": name, "Arn": arn, "RetentionInDays": if setting.is_sound() { json!(365) } else { json!(null) },
        "KmsKeyId": null, "LogGroupClass": "STANDARD", "Tags": [],
    });
    setting.body(name.clone(), Some(name), arn, configuration, random)
}

fn topic(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("sns", &name);
    let policy = json!({ "Version": "2008-10-17", "Id": "owner", "Statement": [{ "Effect": "Allow",
        "Principal": { "AWS": "*" }, "Action": ["SNS:Publish", "SNS:Subscribe"], "Resource": arn,
        "Condition": { "StringEquals": { "AWS:SourceOwner": setting.account_id } } }] });
    let configuration = json!({
        "TopicArn": arn, "DisplayName": "", "Owner": setting.account_id, "SubscriptionsConfirmed": random.below(5),
        "SubscriptionsPending": 0, "SubscriptionsDeleted": 0, "Policy": policy.to_string(),
        "KmsMasterKeyId": if setting.is_sound() { json!("alias/aws/sns") } else { json!(null) },
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}

fn queue(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("sqs", &name);
    let id = format!("https://sqs.{}.amazonaws.com/{}/{name}", setting.region, setting.account_id);
    let configuration = json!({
        "QueueArn": arn, "VisibilityTimeout": 30, "DelaySeconds": 0, "MaximumMessageSize": 262_144,
        "MessageRetentionPeriod": 345_600, "ReceiveMessageWaitTimeSeconds": 0, "SqsManagedSseEnabled": setting.is_sound(),
        "RedrivePolicy": { "deadLetterTargetArn": format!("{arn}-dead"), "maxReceiveCount": 5 },
    });
    setting.body(id, Some(name), arn, configuration, random)
}

fn key(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = random.uuid();
    let arn = setting.arn("kms", &format!("key/{id}"));
    let configuration = json!({
        "awsaccountId": setting.account_id, "keyId": id, "arn": arn, "creationDate": moment(setting.created), "enabled": true,
        "description": format!("{} data key", setting.slug), "keyUsage": "ENCRYPT_DECRYPT", "keyState": "Enabled",
        "origin": "AWS_KMS", "keyManager": "CUSTOMER", "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "multiRegion": false,
        "encryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "signingAlgorithms": [],
    });
    let policy = json!({ "Version": "2012-10-17", "Id": "key-default-1", "Statement": [{ "Sid": "Enable IAM policies",
        "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{}:root", setting.account_id) }, "Action": "kms:*",
        "Resource": "*" }] });
    let mut body = setting.body(id, None, arn, configuration, random);
    body.supplementary = json!({ "KeyRotationStatus": setting.is_sound(), "Policy": policy.to_string(),
        "Aliases": [{ "aliasName": format!("alias/{}-{}", setting.slug, setting.number) }], "Tags": [] });
    body
}

fn secret(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = format!("{}/{}", setting.slug, setting.name(random));
    let arn = setting.arn("secretsmanager", &format!("secret:{name}-{}", random.lower(6)));
    let configuration = json!({
        "Id": arn, "Name": name, "Description": "rotated by Lambda", "KmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())),
        "RotationEnabled": setting.is_sound(), "RotationRules": { "AutomaticallyAfterDays": 30 },
        "CreatedDate": moment(setting.created), "Tags": [],
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}
