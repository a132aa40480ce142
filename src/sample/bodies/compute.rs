//! Instances, volumes, functions, containers, builds and notebooks.

use serde_json::{Value, json};

use super::{Body, Setting, moment, relation};
use crate::sample::random::Random;

pub(super) fn describe(resource_type: &str, setting: &Setting<'_>, random: &mut Random) -> Body {
    match resource_type {
        "AWS::EC2::Instance" => instance(setting, random),
        "AWS::EC2::Volume" => volume(setting, random),
        "AWS::Lambda::Function" => function(setting, random),
        "AWS::ECS::TaskDefinition" => task_definition(setting, random),
        "AWS::EKS::Cluster" => cluster(setting, random),
        "AWS::AutoScaling::AutoScalingGroup" => scaling_group(setting, random),
        "AWS::CodeBuild::Project" => project(setting, random),
        "AWS::ECR::Repository" => repository(setting, random),
        _ => notebook(setting, random),
    }
}

fn instance(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("i-0{}", random.hex(16));
    let zone = setting.zone(random);
    let [vpc, subnet] = ["vpc", "subnet"].map(|kind| format!("{kind}-0{}", random.hex(16)));
    let [group, volume, interface] = ["sg", "vol", "eni"].map(|kind| format!("{kind}-0{}", random.hex(16)));
    let address = format!("10.{}.{}.{}", random.below(256), random.below(256), random.between(4, 250));
    let host = format!("ip-{}.{}.compute.internal", address.replace('.', "-"), setting.region);
    let running = setting.revision % 3 != 2;
    let groups = json!([{ "groupName": format!("{}-app", setting.slug), "groupId": group }]);
    let interfaces = json!([{
        "association": null, "attachment": { "attachTime": moment(setting.created),
            "attachmentId": format!("eni-attach-0{}", random.hex(16)), "deleteOnTermination": true, "deviceIndex": 0,
            "status": "attached", "networkCardIndex": 0 },
        "description": "", "groups": groups, "ipv6Addresses": [],
        "macAddress": format!("02:{}:4e:{}:7a:{}", random.hex(2), random.hex(2), random.hex(2)),
        "networkInterfaceId": interface, "ownerId": setting.account_id, "privateDnsName": host,
        "privateIpAddress": address, "privateIpAddresses": [{ "association": null, "primary": true,
            "privateDnsName": host, "privateIpAddress": address }],
        "sourceDestCheck": true, "status": "in-use", "subnetId": subnet, "vpcId": vpc, "interfaceType": "interface",
    }]);
    let mut configuration = json!({
        "amiLaunchIndex": 0, "imageId": format!("ami-0{}", random.hex(16)), "instanceId": id,
        "instanceType": random.pick(&["t3.medium", "m6i.large", "m6i.xlarge", "c6g.large", "r6i.2xlarge"]),
        "launchTime": moment(setting.created),
        "monitoring": { "state": if setting.is_sound() { "enabled" } else { "disabled" } },
        "placement": { "availabilityZone": zone, "affinity": null, "groupName": "", "partitionNumber": null,
            "hostId": null, "tenancy": "default", "spreadDomain": null, "hostResourceGroupArn": null },
        "privateDnsName": host, "privateIpAddress": address, "productCodes": [], "publicDnsName": "",
        "state": if running { json!({ "code": 16, "name": "running" }) } else { json!({ "code": 80, "name": "stopped" }) },
        "stateTransitionReason": "", "subnetId": subnet, "vpcId": vpc, "architecture": "x86_64",
        "blockDeviceMappings": [{ "deviceName": "/dev/xvda", "ebs": { "attachTime": moment(setting.created),
            "deleteOnTermination": true, "status": "attached", "volumeId": volume } }],
        "clientToken": random.uuid(), "ebsOptimized": true, "enaSupport": true, "hypervisor": "xen",
        "iamInstanceProfile": { "arn": format!("arn:aws:iam::{}:instance-profile/{}-app", setting.account_id, setting.slug),
            "id": format!("AIPA{}", random.upper(17)) },
        "elasticGpuAssociations": [], "elasticInferenceAcceleratorAssociations": [],
        "networkInterfaces": interfaces, "rootDeviceName": "/dev/xvda", "rootDeviceType": "ebs", "securityGroups": groups,
        "sourceDestCheck": true, "tags": [],
    });
    let rest = json!({
        "virtualizationType": "hvm", "cpuOptions": { "coreCount": 1, "threadsPerCore": 2 },
        "hibernationOptions": { "configured": false }, "licenses": [],
        "metadataOptions": { "state": "applied", "httpTokens": if setting.is_sound() { "required" } else { "optional" },
            "httpPutResponseHopLimit": 2, "httpEndpoint": "enabled", "httpProtocolIpv6": "disabled" },
        "enclaveOptions": { "enabled": false },
        // AWS Config writes what is not set as null.
        "platform": null, "kernelId": null, "keyName": null, "publicIpAddress": null, "ramdiskId": null,
        "instanceLifecycle": null, "outpostArn": null, "spotInstanceRequestId": null, "sriovNetSupport": null,
        "stateReason": null, "capacityReservationId": null, "bootMode": null,
    });
    if let (Value::Object(all), Value::Object(rest)) = (&mut configuration, rest) {
        all.extend(rest);
    }
    let arn = setting.arn("ec2", &format!("instance/{id}"));
    let mut body = setting.body(id, None, arn, configuration, random);
    body.zone = zone;
    body.relationships = json!([
        relation("AWS::EC2::NetworkInterface", &interface, "Contains NetworkInterface"),
        relation("AWS::EC2::SecurityGroup", &group, "Is associated with SecurityGroup"),
        relation("AWS::EC2::Subnet", &subnet, "Is contained in Subnet"),
        relation("AWS::EC2::Volume", &volume, "Is attached to Volume"),
        relation("AWS::EC2::VPC", &vpc, "Is contained in Vpc"),
    ]);
    body
}

