"""Measures the program beside plain tools. See tests/bench/run."""

import contextlib
import glob
import gzip
import html
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

PROGRAM = os.path.abspath(sys.argv[1])
SMALL = bool(os.environ.get("AUDITFOLIO_BENCH_SMALL"))
HERE = os.path.dirname(os.path.abspath(__file__))


class Ran:
    """What a command took: seconds, its own processor seconds, peak memory in MB, its output and exit code."""

    def __init__(self, command, env=None, output=subprocess.DEVNULL, codes=(0,)):
        began = time.monotonic()
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.PIPE if output else None)
        text = process.stdout.read() if process.stdout else b""
        errors = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds = time.monotonic() - began
        self.processor = usage.ru_utime + usage.ru_stime
        self.megabytes = usage.ru_maxrss / 1024
        self.text = text.decode(errors="replace")
        self.code = os.waitstatus_to_exitcode(status)
        process.returncode = self.code
        if self.code not in codes:
            raise SystemExit(f"{command} ended with {self.code}\n{self.text}\n{errors.decode(errors='replace')}")


def line(name, value):
    print(f"  {name:<58} {value}", flush=True)


def best(runs):
    return min(runs, key=lambda run: run.seconds)


class Store:
    """The program's private Postgres, kept running by a server that nobody asks anything."""

    def __init__(self, folder):
        self.data = os.path.join(folder, "store")
        self.portal = Portal(["--data", self.data], os.environ)
        pid_file = next(iter(glob.glob(f"{self.data}/**/postmaster.pid", recursive=True)))
        with open(pid_file) as file:
            self.socket = file.read().splitlines()[4]

    def psql(self, database, *arguments):
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.socket, "-U", "auditfolio", "-d", database]
        return Ran([*command, *arguments], output=subprocess.PIPE).text

    def new(self, database):
        """A fresh, migrated database; gives the environment that names it."""
        self.psql("postgres", "-c", f"drop database if exists {database} with (force)", "-c", f"create database {database}")
        address = f"postgres://auditfolio@localhost/{database}?host={urllib.parse.quote(self.socket, safe='')}"
        env = {**os.environ, "DATABASE_URL": address}
        Ran([PROGRAM, "migrate"], env)
        return env

    def close(self):
        self.portal.close()


