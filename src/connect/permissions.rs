//! Every permission that Auditfolio can need, in one list: the policies, the templates, the self-test and the page are made
//! of it. Pure.
//!
//! A feature that calls AWS has its line here. Which action an operation needs stands in the Service Authorization
//! Reference: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>.

use serde_json::{Value, json};

use super::setup::{self, Names, Setup};
use crate::secret::Reference;

/// Whose credentials a permission is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Holder {
    /// The credentials that Auditfolio itself runs with.
    Portal,
    /// The role that `--aws-role` names, in the account of the delivery bucket.
    Archive,
    /// The role that `--aws-organization-role` names.
    Organization,
    /// The role that `--aws-member-role` names, in each member account.
    Member,
    /// The role that `--aggregator-role` names, in the account of AWS Config's aggregator.
    Aggregator,
}

impl Holder {
    pub const ALL: [Self; 5] = [Self::Portal, Self::Archive, Self::Organization, Self::Member, Self::Aggregator];

    /// The word on the command line and in addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Archive => "archive",
            Self::Organization => "organization",
            Self::Member => "member",
            Self::Aggregator => "aggregator",
        }
    }

    /// The words for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Portal => "The portal’s own credentials",
            Self::Archive => "The log-archive role",
            Self::Organization => "The Organizations role",
            Self::Member => "The member role",
            Self::Aggregator => "The aggregator role",
        }
    }
}

/// Actions on resources that some credentials must be allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Permission {
    /// The name of its statement.
    pub sid: &'static str,
    pub holder: Holder,
    /// As IAM names them.
    pub actions: &'static [&'static str],
    pub resources: Vec<String>,
    pub condition: Option<Value>,
    /// What Auditfolio does with it.
    pub why: &'static str,
    /// `Err`: why these settings do not need it.
    pub needed: Result<(), &'static str>,
}

const NO_MEMBER: &str = "no --aws-member-role is set";

fn when(needed: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if needed { Ok(()) } else { Err(otherwise) }
}

/// Every permission, needed with these settings or not.
pub fn permissions(setup: &Setup, names: &Names) -> Vec<Permission> {
    let read = [delivery(setup, names), athena(setup, names), organization(setup), aggregator(setup)].concat();
    let read = [read, artifact(setup, names)].concat();
    [roles_and_secrets(setup, names), read].concat()
}

fn roles_and_secrets(setup: &Setup, names: &Names) -> Vec<Permission> {
    let aws = &setup.aws;
    let secrets = setup.all_secrets();
    let member = aws.member_role.as_ref().map(|pattern| pattern.written("*", &names.partition));
    let notes = when(aws.member_role.is_some(), NO_MEMBER)
        .and(when(setup.aggregator.aggregator.is_none(), "AWS’s notes come from the aggregator"));
    let texts = |found: Option<String>| found.into_iter().collect::<Vec<_>>();
    vec![
        Permission {
            sid: "ReadSecrets",
            holder: Holder::Portal,
            actions: &["secretsmanager:GetSecretValue"],
            needed: when(!secrets.is_empty(), "no setting refers to a secret"),
            resources: secrets.iter().map(|(_, secret)| secret_arn(secret, names)).collect(),
            condition: None,
            why: "reads the settings that are kept in Secrets Manager",
        },
        Permission {
            sid: "AssumeArchiveRole",
            holder: Holder::Portal,
            actions: &["sts:AssumeRole"],
            needed: when(aws.role.is_some(), "no --aws-role is set: the portal’s own credentials read the bucket"),
            resources: texts(aws.role.as_ref().map(ToString::to_string)),
            condition: None,
            why: "becomes the role that reads the delivery bucket",
        },
        Permission {
            sid: "AssumeOrganizationRole",
            holder: Holder::Portal,
            actions: &["sts:AssumeRole"],
            needed: when(
                (setup.organizations || setup.reads_artifact()) && aws.organization_role.is_some(),
                "no --aws-organization-role is set, or neither Organizations nor Artifact is read",
            ),
            resources: texts(aws.organization_role.as_ref().map(ToString::to_string)),
            condition: None,
            why: "becomes the role that reads Organizations",
        },
        Permission {
            sid: "AssumeMemberRole",
            holder: Holder::Portal,
            actions: &["sts:AssumeRole"],
            needed: when(member.is_some(), NO_MEMBER).and(when(
                setup.rule_definitions || notes.is_ok() || setup.reads_artifact(),
                "neither rule definitions nor Artifact are read, and AWS’s notes come from the aggregator",
            )),
            resources: texts(member),
            condition: None,
            why: "becomes the role in each member account that reads its rules and its agreements",
        },
        Permission {
            sid: "AssumeAggregatorRole",
            holder: Holder::Portal,
            actions: &["sts:AssumeRole"],
            needed: when(
                setup.aggregator.aggregator.is_some() && setup.aggregator.aggregator_role.is_some(),
                "no --aggregator-role is set, or no aggregator is read",
            ),
            resources: texts(setup.aggregator.aggregator_role.as_ref().map(ToString::to_string)),
            condition: None,
            why: "becomes the role that reads the aggregator",
        },
        Permission {
            sid: "ReadRules",
            holder: Holder::Member,
            actions: &["config:DescribeConfigRules"],
            needed: when(
                setup.rule_definitions && aws.member_role.is_some(),
                "rule definitions are not read, or no --aws-member-role is set",
            ),
            // The action knows no narrower resource when it asks for all rules.
            resources: vec!["*".to_owned()],
            condition: None,
            why: "reads what the account’s rules ask for",
        },
        Permission {
            sid: "ReadNotes",
            holder: Holder::Member,
            actions: &["config:GetComplianceDetailsByConfigRule"],
            needed: notes,
            resources: vec!["*".to_owned()],
            condition: None,
            why: "fetches AWS’s notes on what fails, where somebody asks for them",
        },
    ]
}

