//! Networks, load balancers, stages and certificates.

use serde_json::{Value, json};

use super::{Body, Setting, moment, relation};
use crate::sample::random::Random;

pub(super) fn describe(resource_type: &str, setting: &Setting<'_>, random: &mut Random) -> Body {
    match resource_type {
        "AWS::EC2::SecurityGroup" => security_group(setting, random),
        "AWS::EC2::VPC" => vpc(setting, random),
        "AWS::EC2::Subnet" => subnet(setting, random),
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => load_balancer(setting, random),
        "AWS::ApiGateway::Stage" => stage(setting, random),
        _ => certificate(setting, random),
    }
}

fn security_group(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("sg-0{}", random.hex(16));
    let name = setting.name(random);
    let vpc = format!("vpc-0{}", random.hex(16));
    // Most groups are short; a few have grown for years.
    let most = if random.chance(120_000) { 60 } else { 9 };
    let count = random.between(2, most);
    let mut ingress: Vec<Value> = (0..count).map(|_| permission(setting, random)).collect();
    if !setting.is_sound() {
        ingress.truncate(1);
    }
    let egress = json!([{
        "ipProtocol": "-1", "ipv6Ranges": [], "prefixListIds": [], "userIdGroupPairs": [],
        "ipv4Ranges": [{ "cidrIp": "0.0.0.0/0" }], "ipRanges": ["0.0.0.0/0"],
    }]);
    let configuration = json!({
        "description": format!("{name} managed by infrastructure pipeline"), "groupName": name, "groupId": id,
        "ipPermissions": ingress, "ipPermissionsEgress": egress, "ownerId": setting.account_id, "vpcId": vpc, "tags": [],
    });
    let arn = setting.arn("ec2", &format!("security-group/{id}"));
    let mut body = setting.body(id, Some(name), arn, configuration, random);
    body.relationships = json!([relation("AWS::EC2::VPC", &vpc, "Is contained in Vpc")]);
    body
}

fn permission(setting: &Setting<'_>, random: &mut Random) -> Value {
    let port = *random.pick(&[22, 80, 443, 3306, 3389, 5432, 6379, 8080, 8443, 9092, 9200]);
    let range = format!("10.{}.{}.0/24", random.below(256), random.below(256));
    let pairs = if random.chance(300_000) {
        json!([{ "groupId": format!("sg-0{}", random.hex(16)), "userId": setting.account_id }])
    } else {
        json!([])
    };
    json!({
        "fromPort": port, "ipProtocol": "tcp", "ipv6Ranges": [], "prefixListIds": [], "toPort": port,
        "userIdGroupPairs": pairs, "ipv4Ranges": [{ "cidrIp": range, "description": format!("office and VPN, port {port}") }],
        "ipRanges": [range],
    })
}

fn vpc(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("vpc-0{}", random.hex(16));
    let block = format!("10.{}.0.0/16", random.below(256));
    let configuration = json!({
        "cidrBlock": block, "dhcpOptionsId": format!("dopt-0{}", random.hex(16)), "state": "available", "vpcId": id,
        "ownerId": setting.account_id, "instanceTenancy": "default", "ipv6CidrBlockAssociationSet": [],
        "cidrBlockAssociationSet": [{
            "associationId": format!("vpc-cidr-assoc-0{}", random.hex(16)), "cidrBlock": block,
            "cidrBlockState": { "state": "associated" },
        }],
        "isDefault": random.chance(300_000), "tags": [],
    });
    let arn = setting.arn("ec2", &format!("vpc/{id}"));
    let mut body = setting.body(id, None, arn, configuration, random);
    "Multiple Availability Zones".clone_into(&mut body.zone);
    let contained: Vec<Value> = (0..random.between(3, 9))
        .map(|_| relation("AWS::EC2::Subnet", &format!("subnet-0{}", random.hex(16)), "Contains Subnet"))
        .collect();
    body.relationships = json!(contained);
    body
}

fn subnet(setting: &Setting<'_>, random: &mut Random) -> Body {
    let id = format!("subnet-0{}", random.hex(16));
    let vpc = format!("vpc-0{}", random.hex(16));
    let zone = setting.zone(random);
    let arn = setting.arn("ec2", &format!("subnet/{id}"));
    let configuration = json!({
        "availabilityZone": zone, "availabilityZoneId": format!("euc1-az{}", random.between(1, 4)),
        "availableIpAddressCount": random.between(20, 4091),
        "cidrBlock": format!("10.{}.{}.0/20", random.below(256), random.below(16) * 16), "defaultForAz": false,
        "mapPublicIpOnLaunch": !setting.is_sound(), "mapCustomerOwnedIpOnLaunch": false, "state": "available",
        "subnetId": id, "vpcId": vpc, "ownerId": setting.account_id, "assignIpv6AddressOnCreation": false,
        "ipv6CidrBlockAssociationSet": [], "subnetArn": arn, "enableDns64": false, "ipv6Native": false, "tags": [],
    });
    let mut body = setting.body(id, None, arn, configuration, random);
    body.zone = zone;
    body.relationships = json!([relation("AWS::EC2::VPC", &vpc, "Is contained in Vpc")]);
    body
}