class Portal:
    """A server on a free port of loopback."""

    def __init__(self, arguments, env):
        import socket

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        bind = self.address.removeprefix("http://")
        self.process = subprocess.Popen(
            [PROGRAM, *arguments, "serve", "--bind", bind, "--demo-sign-in"], env=env, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 120
        while self.get("/sign-in")[0] != 200:
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit("the portal did not start")
            time.sleep(0.05)

    def get(self, path, cookie=""):
        request = urllib.request.Request(self.address + path, headers={"Cookie": cookie})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def sign_in(self):
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        request = urllib.request.Request(
            self.address + "/sign-in", data=b"role=administrator", headers={"Origin": self.address, "Sec-Fetch-Site": "same-origin"}
        )
        try:
            urllib.request.build_opener(Stay).open(request, timeout=60)
        except urllib.error.HTTPError as answer:
            return answer.headers["Set-Cookie"].split(";")[0]
        raise SystemExit("the sign-in did not answer as it should")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


DUCKDB = """
import duckdb, json, sys
files, largest = json.load(open(sys.argv[1]))
db = duckdb.connect()
db.execute("set threads = 2")
db.execute("set enable_progress_bar = false")
# Its reader keeps room for the largest object on each thread; many files in one statement add up until memory is gone.
print(sum(db.execute('''
    with item as (
        select unnest(configurationItems) as item from read_json($files, compression = 'gzip', maximum_object_size = $largest,
            columns = {configurationItems: 'struct(resourceType varchar, awsAccountId varchar, awsRegion varchar,
                configuration struct(configRuleList struct(configRuleName varchar, complianceType varchar)[]))[]'})
    ), evaluation as (
        select item.awsAccountId as account, item.awsRegion as region, unnest(item.configuration.configRuleList) as said
        from item where item.resourceType = 'AWS::Config::ResourceCompliance'
    ), counted as (
        select account, region, said.configRuleName, said.complianceType, count(*) as evaluations from evaluation group by all
    )
    select coalesce(sum(evaluations), 0)::bigint from counted''',
    {"files": files[first:first + 50], "largest": largest}).fetchone()[0] for first in range(0, len(files), 50)))
"""


def whole(path):
    """Whether a gzip file unpacks to its end, and to how many bytes."""
    try:
        with gzip.open(path) as file:
            return sum(len(piece) for piece in iter(lambda: file.read(1 << 20), b""))
    except (OSError, EOFError, zlib.error):
        return 0


def sample(folder, *options):
    Ran([PROGRAM, "sample", "--out", folder, *options])
    return sorted(glob.glob(f"{folder}/**/*.json.gz", recursive=True))


def collect(folder, store):
    accounts, days, resources = (12, 3, 100) if SMALL else (60, 6, 300)
    print(f"collect: {accounts} accounts x 3 Regions x {days} days x {resources} resources")
    bucket = os.path.join(folder, "bucket")
    files = sample(bucket, "--accounts", str(accounts), "--regions", "3", "--days", str(days), "--resources", str(resources))
    config = [file for file in files if re.search(r"/Config/.*/Config(Snapshot|History)/", file)]
    sizes = {file: whole(file) for file in config}
    line("files", f"{len(config):,}, {sum(map(os.path.getsize, config)) / 1e6:,.0f} MB, unpacked {sum(sizes.values()) / 1e6:,.0f} MB")
    listed = os.path.join(folder, "files")
    with open(listed, "wb") as file:
        file.write(b"\0".join(os.fsencode(name) for name in config))
    unpack = ["bash", "-c", f"xargs -0 -a {listed} -n 32 -P 2 gzip -dcq >/dev/null 2>&1 || true"]
    gzips, collects = [], []
    for turn in range(3):
        gzips.append(Ran(unpack))
        env = store.new(f"collect_{turn}")
        # Exit status 2: the sample has objects that nobody can read, which is as it should be.
        collects.append(Ran([PROGRAM, "collect", "--from", bucket], env, codes=(0, 2)))
    plain, mine = best(gzips), best(collects)
    line("gzip -dc by two processes", f"{plain.seconds:.2f} s")
    line("collect, Postgres included", f"{mine.seconds:.2f} s, {mine.megabytes:.0f} MB")
    line("ratio to gzip -dc (at most 3)", f"{mine.seconds / plain.seconds:.2f}")
    readable = os.path.join(folder, "readable.json")
    with open(readable, "w") as file:
        snapshots = [name for name in config if sizes[name] and "/ConfigSnapshot/" in name]
        json.dump([snapshots, max(sizes[name] for name in snapshots) + 1], file)
    duck = Ran([sys.executable, "-c", DUCKDB, readable], output=subprocess.PIPE)
    line("DuckDB, the snapshots' evaluations counted", f"{duck.seconds:.2f} s, {duck.megabytes:.0f} MB, {int(duck.text):,} evaluations")
    line("times faster than DuckDB (at least 5)", f"{duck.seconds / mine.seconds:.1f}")
    huge = os.path.join(folder, "huge")
    sample(huge, "--accounts", "1", "--regions", "1", "--days", "2", "--resources", "20", "--huge")
    ran = Ran([PROGRAM, "collect", "--from", huge], store.new("huge"), codes=(0, 2))
    line("with one snapshot of 300 MB (memory at most 250 MB)", f"{ran.seconds:.2f} s, {ran.megabytes:.0f} MB")


REPORTLAB = """
import sys
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table
rows = int(sys.argv[1])
style = getSampleStyleSheet()["BodyText"]
style.fontSize = 6
rules = ["securityhub-s3-bucket-public-read-prohibited-1a2b3c4d", "AWSControlTower_AWS-GR_EBS_OPTIMIZED_INSTANCE",
    "iam-user-mfa-enabled-conformance-pack-k3yq7n1xz", "encrypted-volumes"]
def cells(row):
    return [("CRITICAL", "HIGH", "MEDIUM", "LOW", "not rated")[row % 5], f"{100000000000 + row % 60:012}",
        ("eu-west-1", "eu-central-1", "ap-southeast-2")[row % 3], rules[row % 4],
        ("AWS::S3::Bucket", "AWS::EC2::Instance", "AWS::IAM::User", "AWS::EC2::Volume")[row % 4],
        f"resource-{row:07}-of-team-{row % 97}", "2026-11-22"]
story = []
for first in range(0, rows, 300):
    body = [[Paragraph(text, style) for text in cells(row)] for row in range(first, min(first + 300, rows))]
    story.append(Table(body, colWidths=[45, 60, 60, 130, 80, 110, 50]))
SimpleDocTemplate(sys.argv[2], pagesize=A4, leftMargin=20, rightMargin=20).build(story)
"""


def pdf(folder, _store):
    rows = 2_000 if SMALL else 20_000
    print(f"PDF: {rows:,} table rows of 7 cells")
    env = {**os.environ, "DATABASE_URL": ""}
    mine = best([Ran([PROGRAM, "bench-pack", str(rows)], env, output=subprocess.PIPE) for _ in range(3)])
    facts = json.loads(mine.text)
    line("drawn (at most 1 s, 150 MB)", f"{mine.seconds:.2f} s, {mine.megabytes:.0f} MB, {facts['pages']} pages")
    theirs = Ran([sys.executable, "-c", REPORTLAB, str(rows), os.path.join(folder, "reportlab.pdf")])
    line("ReportLab, Paragraph cells in tables of 300", f"{theirs.seconds:.2f} s, {theirs.megabytes:.0f} MB")
    line("times faster than ReportLab", f"{theirs.seconds / mine.seconds:.1f}")
    many = Ran([PROGRAM, "bench-pack", str(rows * 10)], env, output=subprocess.PIPE)
    facts = json.loads(many.text)
    line(f"{rows * 10:,} rows", f"{many.seconds:.2f} s, {many.megabytes:.0f} MB, {facts['pages']} pages, {facts['bytes'] / 1e6:.0f} MB of PDF")


def million(store, accounts):
    """A store of a million current evaluations for 60 accounts, made once."""
    name = f"million_{accounts}"
    if store.psql("postgres", "-At", "-c", f"select 1 from pg_database where datname = '{name}'").strip() == "1":
        address = f"postgres://auditfolio@localhost/{name}?host={urllib.parse.quote(store.socket, safe='')}"
        return {**os.environ, "DATABASE_URL": address, "AUDITFOLIO_ORGANIZATION": "Million"}
    env = store.new(name)
    store.psql(name, "-v", f"accounts={accounts}", "-f", os.path.join(HERE, "million.sql"))
    return {**env, "AUDITFOLIO_ORGANIZATION": "Million"}


def export(_folder, store):
    accounts = 6 if SMALL else 60
    env = million(store, accounts)
    print(f"export: {accounts * 3 * 5560:,} evaluations of one day, 90 days")
    for name, days in {"a day": ["--as-of", "2026-11-20"], "a period of 90 days": ["--from", "2026-08-24", "--until", "2026-11-21"]}.items():
        for form in ("csv", "jsonl"):
            ran = best([Ran([PROGRAM, "export", *days, "--format", form], env) for _ in range(2)])
            line(f"{name} as {form}", f"{ran.seconds:.2f} s, {ran.megabytes:.0f} MB")


PAGES = ["/", "/accounts", "/rules", "/evaluations?status=non-compliant", "/changes", "/delivery", "/collections", "/packs"]
# What a page links to: one of each kind. A rule is looked for that comes by a conformance pack, under many names.
FOUND = {
    "one account": r"/accounts/\d{12}[^\"]*",
    "one rule": r"/rules/core-[^\"?/]+[^\"/]*",
    "names of a rule": r"/rules/core-[^\"?/]+/names[^\"]*",
    "one resource": r"/resources\?[^\"]+",
    "one collection": r"/collections/1\?[^\"]*",
    "one pack": r"/packs/AF-[^\"/]+",
}
# Orders and filters that ask for other rows than a first page does.
FURTHER = {
    "evaluations by severity": "/evaluations?sort=-severity",
    "evaluations by status": "/evaluations?sort=status",
    "failures by age": "/evaluations?status=non-compliant&sort=since",
    "evaluations of one rule": "/evaluations?rule=core-rule-number-1-enabled",
    "overview of one Region": "/?region=eu-west-1",
    "overview by rule": "/?rule=core-rule-number-1-enabled",
    "overview by severity": "/?severity=critical",
    "overview by status": "/?status=non-compliant",
    "overview by resource type": "/?type=AWS::Service1::ThingB",
    "accounts by one rule": "/accounts?rule=core-rule-number-1-enabled",
    "changes of 60 days": "/changes?from=2026-09-22",
    "changes by severity": "/changes?sort=-severity",
    "changes by rule": "/changes?sort=rule",
    "changes by resource": "/changes?sort=resource",
    "objects": "/objects",
    "new pack": "/packs/new",
}


def page_paths(portal, cookie):
    """The pages by name: those of the sections, and one of each kind that they link to."""
    seen = "".join(portal.get(path, cookie)[1].decode(errors="replace") for path in PAGES)
    paths = {path: path for path in PAGES}
    for name, pattern in FOUND.items():
        found = re.search(f'href="({pattern})"', seen)
        if not found:
            raise SystemExit(f"no page links to {name}")
        paths[name] = html.unescape(found[1])
        seen += portal.get(paths[name], cookie)[1].decode(errors="replace")
    second = re.search(r'href="(/evaluations\?[^"#]*after=[^"#]*)', portal.get("/evaluations", cookie)[1].decode())
    paths["evaluations, second page"] = html.unescape(second[1])
    return {**paths, **FURTHER}


def first_visits(store, env, paths):
    """By page: what a server that remembers nothing takes for it, in milliseconds, and how many statements it runs; the
    job worker asks for work beside them."""
    logged = {**env, "DATABASE_URL": env["DATABASE_URL"] + "&options=" + urllib.parse.quote("-c log_statement=all")}
    log = os.path.join(store.data, "postgres.log")
    visits = {}
    for name, path in paths.items():
        portal = Portal([], logged)
        with contextlib.closing(portal):
            cookie = portal.sign_in()
            portal.get("/packs", cookie)  # Connections are open and the session is read.
            before = os.path.getsize(log)
            began = time.monotonic()
            portal.get(path, cookie)
            took = (time.monotonic() - began) * 1000
            with open(log, errors="replace") as file:
                file.seek(before)
                statements = re.findall(r"LOG:  (?:execute|statement)[^:]*: (?!begin|commit|rollback|set |update job)", file.read(), re.I)
            visits[name] = (took, len(statements))
    return visits


def milliseconds(text):
    """wrk's latency, such as 812.00us, 12.30ms or 1.02s."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def pages(_folder, store):
    sizes = (6, 60) if SMALL else (60, 600)
    slowest = {}
    for accounts in sizes:
        env = million(store, accounts)
        portal = Portal([], env)
        with contextlib.closing(portal):
            cookie = portal.sign_in()
            paths = page_paths(portal, cookie)
            visits = first_visits(store, env, paths)
            print(f"pages: {accounts * 3 * 5560:,} current evaluations, 90 days, 4 connections (p99 at most 50 ms at 1 M)")
            for name, path in paths.items():
                status, body = portal.get(path, cookie)
                if status != 200:
                    raise SystemExit(f"{path} answers {status}")
                seconds = "2s" if SMALL else "5s"
                wrk = ["wrk", "-t1", "-c4", f"-d{seconds}", "--latency", "-H", f"Cookie: {cookie}", portal.address + path]
                text = Ran(wrk, output=subprocess.PIPE).text
                found = re.search(r"^\s+99%\s+(\S+)\s*$", text, re.M)
                if not found:
                    raise SystemExit(f"{path}: no answer within {seconds}\n{text}")
                latency = milliseconds(found[1])
                rate = float(re.search(r"Requests/sec:\s+(\S+)", text)[1])
                failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
                slowest.setdefault(name, []).append(latency)
                note = f", {failed[1]} FAILED" if failed else ""
                first, statements = visits[name]
                line(name, f"p99 {latency:.1f} ms, {rate:.0f}/s, first {first:.0f} ms, {statements} queries, {len(body):,} bytes{note}")
    print("pages: p99 with ten times the evaluations, as a ratio")
    for name, (one, ten) in slowest.items():
        line(name, f"{ten / one:.1f}")


def main():
    wanted = sys.argv[2:] or ["collect", "pdf", "export", "pages"]
    measures = {"collect": collect, "pdf": pdf, "export": export, "pages": pages}
    unknown = [name for name in wanted if name not in measures]
    if unknown:
        raise SystemExit(f"not measured: {' '.join(unknown)}; known are {' '.join(measures)}")
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"{platform.system()} {platform.machine()}, {cores} cores, load {load:.1f} before the first measurement")
    if load > cores / 2:
        print("  other programs are busy here: seconds are not worth much, ratios a little more")
    folder = tempfile.mkdtemp(prefix="auditfolio-bench-")
    os.chmod(folder, 0o755)
    store = Store(folder)
    try:
        for name in wanted:
            measures[name](folder, store)
    finally:
        store.close()
        shutil.rmtree(folder, ignore_errors=True)


main()
