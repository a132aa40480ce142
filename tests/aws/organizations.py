"""Organizations, answered from a description, because moto makes up the ids and dates of its accounts.

    "organization": {
        "id": "o-a1b2c3d4e5", "management_account": "111122223333", "root": "r-ab12", "root_tags": {},
        "units": [{"id": "ou-ab12-11111111", "name": "Production", "parent": "r-ab12", "tags": {"data": "card"}}],
        "accounts": [{"Id": ..., "Name": ..., "Email": ..., "Status": ..., "JoinedMethod": ..., "JoinedTimestamp": ...,
                      "parent": "ou-ab12-11111111", "tags": {"environment": "prod"}}],
        "delegated": ["999999999999"], "page_size": 20}
Members in AWS's spelling are passed on, dates as ISO 8601. The management account and the delegated ones may ask; the
account that the stand-in was started for is a delegated one unless "delegated" says otherwise.
"""

from datetime import datetime

from .answers import ServiceError
from .paging import answer, page

LARGEST_PAGE = 20


def organization(world, call):
    """The described organisation, for callers that may see it."""
    described = world.part("organization")
    if not described:
        raise ServiceError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    allowed = {described["management_account"], *described.get("delegated", [world.account])}
    if call.account not in allowed:
        raise ServiceError("AccessDeniedException", "You don't have permissions to access this resource.")
    return described


def base(described, kind):
    return f"arn:aws:organizations::{described['management_account']}:{kind}/{described['id']}"


def root_id(described):
    return described.get("root", "r-" + described["id"][2:6])


def shown_account(described, account):
    """An account as AWS shows it."""
    shown = {name: value for name, value in account.items() if name[0].isupper()}
    shown.setdefault("Arn", f"{base(described, 'account')}/{account['Id']}")
    shown.setdefault("State", shown["Status"])
    shown["JoinedTimestamp"] = datetime.fromisoformat(account["JoinedTimestamp"].replace("Z", "+00:00")).timestamp()
    return shown


def shown_unit(described, unit):
    return {"Id": unit["id"], "Name": unit["name"], "Arn": f"{base(described, 'ou')}/{unit['id']}"}


def size(described, call):
    return min(call.parameters.get("MaxResults", LARGEST_PAGE), described.get("page_size", LARGEST_PAGE))


def paged(name, entries, described, call):
    return answer(name, *page(call, entries, size(described, call), "InvalidInputException"))


def describe_organization(world, call):
    described = organization(world, call)
    management = described["management_account"]
    return {
        "Organization": {
            "Id": described["id"],
            "Arn": base(described, "organization"),
            "FeatureSet": "ALL",
            "MasterAccountId": management,
            "MasterAccountArn": f"{base(described, 'account')}/{management}",
            "MasterAccountEmail": described.get("email", "aws+management@example.com"),
            "AvailablePolicyTypes": [],
        }
    }


def list_accounts(world, call):
    described = organization(world, call)
    return paged("Accounts", [shown_account(described, one) for one in described["accounts"]], described, call)


def describe_account(world, call):
    described = organization(world, call)
    return {"Account": shown_account(described, account(described, call.parameters.get("AccountId")))}


def account(described, identifier):
    for one in described["accounts"]:
        if one["Id"] == identifier:
            return one
    raise ServiceError("AccountNotFoundException", "You specified an account that doesn't exist.")


def list_roots(world, call):
    described = organization(world, call)
    root = {
        "Id": root_id(described),
        "Arn": f"{base(described, 'root')}/{root_id(described)}",
        "Name": "Root",
        "PolicyTypes": [],
    }
    return paged("Roots", [root], described, call)


def list_units(world, call):
    described = organization(world, call)
    parent = known_parent(described, call)
    units = [
        shown_unit(described, one)
        for one in described.get("units", [])
        if one.get("parent", root_id(described)) == parent
    ]
    return paged("OrganizationalUnits", units, described, call)


def list_accounts_for_parent(world, call):
    described = organization(world, call)
    parent = known_parent(described, call)
    found = [one for one in described["accounts"] if one.get("parent", root_id(described)) == parent]
    return paged("Accounts", [shown_account(described, one) for one in found], described, call)


def known_parent(described, call):
    parent = call.parameters.get("ParentId")
    if parent != root_id(described) and all(one["id"] != parent for one in described.get("units", [])):
        raise ServiceError("ParentNotFoundException", "You specified parent that doesn't exist.")
    return parent


def list_parents(world, call):
    described = organization(world, call)
    child = call.parameters.get("ChildId")
    for one in described["accounts"] + described.get("units", []):
        if child in (one.get("Id"), one.get("id")):
            parent = one.get("parent", root_id(described))
            kind = "ROOT" if parent == root_id(described) else "ORGANIZATIONAL_UNIT"
            return paged("Parents", [{"Id": parent, "Type": kind}], described, call)
    raise ServiceError("ChildNotFoundException", "You specified an organizational unit or account that doesn't exist.")


def describe_unit(world, call):
    described = organization(world, call)
    for one in described.get("units", []):
        if one["id"] == call.parameters.get("OrganizationalUnitId"):
            return {"OrganizationalUnit": shown_unit(described, one)}
    raise ServiceError(
        "OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist."
    )


def list_tags(world, call):
    described = organization(world, call)
    wanted = call.parameters.get("ResourceId")
    tags = {root_id(described): described.get("root_tags", {})}
    tags.update({one["Id"]: one.get("tags", {}) for one in described["accounts"]})
    tags.update({one["id"]: one.get("tags", {}) for one in described.get("units", [])})
    if wanted not in tags:
        raise ServiceError("TargetNotFoundException", "You specified a target that doesn't exist.")
    return paged("Tags", [{"Key": key, "Value": value} for key, value in tags[wanted].items()], described, call)


OPERATIONS = {
    "DescribeOrganization": describe_organization,
    "ListAccounts": list_accounts,
    "DescribeAccount": describe_account,
    "ListRoots": list_roots,
    "ListOrganizationalUnitsForParent": list_units,
    "DescribeOrganizationalUnit": describe_unit,
    "ListAccountsForParent": list_accounts_for_parent,
    "ListParents": list_parents,
    "ListTagsForResource": list_tags,
}
