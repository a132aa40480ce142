//! Buckets, databases, tables, file systems, caches and warehouses.

use serde_json::{Value, json};

use super::{Body, Setting, moment, relation};
use crate::sample::random::Random;

pub(super) fn describe(resource_type: &str, setting: &Setting<'_>, random: &mut Random) -> Body {
    match resource_type {
        "AWS::S3::Bucket" => bucket(setting, random),
        "AWS::RDS::DBInstance" => database(setting, random),
        "AWS::RDS::DBCluster" => database_cluster(setting, random),
        "AWS::DynamoDB::Table" => table(setting, random),
        "AWS::EFS::FileSystem" => file_system(setting, random),
        "AWS::OpenSearch::Domain" => domain(setting, random),
        "AWS::ElastiCache::ReplicationGroup" => cache(setting, random),
        _ => warehouse(setting, random),
    }
}

fn bucket(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = format!("{}-{}", setting.name(random), setting.region);
    let arn = format!("arn:aws:s3:::{name}");
    let closed = setting.is_sound();
    let owner = json!({ "displayName": null, "id": random.hex(64) });
    let configuration =
        json!({ "name": name, "owner": owner, "creationDate": moment(setting.created), "region": setting.region });
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Sid": "OnlyTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")], "Condition": { "Bool": { "aws:SecureTransport": "false" } } }],
    });
    let rules: Vec<Value> = (0..random.between(1, 7))
        .map(|number| {
            json!({
                "id": format!("rule-{number}"), "prefix": null, "status": "Enabled", "expirationInDays": 30 * (number + 1),
                "filter": { "predicate": { "type": "LifecyclePrefixPredicate", "prefix": format!("{}/", random.lower(8)) } },
                "transitions": [{ "days": 30, "date": null, "storageClass": "STANDARD_IA" }],
                "noncurrentVersionExpirationInDays": 90, "abortIncompleteMultipartUpload": { "daysAfterInitiation": 7 },
            })
        })
        .collect();
    let mut body = setting.body(name.clone(), Some(name), arn, configuration, random);
    "Regional".clone_into(&mut body.zone);
    body.supplementary = json!({
        "AccessControlList": format!("{{\"grantSet\":null,\"grantList\":[{{\"grantee\":{{\"id\":{}}},\"permission\":\"FullControl\"}}],\"owner\":{owner},\"isRequesterCharged\":false}}", owner["id"]),
        "BucketAccelerateConfiguration": { "status": null },
        "BucketLifecycleConfiguration": { "rules": rules },
        "BucketLoggingConfiguration": { "destinationBucketName": if closed { json!(format!("{}-access-logs", setting.slug)) } else { Value::Null },
            "logFilePrefix": "s3/" },
        "BucketNotificationConfiguration": { "configurations": {} },
        "BucketPolicy": { "policyText": policy.to_string() },
        "BucketVersioningConfiguration": { "status": "Enabled", "isMfaDeleteEnabled": null },
        "IsRequesterPaysEnabled": false,
        "PublicAccessBlockConfiguration": { "blockPublicAcls": closed, "ignorePublicAcls": closed,
            "blockPublicPolicy": closed, "restrictPublicBuckets": closed },
        "ServerSideEncryptionConfiguration": { "rules": [{ "applyServerSideEncryptionByDefault":
            { "sseAlgorithm": "aws:kms", "kmsMasterKeyID": setting.arn("kms", &format!("key/{}", random.uuid())) },
            "bucketKeyEnabled": true }] },
    });
    body
}

