"""Config's aggregator, computed from the newest delivered snapshots, so that it tells what the bucket tells.

    "config": {"bucket": "config-logs", "cap": 100,
        "aggregators": [{"name": "organization", "account": A, "region": R, "organization_role": "arn:...",
                         "accounts": [...], "regions": [...]}],          no "accounts": the whole organisation
        "sources": [{"account": A, "region": R, "status": "FAILED", "error_code": ..., "error_message": ...}],
        "results": [{"name": "s3-*", "account": A, "region": R, "absent": true | "compliance": ... | "count": 3}],
        "packs": [{"name": "Pack-*", "account": A, "region": R, "absent": true | "members": {"CompliantRuleCount": 3}},
                  {"added": "Pack-old", "account": A, "region": R, "members": {...}}],     one that AWS remembers alone
        "page_size": 25}
`sources`, `results` and `packs` let the aggregator lag behind or differ from the bucket.
"""

from collections import Counter
from datetime import UTC, datetime

from .answers import ServiceError
from .config_rules import describe_config_rules, fits, places
from .delivered import Pack
from .paging import answer, page

CREATED = datetime(2024, 3, 1, 9, tzinfo=UTC).timestamp()
KNOWN = ("COMPLIANT", "NON_COMPLIANT")
NO_RULES = Pack("", "INSUFFICIENT_DATA", 0, 0, 0)


def aggregators(world, call):
    """The aggregators of the caller's account and Region."""
    described = world.part("config").get("aggregators", [])
    return [one for one in described if (one["account"], one["region"]) == (call.account, call.region)]


def aggregator(world, call):
    name = call.parameters.get("ConfigurationAggregatorName")
    for one in aggregators(world, call):
        if one["name"] == name:
            return one
    raise no_such(name)


def no_such(name):
    message = f"The configuration aggregator {name} does not exist."
    return ServiceError("NoSuchConfigurationAggregatorException", message)


def limit(world, call, largest, default):
    """How long a page is: what was asked for, or the default, but never more than the description says."""
    asked = call.parameters.get("Limit", 0)
    if asked < 0 or asked > largest:
        raise ServiceError("InvalidLimitException", f"The limit {asked} is outside of 0 to {largest}")
    return min(asked or default, world.part("config").get("page_size", largest))


def aggregated(world, call):
    """The places that the call's aggregator covers."""
    source = aggregator(world, call)
    accounts, regions = source.get("accounts"), source.get("regions")
    for (account, region), place in places(world).items():
        if (accounts is None or account in accounts) and (regions is None or region in regions):
            yield account, region, place


def describe_aggregators(world, call):
    found = {one["name"]: shown_aggregator(one) for one in aggregators(world, call)}
    names = call.parameters.get("ConfigurationAggregatorNames")
    for name in names or []:
        if name not in found:
            raise no_such(name)
    chosen = [found[name] for name in sorted(names or found)]
    return answer("ConfigurationAggregators", *page(call, chosen, limit(world, call, 100, 100)))


def shown_aggregator(one):
    arn = f"arn:aws:config:{one['region']}:{one['account']}:config-aggregator/config-aggregator-standin1"
    where = {"AwsRegions": one["regions"]} if one.get("regions") else {"AllAwsRegions": True}
    shown = {
        "ConfigurationAggregatorName": one["name"],
        "ConfigurationAggregatorArn": arn,
        "CreationTime": CREATED,
        "LastUpdatedTime": CREATED,
    }
    if "accounts" in one:
        shown["AccountAggregationSources"] = [{"AccountIds": one["accounts"], **where}]
    else:
        role = one.get("organization_role", f"arn:aws:iam::{one['account']}:role/ConfigAggregator")
        shown["OrganizationAggregationSource"] = {"RoleArn": role, **where}
    return shown


def describe_sources(world, call):
    wanted = call.parameters.get("UpdateStatus")
    found = [shown_source(world, account, region, place) for account, region, place in aggregated(world, call)]
    found = [one for one in found if not wanted or one["LastUpdateStatus"] in wanted]
    return answer("AggregatedSourceStatusList", *page(call, found, limit(world, call, 100, 100)))


