"""Waiting for what a test is about, and not for time."""

import os
import signal
import threading
import time


def wait_until(condition, patience=60.0):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "what the test waits for has not come about"
        time.sleep(0.01)


def interrupt_when(condition):
    """Press Ctrl-C, as soon as it is the time."""

    def press():
        wait_until(condition)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()


def fetching_has_ended():
    return not [t for t in threading.enumerate() if t.name == "sims-analysis-fetch"]