fn database(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("db-{}", random.upper(26));
    let name = setting.name(random);
    let arn = setting.arn("rds", &format!("db:{name}"));
    let group = format!("sg-0{}", random.hex(16));
    let zone = setting.zone(random);
    let subnets: Vec<Value> = (0..3)
        .map(|_| {
            json!({ "subnetIdentifier": format!("subnet-0{}", random.hex(16)), "subnetStatus": "Active",
                "subnetAvailabilityZone": { "name": setting.zone(random) }, "subnetOutpost": { "arn": null } })
        })
        .collect();
    let mut configuration = json!({
        "dBInstanceIdentifier": name, "dBInstanceClass": random.pick(&["db.t3.medium", "db.m6g.large", "db.r6g.xlarge"]),
        "engine": random.pick(&["postgres", "mysql"]), "dBInstanceStatus": "available", "masterUsername": "app",
        "dBName": random.pick(&["core", "orders", "main"]), "instanceCreateTime": moment(setting.created),
        "endpoint": { "address": format!("{name}.{}.{}.rds.amazonaws.com", random.lower(12), setting.region), "port": 5432,
            "hostedZoneId": format!("Z{}", random.upper(13)) },
        "allocatedStorage": random.pick(&[20, 100, 400]), "preferredBackupWindow": "02:10-02:40",
        "backupRetentionPeriod": if setting.is_sound() { 14 } else { 0 }, "dBSecurityGroups": [],
        "vpcSecurityGroups": [{ "vpcSecurityGroupId": group, "status": "active" }],
        "dBParameterGroups": [{ "dBParameterGroupName": "default.postgres16", "parameterApplyStatus": "in-sync" }],
        "availabilityZone": zone, "dBSubnetGroup": { "dBSubnetGroupName": format!("{}-db", setting.slug),
            "dBSubnetGroupDescription": "private subnets", "vpcId": format!("vpc-0{}", random.hex(16)),
            "subnetGroupStatus": "Complete", "subnets": subnets, "dBSubnetGroupArn": null },
    });
    let rest = json!({
        "preferredMaintenanceWindow": "sun:03:30-sun:04:00", "pendingModifiedValues": { "processorFeatures": [] },
        "latestRestorableTime": null, "multiAZ": setting.is_sound(), "engineVersion": "16.3",
        "autoMinorVersionUpgrade": true, "readReplicaDBInstanceIdentifiers": [], "licenseModel": "postgresql-license",
        "iops": 3000, "optionGroupMemberships": [{ "optionGroupName": "default:postgres-16", "status": "in-sync" }],
        "publiclyAccessible": !setting.is_sound(), "storageType": "gp3", "dbInstancePort": 0,
        "storageEncrypted": true, "kmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())), "dbiResourceId": id,
        "cACertificateIdentifier": "rds-ca-rsa2048-g1", "domainMemberships": [], "copyTagsToSnapshot": true,
        "monitoringInterval": 60, "promotionTier": null, "dBInstanceArn": arn, "timezone": null,
        "iAMDatabaseAuthenticationEnabled": false, "performanceInsightsEnabled": true,
        "enabledCloudwatchLogsExports": ["postgresql"], "processorFeatures": [], "deletionProtection": true,
        "associatedRoles": [], "listenerEndpoint": null, "maxAllocatedStorage": 1000, "tagList": [],
    });
    if let (Value::Object(all), Value::Object(rest)) = (&mut configuration, rest) {
        all.extend(rest);
    }
    let mut body = setting.body(id, Some(name), arn, configuration, random);
    body.zone = zone;
    body.supplementary = json!({ "Tags": [] });
    body.relationships = json!([relation("AWS::EC2::SecurityGroup", &group, "Is associated with SecurityGroup")]);
    body
}

fn database_cluster(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("cluster-{}", random.upper(26));
    let name = setting.name(random);
    let arn = setting.arn("rds", &format!("cluster:{name}"));
    let members: Vec<Value> = (0..random.between(1, 4))
        .map(|number| {
            json!({ "dbinstanceIdentifier": format!("{name}-{number}"), "isClusterWriter": number == 0,
                "dbclusterParameterGroupStatus": "in-sync", "promotionTier": 1 })
        })
        .collect();
    let zones = ["a", "b", "c"].map(|letter| format!("{}{letter}", setting.region));
    let configuration = json!({
        "allocatedStorage": 1, "availabilityZones": zones,
        "backupRetentionPeriod": 7, "dbclusterIdentifier": name, "dbclusterParameterGroup": "default.aurora-postgresql15",
        "dbsubnetGroup": format!("{}-db", setting.slug), "status": "available", "engine": "aurora-postgresql",
        "engineVersion": "15.4", "port": 5432, "masterUsername": "app", "dbclusterMembers": members, "multiAZ": true,
        "vpcSecurityGroups": [{ "vpcSecurityGroupId": format!("sg-0{}", random.hex(16)), "status": "active" }],
        "storageEncrypted": true, "kmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())), "dbClusterResourceId": id,
        "dbclusterArn": arn, "iamdatabaseAuthenticationEnabled": setting.is_sound(), "deletionProtection": true,
        "clusterCreateTime": moment(setting.created), "copyTagsToSnapshot": true, "httpEndpointEnabled": false, "tagList": [],
    });
    setting.body(id, Some(name), arn, configuration, random)
}

