"""What the stand-in knows: its description, who holds which keys, what was asked, and what went wrong.

The description is a JSON object that control calls add to. Each part is told by its own module:
    {"roles":        [{"arn": "arn:aws:iam::*:role/AuditfolioMember", "external_id": "x"}],      sts.py
     "organization": {"id": ..., "accounts": [...], "units": [...]},                             organizations.py
     "config":       {"bucket": ..., "aggregators": [...], "rules": [...]},                      configuration.py
     "artifact":     {"reports": [...], "agreements": {...}},                                    artifact.py
     "athena":       {"workgroups": {...}, "max_active": 20, ...}}                               athena/service.py
"""

import threading
import time
from dataclasses import dataclass

from .contract import Contract
from .faults import Faults


@dataclass(frozen=True)
class Identity:
    """Whose keys a request was signed with."""

    account: str
    arn: str


class World:
    """The state of one running stand-in. Its lists may be read and written by every request's thread."""

    def __init__(self, account, region, folder):
        self.account = account
        self.region = region
        # For files that the query engine reads; removed at the end.
        self.folder = folder
        self.lock = threading.RLock()
        self.contract = Contract()
        self.faults = Faults()
        self.description = {}
        self.log = []
        self.violations = []
        self.states = {}
        self.sessions = {}
        self.expired = set()
        self.owner = Identity(account, f"arn:aws:iam::{account}:user/portal")

    def describe(self, description):
        """Merges a description into the one that is there: objects by member, everything else replaced."""
        with self.lock:
            self.description = merged(self.description, description)

    def part(self, name):
        with self.lock:
            return self.description.get(name) or {}

    def kept(self, key, make):
        """A service's own state, made when it is first asked for."""
        with self.lock:
            if key not in self.states:
                self.states[key] = make()
            return self.states[key]

    def identity(self, access_key):
        """Whom an access key belongs to: an assumed role's session, else the caller."""
        with self.lock:
            return self.sessions.get(access_key, self.owner)

    def opened(self, access_key, identity):
        with self.lock:
            self.sessions[access_key] = identity

    def expire_sessions(self):
        """Lets every session that was opened so far be expired."""
        with self.lock:
            self.expired.update(self.sessions)

    def violated(self, call, where, text):
        entry = {"service": call.service, "operation": call.operation, "where": where, "text": text}
        with self.lock:
            if entry not in self.violations:
                self.violations.append(entry)

    def record(self, entry):
        with self.lock:
            self.log.append({"at": time.time(), **entry})


def merged(old, new):
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
