"""Warnings of threads, and the progress bar."""

import io
import sys
import threading
import types

import pytest
from waits import wait_until

from sims_analysis.api import parallel
from sims_analysis.api.requests import Batch
from sims_analysis.errors import ProfileWarning, collected, warn
from sims_analysis.text import progress as shown


def test_warnings_of_threads_are_not_delayed():
    goes_on = threading.Event()

    def function(item, _):
        warn(f"{item} takes long", ProfileWarning)
        assert item == "first" or goes_on.wait(60)
        # A program that ends does not wait for them.
        assert item == "first" or threading.current_thread().daemon
        return item

    with collected() as warned:

        def end():
            wait_until(lambda: len(warned) == 3)
            goes_on.set()

        thread = threading.Thread(target=end)
        thread.start()
        results = parallel.each(function, ["first", "a", "b"], width=2, batch=Batch())
        assert sorted(results) == [("a", "a"), ("b", "b"), ("first", "first")]
        thread.join()
    assert {type(warning) for warning in warned} == {ProfileWarning}


def test_an_error_in_a_thread_is_raised_where_results_are_taken():
    def function(item, _):
        return {"first": 1, "a": 2}[item]

    with pytest.raises(KeyError, match="b"):
        list(parallel.each(function, ["first", "a", "b"], width=2, batch=Batch()))


# ---- the bar


def terminal(monkeypatch):
    """Let somebody look at stderr, without tqdm."""
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(shown.importlib.util, "find_spec", lambda _: None)
    return stream


@pytest.mark.parametrize(
    ("total", "show", "seen"),
    [(3, None, False), (4, None, True), (1, True, True), (9, False, False)],
)
def test_a_progress_bar_is_shown_for_many_or_on_request(total, show, seen, monkeypatch):
    watched = terminal(monkeypatch)
    with shown.progress(total, show) as step:
        for _ in range(total):
            step()
    lines = [f"\rfetching: {i + 1} of {total}" for i in range(total)]
    assert watched.getvalue() == ("".join(lines) + "\n" if seen else "")


def test_a_bar_says_what_is_done(monkeypatch):
    watched = terminal(monkeypatch)
    with shown.progress(5, what="reading the archive") as step:
        step()
    assert watched.getvalue() == "\rreading the archive: 1 of 5\n"


def test_only_terminals_and_notebooks_are_interactive(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        assert not shown.is_interactive()
    for shell, notebook in (("ZMQInteractiveShell", True), ("TerminalInteractiveShell", False)):
        made = type(shell, (), {})()
        module = types.SimpleNamespace(get_ipython=lambda made=made: made)
        monkeypatch.setitem(sys.modules, "IPython", module)
        assert shown.is_interactive() == notebook
