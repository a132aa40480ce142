//! Templates of `CloudFormation`, in JSON: the roles, and where Athena is asked what it needs. Pure.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/introduction.html>

use serde_json::{Map, Value, json};

use super::permissions::{Holder, Permission, permissions, reader};
use super::policy::{policy, statement};
use super::setup::{Names, Setup};

/// The template's name of the bucket that it makes for Athena's results.
pub(super) const RESULTS: &str = "AthenaResults";
/// The role's name in each template.
const ROLE: &str = "Role";
/// What one query may scan unless a setting says otherwise: a terabyte.
const CUTOFF: u64 = 1_000_000_000_000;
/// Athena's own least cut-off: <https://docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html>.
const LEAST_CUTOFF: u64 = 10_000_000;
/// Days after which results are of no use: what was read is in the store.
const RESULT_DAYS: u8 = 30;

/// The template that makes a role, with everything that these settings let it use.
///
/// # Errors
///
/// These settings have no such role, or ask for something that a template cannot make; in words for a person.
pub fn template(setup: &Setup, holder: Holder) -> Result<Value, String> {
    setup.check()?;
    let names = Names::in_template(setup);
    let policy = policy(setup, &names, holder);
    let mut made = Parts::default();
    made.role(setup, holder, policy)?;
    if reader(setup) == holder {
        made.bucket_access(setup, &names);
        if setup.athena_asked() {
            made.athena(setup, &names)?;
        }
    }
    Ok(made.template(&description(setup, holder)))
}

fn description(setup: &Setup, holder: Holder) -> String {
    match holder {
        Holder::Portal => {
            "Auditfolio: the role that it runs as. Make this stack in the account where Auditfolio runs.".to_owned()
        }
        Holder::Archive => format!(
            "Auditfolio: the role that reads the delivery bucket. Make this stack in account {}.",
            setup.aws.role.as_ref().map_or("?", |role| role.account_id())
        ),
        Holder::Organization => format!(
            "Auditfolio: the role that reads AWS Organizations. Make this stack in account {}.",
            setup.aws.organization_role.as_ref().map_or("?", |role| role.account_id())
        ),
        Holder::Aggregator => format!(
            "Auditfolio: the role that reads AWS Config's aggregator. Make this stack in account {}.",
            setup.aggregator.aggregator_role.as_ref().map_or("?", |role| role.account_id())
        ),
        Holder::Member => "Auditfolio: the role that reads an account's rules and agreements. Make this a stack set with service-managed \
                           permissions for the whole organisation, in one Region: roles are the same in all. Stack sets \
                           leave the management account out: it needs a stack of its own."
            .to_owned(),
    }
}