def shown_source(world, account, region, place):
    taken = datetime.strptime(place.taken, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    shown = {
        "SourceId": account,
        "SourceType": "ACCOUNT",
        "AwsRegion": region,
        "LastUpdateStatus": "SUCCEEDED",
        "LastUpdateTime": taken,
    }
    for change in world.part("config").get("sources", []):
        if fits(change, "", account, region):
            shown["LastUpdateStatus"] = change["status"]
            if "error_code" in change:
                shown["LastErrorCode"] = change["error_code"]
                shown["LastErrorMessage"] = change.get("error_message", "")
    return shown


def by_config_rules(world, call):
    wanted = filters(call)
    if wanted.get("ComplianceType") not in (None, *KNOWN):
        raise ServiceError("ValidationException", "Only COMPLIANT and NON_COMPLIANT can be asked for")
    found = []
    for account, region, place in aggregated(world, call):
        counts = {}
        for result in place.results:
            counts.setdefault(result.rule, Counter())[result.compliance] += 1
        for name in sorted(counts):
            shown = rule_result(world, account, region, name, counts[name])
            if shown and fits_filters(wanted, name, "ConfigRuleName", shown):
                found.append(shown)
    return answer("AggregateComplianceByConfigRules", *page(call, found, limit(world, call, 1000, 1000)))


def rule_result(world, account, region, name, counts):
    """A rule's result in one place; AWS counts only what makes it non-compliant, and stops counting at a cap."""
    compliance = next((word for word in ("NON_COMPLIANT", "COMPLIANT") if counts[word]), "INSUFFICIENT_DATA")
    number = counts["NON_COMPLIANT"]
    for change in world.part("config").get("results", []):
        if fits(change, name, account, region):
            if change.get("absent"):
                return None
            compliance, number = change.get("compliance", compliance), change.get("count", number)
    shown = {"ComplianceType": compliance}
    if compliance == "NON_COMPLIANT":
        cap = world.part("config").get("cap", 100)
        shown["ComplianceContributorCount"] = {"CappedCount": min(number, cap), "CapExceeded": number > cap}
    return {"ConfigRuleName": name, "Compliance": shown, "AccountId": account, "AwsRegion": region}


def by_conformance_packs(world, call):
    wanted = filters(call)
    found = []
    for account, region, place in aggregated(world, call):
        packs = [(pack.name, pack_counts(pack)) for pack in place.packs]
        packs += [(name, pack_counts(NO_RULES)) for name in added_packs(world, account, region)]
        for name, counts in packs:
            shown = pack_result(world, account, region, name, counts)
            if shown and fits_filters(wanted, name, "ConformancePackName", shown):
                found.append(shown)
    return answer("AggregateComplianceByConformancePacks", *page(call, found, limit(world, call, 100, 100)))


def pack_counts(pack):
    """AWS counts all rules of a pack: these counts have no cap."""
    return {
        "ComplianceType": pack.compliance,
        "CompliantRuleCount": pack.compliant,
        "NonCompliantRuleCount": pack.non_compliant,
        "TotalRuleCount": pack.total,
    }


def added_packs(world, account, region):
    """Packs that the newest snapshot does not hold: AWS lists those that were deleted, too."""
    for change in world.part("config").get("packs", []):
        if "added" in change and fits(change, change["added"], account, region):
            yield change["added"]


def pack_result(world, account, region, name, counts):
    for change in world.part("config").get("packs", []):
        if change.get("added", name) == name and fits(change, name, account, region):
            if change.get("absent"):
                return None
            counts = {**counts, **change.get("members", {})}
    return {"ConformancePackName": name, "Compliance": counts, "AccountId": account, "AwsRegion": region}


def details_by_config_rule(world, call):
    asked = call.parameters
    wanted = (asked.get("AccountId"), asked.get("AwsRegion"))
    found = []
    for account, region, place in aggregated(world, call):
        if (account, region) == wanted:
            results = [one for one in place.results if one.rule == asked.get("ConfigRuleName")]
            found = [shown_result(one, account, region) for one in results if one.compliance in KNOWN]
    kind = asked.get("ComplianceType")
    found = [one for one in found if kind in (None, one["ComplianceType"])]
    return answer("AggregateEvaluationResults", *page(call, found, limit(world, call, 100, 50)))


def details_by_own_rule(world, call):
    """The same for a rule of the caller's own account and Region."""
    place = places(world).get((call.account, call.region))
    name = call.parameters.get("ConfigRuleName")
    results = [one for one in place.results if one.rule == name] if place else []
    if not results:
        raise ServiceError("NoSuchConfigRuleException", f"The ConfigRule '{name}' provided in the request is invalid.")
    kinds = call.parameters.get("ComplianceTypes") or KNOWN
    found = [shown_result(one, call.account, call.region) for one in results if one.compliance in kinds]
    for one in found:
        del one["AccountId"], one["AwsRegion"]
    return answer("EvaluationResults", *page(call, found, limit(world, call, 100, 10)))


def shown_result(result, account, region):
    """One resource's result. Only what fails carries an annotation."""
    captured = datetime.fromisoformat(result.captured.replace("Z", "+00:00")).timestamp()
    qualifier = {
        "ConfigRuleName": result.rule,
        "ResourceType": result.resource_type,
        "ResourceId": result.resource_id,
        "EvaluationMode": "DETECTIVE",
    }
    shown = {
        "EvaluationResultIdentifier": {"EvaluationResultQualifier": qualifier, "OrderingTimestamp": captured - 2},
        "ComplianceType": result.compliance,
        "ResultRecordedTime": captured,
        "ConfigRuleInvokedTime": captured - 1,
        "AccountId": account,
        "AwsRegion": region,
    }
    if result.compliance == "NON_COMPLIANT":
        shown["Annotation"] = f"{result.resource_id} does not meet {result.rule}."[:256]
    return shown


def filters(call):
    return call.parameters.get("Filters") or {}


def fits_filters(wanted, name, name_filter, shown):
    return (
        wanted.get(name_filter, name) == name
        and wanted.get("AccountId", shown["AccountId"]) == shown["AccountId"]
        and wanted.get("AwsRegion", shown["AwsRegion"]) == shown["AwsRegion"]
        and wanted.get("ComplianceType", shown["Compliance"]["ComplianceType"]) == shown["Compliance"]["ComplianceType"]
    )


OPERATIONS = {
    "DescribeConfigRules": describe_config_rules,
    "DescribeConfigurationAggregators": describe_aggregators,
    "DescribeConfigurationAggregatorSourcesStatus": describe_sources,
    "DescribeAggregateComplianceByConfigRules": by_config_rules,
    "DescribeAggregateComplianceByConformancePacks": by_conformance_packs,
    "GetAggregateComplianceDetailsByConfigRule": details_by_config_rule,
    "GetComplianceDetailsByConfigRule": details_by_own_rule,
}
