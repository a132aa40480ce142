//! The AWS rules in use in the sample and the ways in which they were deployed.

/// A rule as AWS names it.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) name: &'static str,
    /// Resource types that it evaluates, with blanks between.
    types: &'static str,
    /// How it is deployed: `d` directly, `n` in the organisation's NIST pack, `s` by Security Hub, `t` by
    /// Control Tower, `p` in the PCI pack of the accounts that have it. Each letter is a rule of its own.
    pub(super) forms: &'static str,
}

impl Core {
    pub(super) fn evaluates(&self, resource_type: &str) -> bool {
        self.types.split(' ').any(|name| name == resource_type)
    }

    /// Whether the incident of the story breaks it.
    pub(super) fn breaks_in_incident(&self) -> bool {
        const BROKEN: [&str; 8] = [
            "s3-bucket-level-public-access-prohibited",
            "s3-bucket-logging-enabled",
            "s3-bucket-public-read-prohibited",
            "s3-bucket-ssl-requests-only",
            "restricted-common-ports",
            "restricted-ssh",
            "vpc-sg-open-only-to-authorized-ports",
            "vpc-sg-port-restriction-check",
        ];
        BROKEN.contains(&self.name)
    }
}

const fn core(name: &'static str, types: &'static str, forms: &'static str) -> Core {
    Core { name, types, forms }
}

const ACCOUNT: &str = "AWS::::Account";
const ALARM: &str = "AWS::CloudWatch::Alarm";
const BUCKET: &str = "AWS::S3::Bucket";
const BUILD: &str = "AWS::CodeBuild::Project";
const CACHE: &str = "AWS::ElastiCache::ReplicationGroup";
const CERTIFICATE: &str = "AWS::ACM::Certificate";
const CLUSTER: &str = "AWS::EKS::Cluster";
const DATABASE: &str = "AWS::RDS::DBInstance";
const DATABASE_CLUSTER: &str = "AWS::RDS::DBCluster";
const DOMAIN: &str = "AWS::OpenSearch::Domain";
const FILE_SYSTEM: &str = "AWS::EFS::FileSystem";
const FUNCTION: &str = "AWS::Lambda::Function";
const GROUP: &str = "AWS::IAM::Group";
const INSTANCE: &str = "AWS::EC2::Instance";
const KEY: &str = "AWS::KMS::Key";
const LOAD_BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const LOG_GROUP: &str = "AWS::Logs::LogGroup";
const NOTEBOOK: &str = "AWS::SageMaker::NotebookInstance";
const POLICY: &str = "AWS::IAM::Policy";
const QUEUE: &str = "AWS::SQS::Queue";
const REPOSITORY: &str = "AWS::ECR::Repository";
const ROLE: &str = "AWS::IAM::Role";
const SCALING_GROUP: &str = "AWS::AutoScaling::AutoScalingGroup";
const SECRET: &str = "AWS::SecretsManager::Secret";
const SECURITY_GROUP: &str = "AWS::EC2::SecurityGroup";
const STAGE: &str = "AWS::ApiGateway::Stage";
const SUBNET: &str = "AWS::EC2::Subnet";
const TABLE: &str = "AWS::DynamoDB::Table";
const TASK: &str = "AWS::ECS::TaskDefinition";
const TOPIC: &str = "AWS::SNS::Topic";
const TRAIL: &str = "AWS::CloudTrail::Trail";
const USER: &str = "AWS::IAM::User";
const VOLUME: &str = "AWS::EC2::Volume";
const VPC: &str = "AWS::EC2::VPC";
const WAREHOUSE: &str = "AWS::Redshift::Cluster";

/// Resource types of a place, the commonest first; a place takes as many as it has resources, over and over.
/// Types of `HOME_ONLY` are in the first Region alone.
pub(super) const RECIPE: [&str; 47] = [
    BUCKET,
    SECURITY_GROUP,
    ACCOUNT,
    INSTANCE,
    USER,
    FUNCTION,
    DATABASE,
    ROLE,
    VOLUME,
    BUCKET,
    KEY,
    VPC,
    SECURITY_GROUP,
    LOG_GROUP,
    TRAIL,
    TABLE,
    POLICY,
    SECRET,
    TOPIC,
    INSTANCE,
    LOAD_BALANCER,
    BUCKET,
    SUBNET,
    USER,
    CERTIFICATE,
    QUEUE,
    DATABASE_CLUSTER,
    FILE_SYSTEM,
    TASK,
    SECURITY_GROUP,
    VOLUME,
    ALARM,
    FUNCTION,
    REPOSITORY,
    SCALING_GROUP,
    CLUSTER,
    ROLE,
    BUCKET,
    DOMAIN,
    GROUP,
    STAGE,
    INSTANCE,
    BUILD,
    CACHE,
    WAREHOUSE,
    NOTEBOOK,
    ROLE,
];