/// What a template is made of.
#[derive(Debug, Default)]
struct Parts {
    parameters: Map<String, Value>,
    conditions: Map<String, Value>,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

impl Parts {
    fn template(self, description: &str) -> Value {
        let mut template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": description,
            "Parameters": self.parameters,
            "Resources": self.resources,
            "Outputs": self.outputs,
        });
        if !self.conditions.is_empty() {
            template["Conditions"] = Value::Object(self.conditions);
        }
        template
    }

    fn role(&mut self, setup: &Setup, holder: Holder, policy: Option<Value>) -> Result<(), String> {
        let (place, trust) = match holder {
            Holder::Portal => (None, self.workload_trust()),
            Holder::Archive => {
                let role =
                    setup.aws.role.as_ref().ok_or("no --aws-role is set: the portal's own role reads the bucket")?;
                (Some(owned(role.path_and_name())), self.portal_trust(setup))
            }
            Holder::Organization => {
                let role = setup.aws.organization_role.as_ref();
                let role =
                    role.ok_or("no --aws-organization-role is set: the portal's own role reads Organizations")?;
                (Some(owned(role.path_and_name())), self.portal_trust(setup))
            }
            Holder::Aggregator => {
                let role = setup.aggregator.aggregator_role.as_ref();
                let role = role.ok_or("no --aggregator-role is set: the portal's own role reads the aggregator")?;
                (Some(owned(role.path_and_name())), self.portal_trust(setup))
            }
            Holder::Member => {
                let pattern = setup.aws.member_role.as_ref().ok_or("no --aws-member-role is set")?;
                (Some(pattern.path_and_name("${AWS::AccountId}")), self.portal_trust(setup))
            }
        };
        let mut properties = json!({
            "Description": "Used by Auditfolio",
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trust] },
        });
        if let Some((path, name)) = place {
            properties["Path"] = substituted(path.into());
            properties["RoleName"] = substituted(name.into());
        }
        match policy {
            Some(policy) => {
                properties["Policies"] = json!([{ "PolicyName": "Auditfolio", "PolicyDocument": substituted(policy) }]);
            }
            None if holder == Holder::Portal => {}
            None => return Err(format!("with these settings the {} role needs nothing", holder.word())),
        }
        self.resources.insert(ROLE.to_owned(), json!({ "Type": "AWS::IAM::Role", "Properties": properties }));
        self.output("RoleArn", "The role", &json!({ "Fn::GetAtt": [ROLE, "Arn"] }));
        Ok(())
    }

    fn output(&mut self, name: &str, description: &str, value: &Value) {
        self.outputs.insert(name.to_owned(), json!({ "Description": description, "Value": value }));
    }

    /// Who may be the portal: a service of AWS that runs it, or a role or user that is there already.
    fn workload_trust(&mut self) -> Value {
        self.parameters.insert(
            "WorkloadService".to_owned(),
            json!({
                "Type": "String",
                "Default": "ec2.amazonaws.com",
                "AllowedValues": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com"],
                "Description": "What runs Auditfolio: an EC2 instance, an ECS task or an EKS pod",
            }),
        );
        self.parameters.insert(
            "WorkloadPrincipalArn".to_owned(),
            json!({
                "Type": "String",
                "Default": "",
                "AllowedPattern": "^$|^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$",
                "Description": "Instead of a service: ARN of the role or user that assumes this role",
            }),
        );
        let service = |name: &str| json!({ "Fn::Equals": [{ "Ref": "WorkloadService" }, name] });
        let by_service = json!({ "Fn::Equals": [{ "Ref": "WorkloadPrincipalArn" }, ""] });
        self.conditions.insert("ByService".to_owned(), by_service.clone());
        self.conditions
            .insert("OnInstance".to_owned(), json!({ "Fn::And": [by_service.clone(), service("ec2.amazonaws.com")] }));
        self.conditions
            .insert("InPod".to_owned(), json!({ "Fn::And": [by_service, service("pods.eks.amazonaws.com")] }));
        self.resources.insert(
            "InstanceProfile".to_owned(),
            json!({
                "Type": "AWS::IAM::InstanceProfile",
                "Condition": "OnInstance",
                "Properties": { "Roles": [{ "Ref": ROLE }] },
            }),
        );
        self.outputs.insert(
            "InstanceProfileName".to_owned(),
            json!({
                "Condition": "OnInstance",
                "Description": "For the EC2 instance",
                "Value": { "Ref": "InstanceProfile" },
            }),
        );
        json!({
            "Effect": "Allow",
            "Principal": { "Fn::If": [
                "ByService",
                { "Service": { "Ref": "WorkloadService" } },
                { "AWS": { "Ref": "WorkloadPrincipalArn" } },
            ] },
            // EKS names the pod in the session's tags.
            "Action": { "Fn::If": ["InPod", ["sts:AssumeRole", "sts:TagSession"], ["sts:AssumeRole"]] },
        })
    }

    /// Only the portal's role, and only with the external id where one is set.
    fn portal_trust(&mut self, setup: &Setup) -> Value {
        self.parameters.insert(
            "PortalRoleArn".to_owned(),
            json!({
                "Type": "String",
                "AllowedPattern": "^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$",
                "Description": "ARN of the role that Auditfolio runs as: RoleArn of the portal's stack",
            }),
        );
        let mut trust = json!({
            "Effect": "Allow",
            "Principal": { "AWS": { "Ref": "PortalRoleArn" } },
            "Action": ["sts:AssumeRole"],
        });
        if setup.aws.external_id.is_some() {
            self.parameters.insert(
                "ExternalId".to_owned(),
                json!({
                    "Type": "String",
                    "NoEcho": true,
                    "MinLength": 2,
                    "Description": "The value of AUDITFOLIO_AWS_EXTERNAL_ID",
                }),
            );
            trust["Condition"] = json!({ "StringEquals": { "sts:ExternalId": { "Ref": "ExternalId" } } });
        }
        trust
    }

    /// Where the bucket, or its key, is another account's, the owner must allow the role too: these are the statements.
    fn bucket_access(&mut self, setup: &Setup, names: &Names) {
        let found = permissions(setup, names);
        let statements = |sids: &[&str], on: Option<&str>| -> Vec<Value> {
            let ours = found.iter().filter(|it| sids.contains(&it.sid) && it.needed.is_ok());
            ours.map(|permission| of_owner(permission, on)).collect()
        };
        let bucket = statements(&["ListDeliveries", "ReadDeliveries"], None);
        // In a key's policy, the resource is the key itself.
        let key = statements(&["DecryptDeliveries"], Some("*"));
        let outputs = [
            ("BucketPolicyStatements", "For the bucket's policy, if another account owns the bucket", bucket),
            ("KeyPolicyStatements", "For the key's policy, if another account owns the key", key),
        ];
        for (name, description, statements) in outputs {
            if !statements.is_empty() {
                self.output(name, description, &substituted(Value::Array(statements).to_string().into()));
            }
        }
    }

    /// A workgroup whose settings are enforced, a database for the table, and a bucket for the results where none is set.
    fn athena(&mut self, setup: &Setup, names: &Names) -> Result<(), String> {
        let workgroup = setup.athena.workgroup.as_ref();
        if workgroup == "primary" {
            return Err("every account has the workgroup primary, so no template can make it: name another with \
                        --athena-workgroup, e.g. auditfolio"
                .to_owned());
        }
        if setup.athena.output.is_none() {
            self.results_bucket();
        }
        let (bucket, prefix) = names.results.clone().unwrap_or_default();
        let cutoff = setup.athena.limit_bytes.unwrap_or(CUTOFF).max(LEAST_CUTOFF);
        self.parameters.insert(
            "QueryLimitBytes".to_owned(),
            json!({
                "Type": "Number",
                "Default": cutoff,
                "MinValue": LEAST_CUTOFF,
                "Description": "Bytes that one query may scan before Athena ends it",
            }),
        );
        self.resources.insert(
            "Workgroup".to_owned(),
            json!({
                "Type": "AWS::Athena::WorkGroup",
                "Properties": {
                    "Name": workgroup,
                    "Description": "Auditfolio's queries of AWS Config's snapshots",
                    "State": "ENABLED",
                    "WorkGroupConfiguration": {
                        "EnforceWorkGroupConfiguration": true,
                        "PublishCloudWatchMetricsEnabled": true,
                        "BytesScannedCutoffPerQuery": { "Ref": "QueryLimitBytes" },
                        "EngineVersion": { "SelectedEngineVersion": "Athena engine version 3" },
                        "ResultConfiguration": {
                            "OutputLocation": substituted(format!("s3://{bucket}/{prefix}").into()),
                            "EncryptionConfiguration": { "EncryptionOption": "SSE_S3" },
                        },
                    },
                },
            }),
        );
        self.resources.insert(
            "Database".to_owned(),
            json!({
                "Type": "AWS::Glue::Database",
                "Properties": {
                    "CatalogId": { "Ref": "AWS::AccountId" },
                    "DatabaseInput": {
                        "Name": setup.athena.database.as_ref(),
                        "Description": "AWS Config's snapshots, for Auditfolio",
                    },
                },
            }),
        );
        Ok(())
    }

    fn results_bucket(&mut self) {
        self.resources.insert(
            RESULTS.to_owned(),
            json!({
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                        { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
                    ] },
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": true,
                        "BlockPublicPolicy": true,
                        "IgnorePublicAcls": true,
                        "RestrictPublicBuckets": true,
                    },
                    "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
                    "LifecycleConfiguration": { "Rules": [
                        { "Id": "results", "Status": "Enabled", "ExpirationInDays": RESULT_DAYS },
                    ] },
                },
            }),
        );
        self.output(
            "AthenaOutput",
            "The setting AUDITFOLIO_ATHENA_OUTPUT, for the policy and the self-test",
            &substituted(format!("s3://${{{RESULTS}}}/").into()),
        );
    }
}

fn owned((path, name): (&str, &str)) -> (String, String) {
    (path.to_owned(), name.to_owned())
}

/// A statement as the owner of a resource writes it: it says who may.
fn of_owner(permission: &Permission, resource: Option<&str>) -> Value {
    let mut found = statement(permission);
    found["Sid"] = format!("Auditfolio{}", permission.sid).into();
    found["Principal"] = json!({ "AWS": format!("${{{ROLE}.Arn}}") });
    if let Some(resource) = resource {
        found["Resource"] = resource.into();
    }
    found
}

/// Lets `CloudFormation` fill in what texts leave to it.
fn substituted(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("${") => json!({ "Fn::Sub": text }),
        Value::Array(values) => values.into_iter().map(substituted).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, substituted(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
