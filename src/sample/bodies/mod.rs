//! What AWS Config records of ordinary resources: their ids and the large `configuration` bodies.

mod compute;
mod data;
mod identity;
mod network;
mod watch;

use serde_json::{Map, Value, json};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use super::random::Random;

/// Where a resource is and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) account_id: &'a str,
    /// The account's name in letters that every AWS name may have.
    pub(super) slug: &'a str,
    pub(super) region: &'a str,
    pub(super) created: OffsetDateTime,
    /// How often the resource was changed since it was first seen.
    pub(super) revision: u32,
    /// Position among the place's resources; makes names different.
    pub(super) number: usize,
}

/// A resource as AWS Config describes it.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) arn: String,
    pub(super) zone: String,
    pub(super) configuration: Value,
    pub(super) supplementary: Value,
    pub(super) relationships: Value,
    pub(super) tags: Value,
}

/// The body of a resource. The same random stream gives the same resource, so that only the revision differs.
pub(super) fn describe(resource_type: &str, setting: &Setting<'_>, random: &mut Random) -> Body {
    let service = resource_type.split("::").nth(1).unwrap_or_default();
    match service {
        "IAM" => identity::describe(resource_type, setting, random),
        "EC2" if matches!(resource_type, "AWS::EC2::Instance" | "AWS::EC2::Volume") => {
            compute::describe(resource_type, setting, random)
        }
        "EC2" | "ElasticLoadBalancingV2" | "ApiGateway" | "ACM" => network::describe(resource_type, setting, random),
        "Lambda" | "ECS" | "EKS" | "AutoScaling" | "CodeBuild" | "ECR" | "SageMaker" => {
            compute::describe(resource_type, setting, random)
        }
        "CloudTrail" | "CloudWatch" | "Logs" | "SNS" | "SQS" | "KMS" | "SecretsManager" => {
            watch::describe(resource_type, setting, random)
        }
        _ => data::describe(resource_type, setting, random),
    }
}

/// The body of an alarm with a name of one's own: AWS takes every character there.
pub(super) fn describe_alarm(name: &str, setting: &Setting<'_>, random: &mut Random) -> Body {
    watch::alarm(name.to_owned(), setting, random)
}

const WORDS: [&str; 24] = [
    "invoices",
    "orders",
    "customers",
    "ledger",
    "uploads",
    "exports",
    "events",
    "sessions",
    "catalogue",
    "search",
    "gateway",
    "worker",
    "scheduler",
    "importer",
    "reports",
    "archive",
    "audit",
    "metrics",
    "assets",
    "backups",
    "mailer",
    "payments",
    "inventory",
    "documents",
];
const OWNERS: [&str; 8] =
    ["team-payments", "team-platform", "team-data", "team-web", "team-mobile", "team-security", "team-erp", "team-sre"];

impl Setting<'_> {
    /// A name that nothing else in the place has.
    fn name(&self, random: &mut Random) -> String {
        let word = *random.pick(&WORDS);
        format!("{}-{word}-{}{}", self.slug, self.number, random.lower(3))
    }

    /// Whether the resource is set up as rules want it: every other change undoes that.
    fn is_sound(&self) -> bool {
        self.revision.is_multiple_of(2)
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account_id)
    }

    fn zone(&self, random: &mut Random) -> String {
        format!("{}{}", self.region, random.pick(&["a", "b", "c"]))
    }

    /// When the resource was last changed, in the form that most services use.
    fn changed(&self) -> String {
        moment(self.created + Duration::hours(i64::from(self.revision) * 31))
    }

    fn tags(&self, random: &mut Random) -> Value {
        let mut tags = Map::new();
        let environment = if self.slug.ends_with("staging") { "staging" } else { "production" };
        tags.insert("Environment".to_owned(), json!(environment));
        tags.insert("CostCentre".to_owned(), json!(format!("CC-{}", random.between(1000, 1040))));
        if random.chance(800_000) {
            tags.insert("Owner".to_owned(), json!(random.pick(&OWNERS)));
        }
        if random.chance(450_000) {
            tags.insert("aws:cloudformation:stack-name".to_owned(), json!(format!("{}-base", self.slug)));
            let stack = format!("stack/{}-base/{}", self.slug, random.uuid());
            tags.insert("aws:cloudformation:stack-id".to_owned(), json!(self.arn("cloudformation", &stack)));
        }
        if self.revision > 0 {
            tags.insert(
                "ChangeTicket".to_owned(),
                json!(format!("CHG{:06}", self.revision * 17 + random.below(90_000))),
            );
        }
        Value::Object(tags)
    }

    /// The parts that most resources share.
    fn body(&self, id: String, name: Option<String>, arn: String, configuration: Value, random: &mut Random) -> Body {
        Body {
            id,
            name,
            arn,
            zone: "Not Applicable".to_owned(),
            configuration,
            supplementary: json!({}),
            relationships: json!([]),
            tags: self.tags(random),
        }
    }
}

/// `2026-11-21T04:12:09.331Z`
pub(super) fn moment(at: OffsetDateTime) -> String {
    at.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
        .expect("a time of this century can be written")
}

fn relation(resource_type: &str, id: &str, name: &str) -> Value {
    json!({ "resourceId": id, "resourceName": null, "resourceType": resource_type, "name": name })
}