fn load_balancer(setting: &Setting<'_>, random: &mut Random) -> Body {
    let name = setting.name(random);
    let arn = setting.arn("elasticloadbalancing", &format!("loadbalancer/app/{name}/{}", random.hex(16)));
    let zones: Vec<Value> = ["a", "b", "c"]
        .iter()
        .map(|letter| {
            json!({
                "zoneName": format!("{}{letter}", setting.region), "subnetId": format!("subnet-0{}", random.hex(16)),
                "loadBalancerAddresses": [],
            })
        })
        .collect();
    let group = format!("sg-0{}", random.hex(16));
    let configuration = json!({
        "loadBalancerArn": arn, "dnsName": format!("{name}-{}.{}.elb.amazonaws.com", random.digits(9), setting.region),
        "canonicalHostedZoneId": format!("Z{}", random.upper(13)), "createdTime": moment(setting.created),
        "loadBalancerName": name, "scheme": "internet-facing", "vpcId": format!("vpc-0{}", random.hex(16)),
        "state": { "code": "active" }, "type": "application", "availabilityZones": zones, "securityGroups": [group],
        "ipAddressType": "ipv4",
    });
    let id = arn.clone();
    let mut body = setting.body(id, Some(name), arn, configuration, random);
    "Multiple Availability Zones".clone_into(&mut body.zone);
    body.supplementary = json!({
        "LoadBalancerAttributes": [
            { "key": "access_logs.s3.enabled", "value": "true" },
            { "key": "access_logs.s3.bucket", "value": format!("{}-lb-logs", setting.slug) },
            { "key": "idle_timeout.timeout_seconds", "value": "60" },
            { "key": "deletion_protection.enabled", "value": setting.is_sound().to_string() },
            { "key": "routing.http2.enabled", "value": "true" },
            { "key": "routing.http.drop_invalid_header_fields.enabled", "value": "true" },
            { "key": "routing.http.desync_mitigation_mode", "value": "defensive" },
            { "key": "waf.fail_open.enabled", "value": "false" },
        ],
        "Tags": [],
    });
    body.relationships = json!([relation("AWS::EC2::SecurityGroup", &group, "Is associated with SecurityGroup")]);
    body
}

fn stage(setting: &Setting<'_>, random: &mut Random) -> Body {
    let api = random.lower(10);
    let name = format!("v{}-{}", random.between(1, 5), setting.number);
    let arn = format!("arn:aws:apigateway:{}::/restapis/{api}/stages/{name}", setting.region);
    let configuration = json!({
        "deploymentId": random.lower(6), "stageName": name, "cacheClusterEnabled": false,
        "cacheClusterStatus": "NOT_AVAILABLE", "tracingEnabled": setting.is_sound(),
        "methodSettings": { "*/*": {
            "metricsEnabled": true, "loggingLevel": "INFO", "dataTraceEnabled": false, "throttlingBurstLimit": 5000,
            "throttlingRateLimit": 10000, "cachingEnabled": false, "cacheTtlInSeconds": 300, "cacheDataEncrypted": false,
            "requireAuthorizationForCacheControl": true,
            "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
        } },
        "createdDate": moment(setting.created), "lastUpdatedDate": setting.changed(),
    });
    setting.body(arn.clone(), Some(name), arn, configuration, random)
}

fn certificate(setting: &Setting<'_>, random: &mut Random) -> Body {
    let domain = format!("{}.example.com", setting.name(random));
    let arn = setting.arn("acm", &format!("certificate/{}", random.uuid()));
    let configuration = json!({
        "certificateArn": arn, "domainName": domain, "subjectAlternativeNames": [domain, format!("www.{domain}")],
        "domainValidationOptions": [{
            "domainName": domain, "validationDomain": domain, "validationStatus": "SUCCESS", "validationMethod": "DNS",
            "resourceRecord": { "name": format!("_{}.{domain}.", random.hex(32)), "type": "CNAME",
                "value": format!("_{}.acm-validations.aws.", random.hex(32)) },
        }],
        "serial": format!("0{}", random.hex(31)), "subject": format!("CN={domain}"), "issuer": "Amazon",
        "createdAt": moment(setting.created), "issuedAt": setting.changed(), "status": "ISSUED",
        "keyAlgorithm": "RSA-2048", "signatureAlgorithm": "SHA256WITHRSA", "inUseBy": [], "type": "AMAZON_ISSUED",
        "keyUsages": [{ "name": "DIGITAL_SIGNATURE" }, { "name": "KEY_ENCIPHERMENT" }], "renewalEligibility": "ELIGIBLE",
        "options": { "certificateTransparencyLoggingPreference": "ENABLED" },
    });
    setting.body(arn.clone(), None, arn, configuration, random)
}
