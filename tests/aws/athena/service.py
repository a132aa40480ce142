"""Athena's operations.

    "athena": {
        "workgroups": {"primary": {"output": "s3://results/athena/", "enforced": false, "managed": false,
                                   "cutoff": 10000000, "state": "ENABLED"}},
        "states": ["QUEUED", "RUNNING"],      what GetQueryExecution says, call by call, before how it really stands
        "max_active": 20, "page_size": 1000, "today": "2026-10-31"}     today: what NOW is in a table's projection
Without a description there is the workgroup "primary", without a place for results.
"""

import threading
import time
import uuid
from dataclasses import dataclass, field

from ..answers import ServiceError
from ..calls import Call
from ..fixture import buckets
from ..paging import page
from . import sql
from .catalog import Catalog
from .failure import CANCELLED, NO_BUCKET, USER, Malformed, QueryFailure
from .results import Result
from .run import Run

ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
STATES = ("QUEUED", "RUNNING")
LONGEST_QUERY = 262_144


@dataclass
class Execution:
    """A query that was started."""

    identifier: str
    call: Call
    asked: dict
    workgroup: str
    output: str
    states: list
    run: Run | None = None
    state: str = "RUNNING"
    error: QueryFailure | None = None
    result: Result | None = None
    order: dict | None = None
    held_until: int | None = None
    started: float = field(default_factory=time.time)
    ended: float | None = None

    @property
    def ddl(self):
        return sql.is_ddl(self.asked["QueryString"])


class Athena:
    """The executions and tables of one account and Region."""

    def __init__(self):
        self.lock = threading.RLock()
        self.catalog = Catalog()
        self.executions = {}
        self.tokens = {}


def athena(world, call):
    return world.kept(("athena", call.account, call.region), Athena)


def invalid(message, code="INVALID_INPUT"):
    return ServiceError("InvalidRequestException", message, AthenaErrorCode=code)


def workgroup(world, name):
    groups = world.part("athena").get("workgroups") or {"primary": {}}
    if name not in groups:
        raise invalid(f"WorkGroup {name} is not found.")
    return groups[name]


def start(world, call):
    """Starts a query, or finds the one that the same token started."""
    asked = call.parameters
    here = athena(world, call)
    token = asked.get("ClientRequestToken")
    same = {name: value for name, value in asked.items() if name != "ClientRequestToken"}
    with here.lock:
        if token in here.tokens:
            known = here.executions[here.tokens[token]]
            if known.asked != same:
                raise invalid("Idempotent parameters do not match")
            return {"QueryExecutionId": known.identifier}
        execution = admitted(world, call, here, same)
        here.executions[execution.identifier] = execution
        if token:
            here.tokens[token] = execution.identifier
    threading.Thread(target=carry_out, args=(world, here, execution), daemon=True).start()
    return {"QueryExecutionId": execution.identifier}


def admitted(world, call, here, asked):
    """A new execution, unless Athena would refuse to start it."""
    described = world.part("athena")
    token = call.parameters.get("ClientRequestToken")
    if token is not None and not 32 <= len(token) <= 128:
        raise invalid("ClientRequestToken has 32 to 128 characters")
    name = asked.get("WorkGroup", "primary")
    group = workgroup(world, name)
    if group.get("state", "ENABLED") != "ENABLED":
        raise invalid(f"WorkGroup {name} is disabled.")
    text = asked["QueryString"]
    if len(text.encode()) > LONGEST_QUERY:
        raise invalid(f"The query has more than {LONGEST_QUERY} bytes")
    if sql.is_ddl(text) and asked.get("ExecutionParameters"):
        raise invalid("Execution parameters are supported for DML statements only")
    try:
        sql.statement(text)
    except Malformed as error:
        raise invalid(str(error), "MALFORMED_QUERY") from None
    limit = described.get("max_active", 20)
    if sum(1 for one in here.executions.values() if one.state not in ENDED or held(world, one)) >= limit:
        message = "You have exceeded the limit for the number of queries you can run concurrently."
        raise ServiceError("TooManyRequestsException", message, Reason="CONCURRENT_QUERY_LIMIT_EXCEEDED")
    states = list(described.get("states", STATES))
    if call.fault("requeue"):
        states += ["QUEUED", "RUNNING"]
    execution = Execution(str(uuid.uuid4()), call, asked, name, output(group, asked), states)
    failed = call.fault("query_failed")
    execution.order = failed.details if failed else None
    execution.held_until = world.faults.cleared + 1 if call.fault("hold") else None
    execution.run = Run(world, here.catalog, group.get("cutoff"))
    return execution


