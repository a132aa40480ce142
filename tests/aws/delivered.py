"""What the newest delivered snapshot of each account and Region says, read from the bucket as anybody could."""

import gzip
import json
import re
import threading
import zlib
from collections import namedtuple

from moto.s3.models import FakeDeleteMarker

from .fixture import buckets

SNAPSHOT = re.compile(
    r"(?:^|/)AWSLogs/(?P<account>\d{12})/Config/(?P<region>[\w-]+)/\d+/\d+/\d+/ConfigSnapshot/"
    r"[^/]+_ConfigSnapshot_(?P<taken>\d{8}T\d{6}Z)_[^/_]+\.json\.gz$"
)
COMPLIANCE = "AWS::Config::ResourceCompliance"
PACK = "AWS::Config::ConformancePackCompliance"

# A rule as its items name it, one result of a rule, one conformance pack's result.
Rule = namedtuple("Rule", "name arn id")
Result = namedtuple("Result", "rule resource_type resource_id compliance captured")
Pack = namedtuple("Pack", "name compliance compliant non_compliant total")


class Place:
    """One snapshot's rules, results and packs."""

    def __init__(self, items, taken):
        self.taken = taken
        self.rules = {}
        self.results = []
        self.packs = []
        newest = {}
        for item in items:
            if item.get("resourceType") in (COMPLIANCE, PACK):
                # An older item of the same resource may stand beside the newer one.
                name = (item["resourceType"], item["resourceId"])
                newest[name] = max(newest.get(name, item), item, key=lambda one: one["configurationItemCaptureTime"])
        for (kind, _), item in sorted(newest.items()):
            if item.get("configuration"):
                (self.add_results if kind == COMPLIANCE else self.add_pack)(item, item["configuration"])

    def rule(self, entry):
        """A rule by its entry in an item; a pack's entry has no id, but the ARN ends with it."""
        identifier = entry.get("configRuleId") or entry["configRuleArn"].rpartition("/")[2]
        rule = Rule(entry["configRuleName"], entry["configRuleArn"], identifier)
        return self.rules.setdefault(rule.name, rule)

    def add_results(self, item, body):
        for entry in body.get("configRuleList", []):
            target = (body["targetResourceType"], body["targetResourceId"])
            captured = item["configurationItemCaptureTime"]
            self.results.append(Result(self.rule(entry).name, *target, entry["complianceType"], captured))

    def add_pack(self, item, body):
        counts = (body["compliantRuleCount"], body["nonCompliantRuleCount"], body["totalRuleCount"])
        self.packs.append(Pack(item["resourceName"], body["complianceType"], *counts))
        for entry in body.get("configRuleList", []):
            self.rule(entry)


class Reader:
    """Reads snapshots, each once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.read = {}

    def places(self, world, bucket):
        """The newest readable snapshot of each (account, Region), in their order."""
        held = buckets(world).buckets[bucket].keys
        snapshots = {}
        for key in list(held):
            match = SNAPSHOT.search(key)
            if match and not isinstance(held[key], FakeDeleteMarker):
                snapshots.setdefault((match["account"], match["region"]), []).append((match["taken"], key))
        found = {}
        for place, candidates in sorted(snapshots.items()):
            for taken, key in sorted(candidates, reverse=True):
                read = self.snapshot(held[key], key, taken)
                if read:
                    found[place] = read
                    break
        return found

    def snapshot(self, stored, key, taken):
        """A snapshot's contents; none where it cannot be read."""
        with self.lock:
            name = (key, stored.etag)
            if name not in self.read:
                self.read[name] = parsed(stored.value, taken)
            return self.read[name]


def parsed(packed, taken):
    try:
        document = json.loads(gzip.decompress(packed))
        return Place(document["configurationItems"], taken)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return None


READER = Reader()