fn delivery(setup: &Setup, names: &Names) -> Vec<Permission> {
    const FOLDER: &str = "evidence is read from a folder";
    let holder = reader(setup);
    let (bucket, prefix) = setup.bucket().unwrap_or_default();
    let arn = format!("arn:{}:s3:::{bucket}", names.partition);
    let there = when(setup.bucket().is_some(), FOLDER);
    let keys = &setup.aws.kms_keys;
    vec![
        Permission {
            sid: "ListDeliveries",
            holder,
            actions: &["s3:ListBucket"],
            needed: there,
            resources: vec![arn.clone()],
            condition: Some(json!({ "StringLike": { "s3:prefix": setup::listed(prefix) } })),
            why: "finds what AWS Config has delivered",
        },
        Permission {
            sid: "ReadDeliveries",
            holder,
            actions: &["s3:GetObject"],
            needed: there,
            resources: setup::read(prefix).iter().map(|key| format!("{arn}/{key}")).collect(),
            condition: None,
            why: "reads what AWS Config has delivered",
        },
        Permission {
            sid: "DecryptDeliveries",
            holder,
            actions: &["kms:Decrypt"],
            needed: there
                .and(when(!keys.is_empty(), "no --aws-kms-keys are set: right unless the bucket uses SSE-KMS")),
            resources: keys.iter().map(ToString::to_string).collect(),
            condition: Some(
                json!({ "StringLike": { "kms:ViaService": format!("s3.{}.amazonaws.com", names.region) } }),
            ),
            why: "decrypts objects of the delivery bucket",
        },
    ]
}

fn athena(setup: &Setup, names: &Names) -> Vec<Permission> {
    let holder = reader(setup);
    let Names { partition, region, account, .. } = names;
    let asked = when(setup.athena_asked(), "the engine is not Athena");
    let results = names.results.as_ref();
    let named = asked.and(when(
        results.is_some(),
        "no --athena-output is set: right only for a workgroup that keeps its results itself",
    ));
    let (bucket, prefix) = results.map_or(("", ""), |(bucket, prefix)| (bucket, prefix));
    let glue = format!("arn:{partition}:glue:{region}:{account}");
    let (database, table) = (&setup.athena.database, &setup.athena.table);
    vec![
        Permission {
            sid: "AskAthena",
            holder,
            actions: &[
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
            ],
            needed: asked,
            resources: vec![format!("arn:{partition}:athena:{region}:{account}:workgroup/{}", setup.athena.workgroup)],
            condition: None,
            why: "asks Athena what changed",
        },
        Permission {
            sid: "SeeTable",
            holder,
            actions: &["glue:GetDatabase", "glue:GetTable"],
            needed: asked,
            resources: vec![
                format!("{glue}:catalog"),
                format!("{glue}:database/{database}"),
                format!("{glue}:table/{database}/{table}"),
            ],
            condition: None,
            why: "lets Athena see the table of snapshots",
        },
        Permission {
            sid: "FindResults",
            holder,
            actions: &["s3:GetBucketLocation"],
            needed: named,
            resources: vec![format!("arn:{partition}:s3:::{bucket}")],
            condition: None,
            why: "lets Athena find the bucket for its results",
        },
        Permission {
            sid: "KeepResults",
            holder,
            actions: &["s3:GetObject", "s3:PutObject"],
            needed: named,
            resources: vec![format!("arn:{partition}:s3:::{bucket}/{prefix}*")],
            condition: None,
            why: "lets Athena write its results, and reads them",
        },
    ]
}

