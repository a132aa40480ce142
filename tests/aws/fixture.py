"""Puts what `auditfolio sample` made into a bucket, and its account list into an organisation.

The `load` control call takes
    "bucket", "folder"        where to, and the sample's --out folder
    "versioned": true         keep versions in the bucket (when the call makes it)
    "until": "2026-10-05"     only files that were delivered by then: a file's modification time is its delivery's
    "organization": true      describe the organisation too: the newest account list by `until`, or the one named by
    "accounts": "accounts-2026-09-01.json"
Files that the bucket has already are left alone, so that loading twice with a later `until` brings the news only.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from moto.s3.models import s3_backends

# Organisational units of a sample's organisation, told by the accounts' names.
UNITS = [
    ("security", "Security", ("security-", "backup-")),
    ("production", "Production", ("-prod", "finance-", "hr-")),
    ("testing", "Non-production", ("-staging", "-dev", "-test", "dr-")),
    ("sandbox", "Sandbox", ("sandbox", "Research")),
]


def buckets(world):
    """moto's side of S3 for the account that the stand-in was started for."""
    return s3_backends[world.account]["aws"]


def make_bucket(world, name, versioned):
    backend = buckets(world)
    if name not in backend.buckets:
        backend.create_bucket(name, world.region)
        if versioned:
            backend.put_bucket_versioning(name, "Enabled")


def load(world, order):
    """Does a `load`; how many objects and bytes came."""
    folder, bucket = Path(order["folder"]), order["bucket"]
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    until = moment(order["until"]) if order.get("until") else None
    make_bucket(world, bucket, order.get("versioned", False))
    backend = buckets(world)
    held = backend.buckets[bucket].keys
    objects = size = 0
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if "AWSLogs/" not in key or not path.is_file() or key in held:
            continue
        delivered = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if until and delivered > until:
            continue
        body = path.read_bytes()
        backend.put_object(bucket, key, body).last_modified = delivered.replace(tzinfo=None)
        objects, size = objects + 1, size + len(body)
    if order.get("organization"):
        world.describe({"organization": organization(folder, order.get("accounts"), until)})
    return {"objects": objects, "bytes": size}


def moment(text):
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def organization(folder, name, until):
    """The description of a sample's organisation on the day of one of its account lists."""
    lists = sorted(folder.glob("accounts-*.json"))
    if name:
        chosen = folder / name
    else:
        day = until.date().isoformat() if until else "9999"
        known = [path for path in lists if path.stem.removeprefix("accounts-") <= day]
        if not known:
            raise ValueError(f"{folder} has no account list of {day} or before")
        chosen = known[-1]
    accounts = json.loads(chosen.read_text(encoding="utf-8"))["Accounts"]
    # arn:aws:organizations::MANAGEMENT:account/o-ID/ACCOUNT
    management, organization_id = accounts[0]["Arn"].split(":")[4], accounts[0]["Arn"].split("/")[1]
    short = organization_id[2:6]
    units = [{"id": f"ou-{short}-{word:0<8.8}", "name": title} for word, title, _ in UNITS]
    for account in accounts:
        for unit, (word, _, marks) in zip(units, UNITS, strict=True):
            if any(mark in account["Name"] for mark in marks):
                account["parent"] = unit["id"]
                account["tags"] = {"environment": word}
                break
    return {
        "id": organization_id,
        "management_account": management,
        "root": f"r-{short}",
        "units": units,
        "accounts": accounts,
    }