def output(group, asked):
    """Where the result goes; nowhere in a workgroup that keeps results itself."""
    if group.get("managed"):
        return None
    own = (asked.get("ResultConfiguration") or {}).get("OutputLocation")
    place = group.get("output") if group.get("enforced") else own or group.get("output")
    if not place:
        raise invalid(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    return place if place.endswith("/") else place + "/"


def held(world, execution):
    return execution.held_until is not None and world.faults.cleared < execution.held_until


def carry_out(world, here, execution):
    """Runs a query to its end, on a thread of its own."""
    state, error = "SUCCEEDED", None
    try:
        result = Result(world.folder, execution.identifier)
        outcome(here, execution, result)
        if execution.output:
            keep(world, execution, result)
        execution.result = result
    except QueryFailure as failure:
        state, error = "CANCELLED" if failure.error_type == CANCELLED else "FAILED", failure
    except Exception as failure:  # A mistake of the stand-in's: the query ends, and says whose fault it is.
        state, error = "FAILED", QueryFailure(f"the stand-in failed: {failure!r}", USER, 3)
        world.violated(execution.call, "run", repr(failure))
    with here.lock:
        if execution.state not in ENDED:
            execution.state, execution.error, execution.ended = state, error, time.time()
    execution.run.connection.close()


def outcome(here, execution, result):
    asked, order = execution.asked, execution.order
    database = (asked.get("QueryExecutionContext") or {}).get("Database", "default")
    if order is not None:
        reason = order.get("message", "Query exhausted resources at this scale factor")
        raise QueryFailure(reason, order.get("error_type", 0), order.get("category", 1), order.get("retryable", True))
    if execution.ddl:
        here.catalog.declare(sql.statement(asked["QueryString"])[0], database)
    else:
        result.write(execution.run.ask(asked["QueryString"], asked.get("ExecutionParameters", []), database))


def location(execution):
    """The full address of the result."""
    return execution.output + execution.identifier + (".txt" if execution.ddl else ".csv")


def keep(world, execution, result):
    """Puts the result into its bucket."""
    bucket, _, key = location(execution).removeprefix("s3://").partition("/")
    if bucket not in buckets(world).buckets:
        raise QueryFailure(
            f"The S3 location provided to save your query results is invalid: bucket {bucket}", NO_BUCKET
        )
    body = b"" if execution.ddl else result.csv.read_bytes()
    buckets(world).put_object(bucket, key, body)
    if not execution.ddl:
        # Athena's own binary form; nobody reads it.
        buckets(world).put_object(bucket, key + ".metadata", b"\x00")


def execution_of(world, call):
    here = athena(world, call)
    found = here.executions.get(call.parameters.get("QueryExecutionId"))
    if found is None:
        raise invalid(f"QueryExecution {call.parameters.get('QueryExecutionId')} was not found")
    return here, found


def get(world, call):
    here, execution = execution_of(world, call)
    with here.lock:
        return {"QueryExecution": shown(world, execution)}


def shown(world, execution):
    """An execution as AWS shows it; its states before the end are given out one a call."""
    state = execution.states.pop(0) if execution.states else execution.state
    if state in ENDED and held(world, execution):
        state = "RUNNING"
    ended = state in ENDED
    found = {
        "QueryExecutionId": execution.identifier,
        "Query": execution.asked["QueryString"],
        "StatementType": "DDL" if execution.ddl else "DML",
        "QueryExecutionContext": execution.asked.get("QueryExecutionContext", {}),
        "Status": {"State": state, "SubmissionDateTime": execution.started},
        "Statistics": statistics(execution) if ended else {},
        "WorkGroup": execution.workgroup,
        "EngineVersion": ENGINE,
    }
    if not execution.ddl:
        found["SubstatementType"] = "SELECT"
    if execution.asked.get("ExecutionParameters"):
        found["ExecutionParameters"] = execution.asked["ExecutionParameters"]
    if execution.output:
        found["ResultConfiguration"] = {"OutputLocation": location(execution)}
    else:
        found["ManagedQueryResultsConfiguration"] = {"Enabled": True}
    if ended:
        found["Status"]["CompletionDateTime"] = execution.ended
        if execution.error:
            found["Status"]["StateChangeReason"] = execution.error.reason
            if state == "FAILED":
                found["Status"]["AthenaError"] = execution.error.shown()
    return found


def statistics(execution):
    milliseconds = int((execution.ended - execution.started) * 1000)
    return {
        "EngineExecutionTimeInMillis": milliseconds,
        "DataScannedInBytes": execution.run.scanned,
        "TotalExecutionTimeInMillis": milliseconds + 60,
        "QueryQueueTimeInMillis": 50,
        "QueryPlanningTimeInMillis": 5,
        "ServiceProcessingTimeInMillis": 10,
        "ResultReuseInformation": {"ReusedPreviousResult": False},
    }


def batch_get(world, call):
    here = athena(world, call)
    wanted = call.parameters.get("QueryExecutionIds", [])
    with here.lock:
        found = [shown(world, here.executions[one]) for one in wanted if one in here.executions]
    missing = [one for one in wanted if one not in here.executions]
    unprocessed = [
        {"QueryExecutionId": one, "ErrorCode": "INVALID_INPUT", "ErrorMessage": "not found"} for one in missing
    ]
    return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": unprocessed}


def stop(world, call):
    """Cancels a query. One that has ended stays as it is, as the stop has then lost the race."""
    here, execution = execution_of(world, call)
    with here.lock:
        if execution.state not in ENDED or held(world, execution):
            execution.state, execution.ended = "CANCELLED", time.time()
            execution.error = QueryFailure("Query cancelled by user", CANCELLED)
            execution.states.clear()
            execution.held_until = None
            execution.run.cancel()
    return {}


def get_results(world, call):
    here, execution = execution_of(world, call)
    with here.lock:
        state = execution.states[0] if execution.states else execution.state
        if state not in ENDED or held(world, execution):
            raise invalid(f"Query has not yet finished. Current state: {state}", "INVALID_QUERY_EXECUTION_STATE")
        if state != "SUCCEEDED":
            raise invalid(
                f"Query did not finish successfully. Final query state: {state}", "INVALID_QUERY_EXECUTION_STATE"
            )
    size = min(call.parameters.get("MaxResults", 1000), world.part("athena").get("page_size", 1000))
    result = execution.result
    start, token = page(call, range(len(result.offsets)), size, "InvalidRequestException")
    rows = result.rows(start[0], len(start)) if start else []
    found = {"UpdateCount": 0, "ResultSet": {"Rows": rows, "ResultSetMetadata": result.metadata()}}
    return {**found, "NextToken": token} if token else found


def get_workgroup(world, call):
    name = call.parameters.get("WorkGroup")
    group = workgroup(world, name)
    configuration = {
        "EnforceWorkGroupConfiguration": group.get("enforced", False),
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": False,
        "EngineVersion": ENGINE,
        "ResultConfiguration": {"OutputLocation": group["output"]} if group.get("output") else {},
        "ManagedQueryResultsConfiguration": {"Enabled": group.get("managed", False)},
    }
    if group.get("cutoff"):
        configuration["BytesScannedCutoffPerQuery"] = group["cutoff"]
    created = 1_700_000_000.0
    return {
        "WorkGroup": {
            "Name": name,
            "State": group.get("state", "ENABLED"),
            "Configuration": configuration,
            "CreationTime": created,
        }
    }


OPERATIONS = {
    "StartQueryExecution": start,
    "GetQueryExecution": get,
    "BatchGetQueryExecution": batch_get,
    "StopQueryExecution": stop,
    "GetQueryResults": get_results,
    "GetWorkGroup": get_workgroup,
}