/// Whether a type is delivered with the account's first Region alone: there is one of it in the account.
pub(super) fn home_only(resource_type: &str) -> bool {
    resource_type == ACCOUNT || resource_type == TRAIL || is_global(resource_type)
}

/// Whether AWS writes "global" in `awsRegion`.
pub(super) fn is_global(resource_type: &str) -> bool {
    resource_type.starts_with("AWS::IAM::")
}

/// All rules of the sample. A test compares the names with the rule data.
#[rustfmt::skip]
pub(super) const CORES: &[Core] = &[
    core("s3-bucket-level-public-access-prohibited", BUCKET, "np"),
    core("s3-bucket-public-read-prohibited", BUCKET, "t"),
    core("s3-bucket-public-write-prohibited", BUCKET, "t"),
    core("s3-bucket-ssl-requests-only", BUCKET, "n"),
    core("s3-bucket-server-side-encryption-enabled", BUCKET, "np"),
    core("s3-bucket-versioning-enabled", BUCKET, "n"),
    core("s3-bucket-logging-enabled", BUCKET, "s"),
    core("s3-lifecycle-policy-check", BUCKET, "s"),
    core("s3-bucket-replication-enabled", BUCKET, "n"),
    core("required-tags", "AWS::S3::Bucket AWS::EC2::Instance AWS::RDS::DBInstance AWS::Lambda::Function", "d"),
    core("restricted-ssh", SECURITY_GROUP, "tp"),
    core("restricted-common-ports", SECURITY_GROUP, "n"),
    core("vpc-sg-open-only-to-authorized-ports", SECURITY_GROUP, "s"),
    core("vpc-sg-port-restriction-check", SECURITY_GROUP, "s"),
    core("vpc-default-security-group-closed", SECURITY_GROUP, "np"),
    core("ec2-security-group-attached-to-eni", SECURITY_GROUP, "d"),
    core("ec2-imdsv2-check", INSTANCE, "ns"),
    core("ec2-instance-no-public-ip", INSTANCE, "n"),
    core("ec2-instance-managed-by-systems-manager", INSTANCE, "n"),
    core("ec2-instances-in-vpc", INSTANCE, "n"),
    core("ec2-stopped-instance", INSTANCE, "s"),
    core("ec2-instance-profile-attached", INSTANCE, "d"),
    core("ec2-instance-detailed-monitoring-enabled", INSTANCE, "p"),
    core("ebs-optimized-instance", INSTANCE, "t"),
    core("encrypted-volumes", VOLUME, "tn"),
    core("ec2-volume-inuse-check", VOLUME, "t"),
    core("ebs-in-backup-plan", VOLUME, "d"),
    core("ebs-resources-protected-by-backup-plan", VOLUME, "s"),
    core("iam-user-mfa-enabled", USER, "np"),
    core("iam-user-no-policies-check", USER, "n"),
    core("iam-user-unused-credentials-check", USER, "s"),
    core("iam-user-group-membership-check", USER, "d"),
    core("mfa-enabled-for-iam-console-access", USER, "t"),
    core("access-keys-rotated", USER, "s"),
    core("iam-no-inline-policy-check", "AWS::IAM::User AWS::IAM::Role AWS::IAM::Group", "n"),
    core("iam-inline-policy-blocked-kms-actions", "AWS::IAM::Role", "s"),
    core("iam-policy-blacklisted-check", "AWS::IAM::Role AWS::IAM::User", "d"),
    core("iam-group-has-users-check", GROUP, "n"),
    core("iam-policy-no-statements-with-admin-access", POLICY, "np"),
    core("iam-policy-no-statements-with-full-access", POLICY, "s"),
    core("iam-customer-policy-blocked-kms-actions", POLICY, "s"),
    core("iam-policy-in-use", POLICY, "p"),
    core("iam-password-policy", ACCOUNT, "np"),
    core("iam-root-access-key-check", ACCOUNT, "n"),
    core("root-account-mfa-enabled", ACCOUNT, "t"),
    core("root-account-hardware-mfa-enabled", ACCOUNT, "s"),
    core("multi-region-cloudtrail-enabled", ACCOUNT, "n"),
    core("cloudtrail-enabled", ACCOUNT, "p"),
    core("account-part-of-organizations", ACCOUNT, "d"),
    core("security-account-information-provided", ACCOUNT, "s"),
    core("s3-account-level-public-access-blocks-periodic", ACCOUNT, "n"),
    core("guardduty-enabled-centralized", ACCOUNT, "n"),
    core("securityhub-enabled", ACCOUNT, "n"),
    core("ec2-ebs-encryption-by-default", ACCOUNT, "s"),
    core("macie-status-check", ACCOUNT, "s"),
    core("cloud-trail-encryption-enabled", TRAIL, "n"),
    core("cloud-trail-log-file-validation-enabled", TRAIL, "n"),
    core("cloud-trail-cloud-watch-logs-enabled", TRAIL, "s"),
    core("rds-instance-public-access-check", DATABASE, "t"),
    core("rds-storage-encrypted", DATABASE, "np"),
    core("rds-multi-az-support", DATABASE, "n"),
    core("rds-logging-enabled", DATABASE, "s"),
    core("rds-instance-deletion-protection-enabled", DATABASE, "n"),
    core("rds-automatic-minor-version-upgrade-enabled", DATABASE, "s"),
    core("rds-enhanced-monitoring-enabled", DATABASE, "n"),
    core("db-instance-backup-enabled", DATABASE, "d"),
    core("rds-instance-iam-authentication-enabled", DATABASE, "p"),
    core("rds-cluster-deletion-protection-enabled", DATABASE_CLUSTER, "s"),
    core("rds-cluster-iam-authentication-enabled", DATABASE_CLUSTER, "s"),
    core("rds-cluster-multi-az-enabled", DATABASE_CLUSTER, "n"),
    core("rds-cluster-encrypted-at-rest", DATABASE_CLUSTER, "d"),
    core("aurora-resources-protected-by-backup-plan", DATABASE_CLUSTER, "n"),
    core("lambda-function-public-access-prohibited", FUNCTION, "np"),
    core("lambda-inside-vpc", FUNCTION, "n"),
    core("lambda-function-settings-check", FUNCTION, "s"),
    core("lambda-dlq-check", FUNCTION, "d"),
    core("lambda-function-xray-enabled", FUNCTION, "s"),
    core("dynamodb-pitr-enabled", TABLE, "ns"),
    core("dynamodb-autoscaling-enabled", TABLE, "n"),
    core("dynamodb-table-deletion-protection-enabled", TABLE, "s"),
    core("dynamodb-table-encrypted-kms", TABLE, "d"),
    core("cmk-backing-key-rotation-enabled", KEY, "s"),
    core("kms-cmk-not-scheduled-for-deletion", KEY, "n"),
    core("kms-key-policy-no-public-access", KEY, "s"),
    core("cw-loggroup-retention-period-check", LOG_GROUP, "sp"),
    core("cloudwatch-log-group-encrypted", LOG_GROUP, "d"),
    core("vpc-flow-logs-enabled", VPC, "ns"),
    core("service-vpc-endpoint-enabled", VPC, "s"),
    core("subnet-auto-assign-public-ip-disabled", SUBNET, "ns"),
    core("secretsmanager-rotation-enabled-check", SECRET, "n"),
    core("secretsmanager-scheduled-rotation-success-check", SECRET, "s"),
    core("secretsmanager-secret-unused", SECRET, "p"),
    core("secretsmanager-using-cmk", SECRET, "n"),
    core("sns-encrypted-kms", TOPIC, "n"),
    core("sns-topic-no-public-access", TOPIC, "s"),
    core("sqs-queue-no-public-access", QUEUE, "s"),
    core("alb-http-to-https-redirection-check", LOAD_BALANCER, "n"),
    core("alb-http-drop-invalid-header-enabled", LOAD_BALANCER, "s"),
    core("alb-waf-enabled", LOAD_BALANCER, "n"),
    core("elb-deletion-protection-enabled", LOAD_BALANCER, "s"),
    core("elb-logging-enabled", LOAD_BALANCER, "n"),
    core("elbv2-multiple-az", LOAD_BALANCER, "s"),
    core("acm-certificate-expiration-check", CERTIFICATE, "ns"),
    core("acm-certificate-rsa-check", CERTIFICATE, "p"),
    core("efs-encrypted-check", FILE_SYSTEM, "n"),
    core("efs-in-backup-plan", FILE_SYSTEM, "s"),
    core("ecs-task-definition-user-for-host-mode-check", TASK, "n"),
    core("ecs-containers-nonprivileged", TASK, "s"),
    core("ecs-no-environment-secrets", TASK, "s"),
    core("ecs-task-definition-log-configuration", TASK, "d"),
    core("cloudwatch-alarm-action-check", ALARM, "sp"),
    core("cloudwatch-alarm-action-enabled-check", ALARM, "s"),
    core("ecr-private-image-scanning-enabled", REPOSITORY, "s"),
    core("ecr-private-tag-immutability-enabled", REPOSITORY, "s"),
    core("ecr-private-lifecycle-policy-configured", REPOSITORY, "d"),
    core("autoscaling-group-elb-healthcheck-required", SCALING_GROUP, "n"),
    core("autoscaling-multiple-az", SCALING_GROUP, "s"),
    core("autoscaling-launch-template", SCALING_GROUP, "s"),
    core("eks-endpoint-no-public-access", CLUSTER, "sp"),
    core("eks-cluster-supported-version", CLUSTER, "s"),
    core("eks-secrets-encrypted", CLUSTER, "d"),
    core("opensearch-encrypted-at-rest", DOMAIN, "n"),
    core("opensearch-in-vpc-only", DOMAIN, "n"),
    core("opensearch-https-required", DOMAIN, "s"),
    core("opensearch-logs-to-cloudwatch", DOMAIN, "s"),
    core("api-gw-execution-logging-enabled", STAGE, "n"),
    core("api-gw-ssl-enabled", STAGE, "n"),
    core("api-gw-xray-enabled", STAGE, "s"),
    core("api-gw-associated-with-waf", STAGE, "s"),
    core("codebuild-project-envvar-awscred-check", BUILD, "ns"),
    core("codebuild-project-logging-enabled", BUILD, "s"),
    core("elasticache-redis-cluster-automatic-backup-check", CACHE, "n"),
    core("elasticache-repl-grp-encrypted-at-rest", CACHE, "s"),
    core("elasticache-repl-grp-encrypted-in-transit", CACHE, "s"),
    core("redshift-cluster-public-access-check", WAREHOUSE, "ns"),
    core("redshift-cluster-kms-enabled", WAREHOUSE, "n"),
    core("redshift-require-tls-ssl", WAREHOUSE, "s"),
    core("sagemaker-notebook-no-direct-internet-access", NOTEBOOK, "n"),
    core("sagemaker-notebook-instance-root-access-check", NOTEBOOK, "s"),
];

