"""Config's DescribeConfigRules: the rules that the newest snapshot of the caller's account and Region names.

Delivered files name rules and nothing else of them; owner, identifier, parameters and the like are made from the name,
the same every time, and changed by the description ("name" may hold shell patterns; absent members fit everything):
    "config": {"bucket": "config-logs",
               "rules": [{"name": "access-keys-rotated*", "account": A, "region": R, "absent": true,
                          "parameters": {"maxAccessKeyAge": "30"}, "members": {"ConfigRuleState": "DELETING"}}]}
"""

import json
import re
from fnmatch import fnmatchcase

from .answers import ServiceError
from .delivered import READER
from .paging import answer, page

PAGE = 25
# Managed rules whose identifier is not their name in capitals.
IRREGULAR = {
    "cloudtrail-enabled": "CLOUD_TRAIL_ENABLED",
    "multi-region-cloudtrail-enabled": "MULTI_REGION_CLOUD_TRAIL_ENABLED",
    "restricted-ssh": "INCOMING_SSH_DISABLED",
    "restricted-common-ports": "RESTRICTED_INCOMING_TRAFFIC",
    "ec2-instances-in-vpc": "INSTANCES_IN_VPC",
    "ec2-instance-managed-by-systems-manager": "EC2_INSTANCE_MANAGED_BY_SSM",
}
# A rule's parameters: for most accounts, and for every fifth, so that accounts differ.
PARAMETERS = {
    "ACCESS_KEYS_ROTATED": ({"maxAccessKeyAge": "90"}, {"maxAccessKeyAge": "180"}),
    "IAM_USER_UNUSED_CREDENTIALS_CHECK": ({"maxCredentialUsageAge": "45"}, {"maxCredentialUsageAge": "90"}),
    "IAM_PASSWORD_POLICY": ({"MinimumPasswordLength": "14"}, {"MinimumPasswordLength": "12"}),
    "RESTRICTED_INCOMING_TRAFFIC": ({"blockedPort1": "20", "blockedPort2": "21"}, {"blockedPort1": "3389"}),
}
PERIODIC = re.compile("^(access-keys|iam-|root-|cloudtrail|multi-region|guardduty|securityhub)")


def places(world):
    """The newest snapshot of each account and Region in the described bucket."""
    bucket = world.part("config").get("bucket")
    return READER.places(world, bucket) if bucket else {}


def describe_config_rules(world, call):
    """A page of the caller's rules, by name."""
    place = places(world).get((call.account, call.region))
    rules = [described(world, call.account, call.region, rule) for rule in place.rules.values()] if place else []
    found = {rule["ConfigRuleName"]: rule for rule in rules if rule}
    names = call.parameters.get("ConfigRuleNames")
    for name in names or []:
        if name not in found:
            raise ServiceError(
                "NoSuchConfigRuleException", f"The ConfigRule '{name}' provided in the request is invalid."
            )
    chosen = [found[name] for name in sorted(names or found)]
    return answer("ConfigRules", *page(call, chosen, world.part("config").get("page_size", PAGE)))


def described(world, account, region, rule):
    """A rule as AWS describes it; none where the description takes it away."""
    core = core_name(rule.name)
    shown = {
        "ConfigRuleName": rule.name,
        "ConfigRuleArn": rule.arn,
        "ConfigRuleId": rule.id,
        "Source": {"Owner": "AWS", "SourceIdentifier": IRREGULAR.get(core, core.upper().replace("-", "_"))},
        "ConfigRuleState": "ACTIVE",
        "EvaluationModes": [{"Mode": "DETECTIVE"}],
    }
    if rule.name.startswith("AWSControlTower_"):
        shown["Source"]["SourceIdentifier"] = core
    parameters = PARAMETERS.get(shown["Source"]["SourceIdentifier"])
    if parameters:
        shown["InputParameters"] = json.dumps(parameters[int(account) % 5 == 0])
    if PERIODIC.match(core):
        shown["MaximumExecutionFrequency"] = "TwentyFour_Hours"
    service = re.search(r"aws-service-rule/([^/]+)/", rule.arn)
    if service:
        shown["CreatedBy"] = service.group(1)
    for change in world.part("config").get("rules", []):
        if fits(change, rule.name, account, region):
            if change.get("absent"):
                return None
            if "parameters" in change:
                shown["InputParameters"] = json.dumps(change["parameters"])
            shown.update(change.get("members", {}))
    return shown


def fits(change, name, account, region):
    """Whether a change of the description is about this rule here."""
    return (
        fnmatchcase(name, change.get("name", "*"))
        and change.get("account", account) == account
        and change.get("region", region) == region
    )


def core_name(name):
    """A rule's own name, without what its way of deployment put around it."""
    name = re.sub(r"-conformance-pack-[a-z0-9]+$", "", name)
    securityhub = re.match(r"securityhub-(.+)-[a-z0-9]{8}$", name)
    return securityhub.group(1) if securityhub else name.removeprefix("AWSControlTower_AWS-GR_")
