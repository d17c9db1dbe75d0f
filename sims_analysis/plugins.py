"""What other packages add by entry points: a broken one is named and left out, never fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any

from sims_analysis.errors import SimsWarning, warn


def find(group: str, fault: Callable[[Any], str | None], taken: set[str]) -> Iterator[Any]:
    """Yield what is registered in a group of entry points, such as ``"sims_analysis.readers"``.

    `fault` says what is wrong with an object, or None; a class is called without arguments before.
    A plugin with a fault, or of a name that is taken, is left out with a warning that says where it
    comes from, and why.
    """
    taken = set(taken)
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        where = f"the plugin {entry.name!r} ({entry.value}"
        where += f", of {entry.dist.name} {entry.dist.version})" if entry.dist else ")"
        try:
            plugin = entry.load()
            plugin = plugin() if isinstance(plugin, type) else plugin
            reason = fault(plugin)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises costs it alone
            reason = f"{type(error).__name__}: {error}"
        if reason is None and plugin.name in taken:
            reason = f"the name {plugin.name!r} is taken"
        if reason is None:
            taken.add(plugin.name)
            yield plugin
        else:
            text = f"{where} in {group} is left out: {reason}"
            warn(text, SimsWarning, code="broken_plugin")
