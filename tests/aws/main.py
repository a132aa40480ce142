"""The stand-in's command line: settings, the line that says it is ready, and its end."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

KEY = "AKIAAUDITFOLIOPORTAL"
SECRET = "stand-in-secret-that-opens-nothing"


def main(arguments=None):
    """Serves until standard input closes or SIGTERM comes, and ends the process."""
    options = parse(arguments)
    # moto reads this once, when it is imported: the account whose keys the caller holds.
    os.environ["MOTO_ACCOUNT_ID"] = options.account
    folder = Path(tempfile.mkdtemp(prefix="aws-stand-in-"))
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        server = start(options, folder)
        if not options.keep:
            threading.Thread(target=wait_for_end_of_input, args=(ended,), daemon=True).start()
        ended.wait()
        server.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # Threads of requests and queries may be in the middle of something: the interpreter does not unwind under them.
    sys.stdout.flush()
    os._exit(0)


def parse(arguments):
    parser = argparse.ArgumentParser(description="A stand-in for AWS on a loopback port.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--account", default="999999999999", help="the account that the caller's keys belong to")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--bucket", help="a bucket to make at the start")
    parser.add_argument("--folder", help="what `auditfolio sample` made, for that bucket; brings the organisation too")
    parser.add_argument("--versioned", action="store_true", help="keep versions in that bucket")
    parser.add_argument("--describe", help="a JSON file with a description, see world.py")
    parser.add_argument("--keep", action="store_true", help="go on when standard input closes")
    options = parser.parse_args(arguments)
    if options.folder and not options.bucket:
        parser.error("--folder needs --bucket")
    return options


def start(options, folder):
    """Starts serving on a thread of its own and says where."""
    from . import fixture
    from .front import Server
    from .world import World

    world = World(options.account, options.region, folder)
    if options.bucket:
        fixture.make_bucket(world, options.bucket, options.versioned)
    if options.folder:
        fixture.load(world, {"bucket": options.bucket, "folder": options.folder, "organization": True})
    if options.describe:
        world.describe(json.loads(Path(options.describe).read_text(encoding="utf-8")))
    server = Server(options.port, world)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    ready = {
        "endpoint": endpoint,
        "region": options.region,
        "account": options.account,
        "environment": {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": options.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
    }
    print(json.dumps(ready), flush=True)
    return server


def wait_for_end_of_input(ended):
    # Not by sys.stdin, whose lock this thread would still hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    ended.set()
