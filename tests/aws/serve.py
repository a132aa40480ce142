#!/usr/bin/env python3
"""Starts the AWS stand-in: one loopback port that speaks S3, STS, Organizations, Secrets Manager, Config, Athena and Artifact.

    tests/.venv/bin/python tests/aws/serve.py [--account ID] [--bucket NAME --folder DIR] [--describe FILE]

Prints one line of JSON as soon as it listens, for example
    {"endpoint": "http://127.0.0.1:40123", "region": "eu-central-1", "account": "999999999999", "environment": {...}}
and ends when its standard input closes or on SIGTERM, so that a test that dies leaves nothing behind (`--keep` ignores
standard input, for use by hand). `environment` holds the variables that point an AWS SDK here: AWS_ENDPOINT_URL, a
key pair, AWS_REGION and AWS_EC2_METADATA_DISABLED.

Who answers: S3, STS AssumeRole and Secrets Manager are moto's; Organizations, Config, Athena and Artifact are written
here, because moto makes up account ids and has neither the aggregator's operations nor a query engine, nor Artifact. Whatever passes is
held against botocore's service models; what does not fit is kept as a violation, and a test is expected to ask for
violations at its end. Every access key is the caller's, unless AssumeRole gave it out.

Control calls, all JSON, none signed:
    POST /-/control {"do": "describe", "description": {...}}   merges into the description, see world.py
    POST /-/control {"do": "load", "bucket": B, "folder": D}   puts a sample's AWSLogs/ files into a bucket, fixture.py:
         "versioned": true, "until": "2026-10-05T12:00:00Z" (by delivery time), "organization": true
    POST /-/control {"do": "fault", "fault": {"kind": "throttle", "service": "config", ...}}        see faults.py
    POST /-/control {"do": "document", "name": "report-0123456789abcdef 1"}    what a report is, in hex
    POST /-/control {"do": "clear_faults"} | {"do": "clear_log"} | {"do": "expire_sessions"}
    GET  /-/log         every request: service, operation, account, region, bucket, key, status, bytes
    GET  /-/violations  what did not fit the service models, or was asked for and is not there
    GET  /-/faults      the faults that are still to come
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run as a script, Python looks for modules in this folder; the package is found from the one above.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from aws.main import main

    main()