fn organization(setup: &Setup) -> Vec<Permission> {
    let holder = if setup.aws.organization_role.is_some() { Holder::Organization } else { Holder::Portal };
    vec![Permission {
        sid: "ReadOrganization",
        holder,
        actions: &[
            "organizations:ListAccounts",
            "organizations:ListRoots",
            "organizations:ListOrganizationalUnitsForParent",
            "organizations:ListAccountsForParent",
            "organizations:ListParents",
            "organizations:ListTagsForResource",
        ],
        needed: when(setup.organizations, "Organizations is not read"),
        resources: vec!["*".to_owned()],
        condition: None,
        why: "reads the accounts, where they stand in the organisation, and their tags",
    }]
}

fn aggregator(setup: &Setup) -> Vec<Permission> {
    let asked = &setup.aggregator;
    let holder = if asked.aggregator_role.is_some() { Holder::Aggregator } else { Holder::Portal };
    vec![Permission {
        sid: "ReadAggregator",
        holder,
        actions: &[
            "config:DescribeConfigurationAggregatorSourcesStatus",
            "config:DescribeAggregateComplianceByConfigRules",
            "config:DescribeAggregateComplianceByConformancePacks",
            "config:GetAggregateComplianceDetailsByConfigRule",
        ],
        needed: when(asked.aggregator.is_some(), "no --aggregator is set"),
        // An aggregator's ARN ends in an id of AWS's own, and settings know its name.
        resources: vec!["*".to_owned()],
        condition: None,
        why: "reads what AWS Config’s aggregator says, to compare it with what was delivered",
    }]
}

/// Resource types of the actions: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsartifact.html>.
fn artifact(setup: &Setup, names: &Names) -> Vec<Permission> {
    const NOT_READ: &str = "no --artifact-every is set";
    let read = when(setup.reads_artifact(), NOT_READ);
    let region = &setup.artifact.settings.artifact_region;
    let reports = vec![format!("arn:{}:artifact:{region}::report/*", names.partition)];
    let permission = |sid, holder, actions, resources, why, needed| Permission {
        sid,
        holder,
        actions,
        resources,
        condition: None,
        why,
        needed,
    };
    let all = || vec!["*".to_owned()];
    vec![
        permission("ListReports", Holder::Portal, &["artifact:ListReports"], all(), "finds AWS’s reports", read),
        permission(
            "ReadReports",
            Holder::Portal,
            &["artifact:ListReportVersions", "artifact:GetReportMetadata"],
            reports.clone(),
            "reads which versions of a report there are, and of which days",
            read,
        ),
        permission(
            "FetchReports",
            Holder::Portal,
            &["artifact:GetTermForReport", "artifact:GetReport"],
            reports,
            "fetches a report’s terms, and the report for who has accepted them",
            read,
        ),
        permission(
            "ReadOwnAgreements",
            Holder::Portal,
            &["artifact:ListCustomerAgreements"],
            all(),
            "reads the agreements of the portal’s own account",
            read,
        ),
        permission(
            "ReadOrganizationAgreements",
            Holder::Organization,
            &["artifact:ListCustomerAgreements"],
            all(),
            "reads the agreements of the management account",
            read.and(when(setup.aws.organization_role.is_some(), "no --aws-organization-role is set")),
        ),
        permission(
            "ReadAgreements",
            Holder::Member,
            &["artifact:ListCustomerAgreements"],
            all(),
            "reads the account’s agreements with AWS",
            read.and(when(setup.aws.member_role.is_some(), NO_MEMBER)),
        ),
    ]
}

/// Who reads the delivery bucket and asks Athena.
pub fn reader(setup: &Setup) -> Holder {
    if setup.aws.role.is_some() { Holder::Archive } else { Holder::Portal }
}

/// Secrets Manager ends each ARN with six characters of its own.
fn secret_arn(secret: &Reference, names: &Names) -> String {
    if secret.id.starts_with("arn:") {
        return secret.id.clone();
    }
    let Names { partition, region, own_account, .. } = names;
    format!("arn:{partition}:secretsmanager:{region}:{own_account}:secret:{}-??????", secret.id)
}