fn volume(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("vol-0{}", random.hex(16));
    let instance = format!("i-0{}", random.hex(16));
    let zone = setting.zone(random);
    let size = *random.pick(&[8, 20, 50, 100, 500, 1000]);
    let configuration = json!({
        "attachments": [{ "attachTime": moment(setting.created), "device": "/dev/xvda", "instanceId": instance,
            "state": "attached", "volumeId": id, "deleteOnTermination": true }],
        "availabilityZone": zone, "createTime": moment(setting.created), "encrypted": setting.is_sound(),
        "kmsKeyId": setting.arn("kms", &format!("key/{}", random.uuid())), "outpostArn": null, "size": size,
        "snapshotId": format!("snap-0{}", random.hex(16)), "state": "in-use", "volumeId": id, "iops": 3000, "tags": [],
        "volumeType": "gp3", "fastRestored": null, "multiAttachEnabled": false, "throughput": 125,
    });
    let arn = setting.arn("ec2", &format!("volume/{id}"));
    let mut body = setting.body(id, None, arn, configuration, random);
    body.zone = zone;
    body.relationships = json!([relation("AWS::EC2::Instance", &instance, "Is attached to Instance")]);
    body
}

fn function(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("lambda", &format!("function:{name}"));
    let mut variables = serde_json::Map::new();
    for number in 0..random.between(2, 24) {
        variables.insert(format!("SETTING_{number:02}"), Value::String(random.lower(28)));
    }
    let configuration = json!({
        "functionName": name, "functionArn": arn,
        "runtime": random.pick(&["python3.12", "nodejs20.x", "java21", "provided.al2023"]),
        "role": format!("arn:aws:iam::{}:role/service-role/{name}", setting.account_id), "handler": "index.handler",
        "codeSize": random.between(900, 40_000_000), "description": "", "timeout": 30, "memorySize": 512,
        "lastModified": setting.changed(), "codeSha256": format!("{}=", random.lower(43)), "version": "$LATEST",
        "vpcConfig": { "subnetIds": [format!("subnet-0{}", random.hex(16)), format!("subnet-0{}", random.hex(16))],
            "securityGroupIds": [format!("sg-0{}", random.hex(16))] },
        "environment": { "variables": variables, "error": null }, "kmsKeyArn": null,
        "tracingConfig": { "mode": if setting.is_sound() { "Active" } else { "PassThrough" } }, "masterArn": null,
        "revisionId": random.uuid(), "layers": [], "fileSystemConfigs": [], "packageType": "Zip", "architectures": ["x86_64"],
    });
    let mut body = setting.body(name.clone(), Some(name), arn, configuration, random);
    body.supplementary =
        json!({ "Policy": "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[]}", "Tags": {} });
    body
}

fn task_definition(setting: &Setting<'_>, random: &mut Random) -> Body {
    let family = setting.name(random);
    let arn = setting.arn("ecs", &format!("task-definition/{family}:{}", setting.revision + 1));
    let containers: Vec<Value> = (0..random.between(1, 5))
        .map(|number| {
            let environment: Vec<Value> = (0..random.between(1, 12))
                .map(|variable| json!({ "Name": format!("OPTION_{variable}"), "Value": random.lower(16) }))
                .collect();
            json!({
                "Name": format!("container-{number}"), "Essential": number == 0, "Cpu": 256, "Memory": 512,
                "Image": format!("{}.dkr.ecr.{}.amazonaws.com/{family}:{}", setting.account_id, setting.region, random.hex(12)),
                "PortMappings": [{ "ContainerPort": 8080, "HostPort": 8080, "Protocol": "tcp" }], "Privileged": false,
                "Environment": environment, "ReadonlyRootFilesystem": true,
                "LogConfiguration": { "LogDriver": "awslogs", "Options": { "awslogs-group": format!("/ecs/{family}"),
                    "awslogs-region": setting.region, "awslogs-stream-prefix": "ecs" } },
            })
        })
        .collect();
    let configuration = json!({
        "TaskDefinitionArn": arn, "Family": family, "Cpu": "512", "Memory": "1024", "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"], "ContainerDefinitions": containers, "Volumes": [], "Tags": [],
        "ExecutionRoleArn": format!("arn:aws:iam::{}:role/ecsTaskExecutionRole", setting.account_id),
    });
    // The resource keeps its id while its revisions go up.
    let id = setting.arn("ecs", &format!("task-definition/{family}"));
    setting.body(id, Some(family), arn, configuration, random)
}