/// `number` of the rules, spread evenly over the list; all where it is 0 or more than there are.
pub(super) fn in_use(number: u32) -> Vec<&'static Core> {
    let all = CORES.len();
    let number = usize::try_from(number).unwrap_or(all);
    if number == 0 || number >= all {
        return CORES.iter().collect();
    }
    (0..number).map(|index| &CORES[index * all / number]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_rule_is_listed_twice_and_each_evaluates_something_of_the_recipe() {
        let names: BTreeSet<&str> = CORES.iter().map(|core| core.name).collect();
        assert_eq!(names.len(), CORES.len());
        for core in CORES {
            assert!(RECIPE.iter().any(|name| core.evaluates(name)), "{}", core.name);
            assert!(!core.forms.is_empty() && core.forms.chars().all(|form| "dnstp".contains(form)), "{}", core.name);
        }
        for name in RECIPE {
            assert!(CORES.iter().any(|core| core.evaluates(name)), "{name}");
        }
    }

    #[test]
    fn every_name_is_in_the_rule_data() {
        let known: BTreeSet<&str> =
            include_str!("../compliance/rules.csv").lines().filter_map(|line| line.split(',').nth(1)).collect();
        let unknown: Vec<&str> = CORES.iter().map(|core| core.name).filter(|name| !known.contains(name)).collect();
        assert_eq!(unknown, [""; 0]);
    }

    #[test]
    fn a_smaller_number_of_rules_is_spread_over_the_list() {
        assert_eq!(in_use(0).len(), CORES.len());
        assert_eq!(in_use(10_000).len(), CORES.len());
        let some: BTreeSet<&str> = in_use(7).iter().map(|core| core.name).collect();
        assert_eq!(some.len(), 7);
    }
}
