"""How the stand-in starts and ends."""

import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

from .harness import SERVE, StandIn


class Serve(unittest.TestCase):
    def gone(self, endpoint):
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(f"{endpoint}/-/log", timeout=5)

    def test_it_ends_when_its_standard_input_closes(self):
        aws = StandIn()
        self.assertEqual(aws.shown("log"), [])
        self.assertEqual(aws.close(), 0)
        self.gone(aws.endpoint)

    def test_it_ends_on_sigterm_and_leaves_no_folder(self):
        before = set(os.listdir("/tmp"))
        aws = StandIn()
        made = {name for name in set(os.listdir("/tmp")) - before if name.startswith("aws-stand-in-")}
        self.assertTrue(made)
        aws.process.send_signal(signal.SIGTERM)
        self.assertEqual(aws.process.wait(10), 0)
        aws.close()
        self.assertFalse(made & set(os.listdir("/tmp")))

    def test_it_ends_with_the_process_that_started_it(self):
        code = (
            "import subprocess, sys\n"
            "pipe = subprocess.PIPE\n"
            f"started = subprocess.Popen([sys.executable, {str(SERVE)!r}], stdin=pipe, stdout=pipe)\n"
            "print(started.stdout.readline().decode(), flush=True)\n"
            "print(started.pid, flush=True)\n"
        )
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        pid = int(ended.stdout.split()[-1])
        # Nobody holds the other end of its standard input any more. It is no child of this process: look for its end.
        deadline = time.monotonic() + 30
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        goes_on = alive(pid)
        if goes_on:
            os.kill(pid, signal.SIGKILL)
        self.assertFalse(goes_on)

    def test_a_folder_without_a_bucket_is_refused(self):
        ended = subprocess.run(
            [sys.executable, str(SERVE), "--folder", "/tmp"], capture_output=True, text=True, check=False
        )
        self.assertEqual(ended.returncode, 2)
        self.assertIn("--folder needs --bucket", ended.stderr)

    def test_a_control_call_that_cannot_be_done_says_why(self):
        aws = StandIn()
        self.addCleanup(aws.close)
        with self.assertRaisesRegex(ValueError, "no kind of fault"):
            aws.fault("flood")
        with self.assertRaisesRegex(ValueError, "is no folder"):
            aws.control("load", bucket="b", folder="/nowhere")
        with self.assertRaisesRegex(ValueError, "dance"):
            aws.control("dance")


def alive(pid):
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