fn cluster(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("eks", &format!("cluster/{name}"));
    let configuration = json!({
        "Name": name, "Arn": arn, "Version": random.pick(&["1.29", "1.30", "1.31"]),
        "RoleArn": format!("arn:aws:iam::{}:role/eks-{name}", setting.account_id),
        "Endpoint": format!("https://{}.gr7.{}.eks.amazonaws.com", random.upper(32), setting.region),
        "ResourcesVpcConfig": { "SubnetIds": (0..3).map(|_| format!("subnet-0{}", random.hex(16))).collect::<Vec<_>>(),
            "SecurityGroupIds": [format!("sg-0{}", random.hex(16))], "EndpointPublicAccess": !setting.is_sound(),
            "EndpointPrivateAccess": true, "PublicAccessCidrs": ["0.0.0.0/0"] },
        "CertificateAuthorityData": random.lower(900),
        "KubernetesNetworkConfig": { "ServiceIpv4Cidr": "172.20.0.0/16", "IpFamily": "ipv4" },
        "EncryptionConfig": [{ "Resources": ["secrets"],
            "Provider": { "KeyArn": setting.arn("kms", &format!("key/{}", random.uuid())) } }],
        "Logging": { "ClusterLogging": { "EnabledTypes": [{ "Type": "api" }, { "Type": "audit" }] } }, "Tags": [],
    });
    setting.body(name.clone(), Some(name), arn, configuration, random)
}

fn scaling_group(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("autoscaling", &format!("autoScalingGroup:{}:autoScalingGroupName/{name}", random.uuid()));
    let instances: Vec<Value> = (0..random.between(2, 10))
        .map(|_| {
            json!({ "instanceId": format!("i-0{}", random.hex(16)), "availabilityZone": setting.zone(random),
                "lifecycleState": "InService", "healthStatus": "Healthy", "protectedFromScaleIn": false })
        })
        .collect();
    let zones = ["a", "b"].map(|letter| format!("{}{letter}", setting.region));
    let configuration = json!({
        "autoScalingGroupName": name, "autoScalingGroupARN": arn, "minSize": 2, "maxSize": 12,
        "desiredCapacity": instances.len(), "defaultCooldown": 300, "healthCheckType": "ELB", "healthCheckGracePeriod": 300,
        "launchTemplate": { "launchTemplateId": format!("lt-0{}", random.hex(16)), "launchTemplateName": name, "version": "$Latest" },
        "availabilityZones": zones, "instances": instances,
        "createdTime": moment(setting.created), "suspendedProcesses": [], "enabledMetrics": [], "tags": [],
        "vPCZoneIdentifier": format!("subnet-0{},subnet-0{}", random.hex(16), random.hex(16)),
        "terminationPolicies": ["Default"], "newInstancesProtectedFromScaleIn": false,
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}

fn project(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("codebuild", &format!("project/{name}"));
    let configuration = json!({
        "name": name, "arn": arn, "source": { "type": "CODECOMMIT", "gitCloneDepth": 1, "insecureSsl": false,
            "location": format!("https://git-codecommit.{}.amazonaws.com/v1/repos/{name}", setting.region) },
        "artifacts": { "type": "NO_ARTIFACTS" }, "cache": { "type": "NO_CACHE" },
        "environment": { "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
            "privilegedMode": false, "environmentVariables": [] },
        "serviceRole": format!("arn:aws:iam::{}:role/codebuild-{name}", setting.account_id), "timeoutInMinutes": 60,
        "queuedTimeoutInMinutes": 480, "encryptionKey": setting.arn("kms", "alias/aws/s3"), "badge": { "badgeEnabled": false },
        "created": moment(setting.created), "lastModified": setting.changed(), "tags": [],
        "logsConfig": { "cloudWatchLogs": { "status": "ENABLED" }, "s3Logs": { "status": "DISABLED" } },
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}

fn repository(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("ecr", &format!("repository/{name}"));
    let configuration = json!({
        "RepositoryName": name, "Arn": arn, "ImageTagMutability": "IMMUTABLE",
        "RepositoryUri": format!("{}.dkr.ecr.{}.amazonaws.com/{name}", setting.account_id, setting.region),
        "ImageScanningConfiguration": { "ScanOnPush": setting.is_sound() }, "Tags": [],
        "EncryptionConfiguration": { "EncryptionType": "AES256" },
    });
    setting.body(name.clone(), Some(name), arn, configuration, random)
}

fn notebook(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("sagemaker", &format!("notebook-instance/{name}"));
    let configuration = json!({
        "NotebookInstanceName": name, "NotebookInstanceArn": arn, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 20,
        "RoleArn": format!("arn:aws:iam::{}:role/sagemaker-{name}", setting.account_id), "RootAccess": "Disabled",
        "DirectInternetAccess": if setting.is_sound() { "Disabled" } else { "Enabled" },
        "PlatformIdentifier": "notebook-al2-v2", "SubnetId": format!("subnet-0{}", random.hex(16)), "Tags": [],
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}