fn table(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("dynamodb", &format!("table/{name}"));
    let configuration = json!({
        "attributeDefinitions": [{ "attributeName": "pk", "attributeType": "S" }, { "attributeName": "sk", "attributeType": "S" }],
        "tableName": name, "keySchema": [{ "attributeName": "pk", "keyType": "HASH" }, { "attributeName": "sk", "keyType": "RANGE" }],
        "creationDateTime": moment(setting.created), "billingModeSummary": { "billingMode": "PAY_PER_REQUEST" },
        "provisionedThroughput": { "numberOfDecreasesToday": 0, "readCapacityUnits": 0, "writeCapacityUnits": 0 },
        "tableArn": arn, "tableId": random.uuid(), "deletionProtectionEnabled": setting.is_sound(),
    });
    let mut body = setting.body(name.clone(), Some(name), arn, configuration, random);
    body.supplementary = json!({ "ContinuousBackups": { "continuousBackupsStatus": "ENABLED",
        "pointInTimeRecoveryDescription": { "pointInTimeRecoveryStatus": "ENABLED" } } });
    body
}

fn file_system(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("fs-0{}", random.hex(16));
    let arn = setting.arn("elasticfilesystem", &format!("file-system/{id}"));
    let configuration = json!({
        "FileSystemId": id, "Arn": arn, "Encrypted": true, "PerformanceMode": "generalPurpose", "ThroughputMode": "bursting",
        "KmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())), "FileSystemTags": [],
        "BackupPolicy": { "Status": if setting.is_sound() { "ENABLED" } else { "DISABLED" } },
        "LifecyclePolicies": [{ "TransitionToIA": "AFTER_30_DAYS" }],
    });
    setting.body(id, None, arn, configuration, random)
}

fn domain(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = format!("search-{}{}", setting.number, random.lower(5));
    let id = format!("{}/{name}", setting.account_id);
    let arn = setting.arn("es", &format!("domain/{name}"));
    let configuration = json!({
        "DomainName": name, "Arn": arn, "EngineVersion": "OpenSearch_2.13", "Id": id,
        "ClusterConfig": { "InstanceType": "r6g.large.search", "InstanceCount": 3, "DedicatedMasterEnabled": true,
            "ZoneAwarenessEnabled": true, "ZoneAwarenessConfig": { "AvailabilityZoneCount": 3 } },
        "EBSOptions": { "EBSEnabled": true, "VolumeType": "gp3", "VolumeSize": 200 },
        "EncryptionAtRestOptions": { "Enabled": true, "KmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())) },
        "NodeToNodeEncryptionOptions": { "Enabled": true },
        "DomainEndpointOptions": { "EnforceHTTPS": setting.is_sound(), "TLSSecurityPolicy": "Policy-Min-TLS-1-2-2019-07" },
        "VPCOptions": { "SubnetIds": [format!("subnet-0{}", random.hex(16))], "SecurityGroupIds": [format!("sg-0{}", random.hex(16))] },
        "LogPublishingOptions": {}, "Tags": [],
    });
    setting.body(id, Some(name), arn, configuration, random)
}

fn cache(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = format!("redis-{}{}", setting.number, random.lower(5));
    let arn = setting.arn("elasticache", &format!("replicationgroup:{name}"));
    let configuration = json!({
        "ReplicationGroupId": name, "ReplicationGroupDescription": "sessions", "Engine": "redis", "CacheNodeType": "cache.r6g.large",
        "NumNodeGroups": 1, "ReplicasPerNodeGroup": 2, "AutomaticFailoverEnabled": true, "MultiAZEnabled": true,
        "AtRestEncryptionEnabled": true, "TransitEncryptionEnabled": setting.is_sound(), "SnapshotRetentionLimit": 7,
        "SecurityGroupIds": [format!("sg-0{}", random.hex(16))], "Tags": [],
    });
    setting.body(name.clone(), Some(name), arn, configuration, random)
}

fn warehouse(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("redshift", &format!("cluster:{name}"));
    let configuration = json!({
        "clusterIdentifier": name, "nodeType": "ra3.xlplus", "clusterStatus": "available", "masterUsername": "dwh",
        "dBName": "dwh", "endpoint": { "address": format!("{name}.{}.redshift.amazonaws.com", setting.region), "port": 5439 },
        "clusterCreateTime": moment(setting.created), "automatedSnapshotRetentionPeriod": 7, "publiclyAccessible": false,
        "encrypted": true, "kmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())), "numberOfNodes": 2,
        "enhancedVpcRouting": setting.is_sound(), "clusterVersion": "1.0", "allowVersionUpgrade": true, "tags": [],
        "clusterNodes": [{ "nodeRole": "LEADER", "privateIPAddress": "10.0.3.4", "publicIPAddress": null }],
    });
    setting.body(name.clone(), Some(name), arn, configuration, random)
}
