"""SIMS depth profiles: fetched, unit-aware, integrated, and honest about what is known.

The data flow in one direction::

    wire JSON / archive  ->  profiles  ->  Dataset  ->  metrics  ->  figure, table, netCDF
           api               profiles      dataset      analysis      figures, storage

Every public name is imported on first use, so that ``import sims_analysis`` is immediate.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sims_analysis._version import __version__

if TYPE_CHECKING:
    from sims_analysis import errors, testing
    from sims_analysis.analysis.crossings import crossings
    from sims_analysis.analysis.dose import cumulative_dose, integrated_dose
    from sims_analysis.analysis.interpolation import interpolate
    from sims_analysis.analysis.junction import junction_depth
    from sims_analysis.api.archive import Archive
    from sims_analysis.api.client import Client
    from sims_analysis.dataset import to_dataset
    from sims_analysis.delivered import to_profiles
    from sims_analysis.examples import open_example
    from sims_analysis.figures import plot_profiles
    from sims_analysis.profiles import DepthProfile, SIMSResult
    from sims_analysis.storage import load, save
    from sims_analysis.units import dequantify, quantify

_MODULES = {
    "analysis.crossings": ["crossings"],
    "analysis.dose": ["cumulative_dose", "integrated_dose"],
    "analysis.interpolation": ["interpolate"],
    "analysis.junction": ["junction_depth"],
    "api.archive": ["Archive"],
    "api.client": ["Client"],
    "dataset": ["to_dataset"],
    "delivered": ["to_profiles"],
    "examples": ["open_example"],
    "figures": ["plot_profiles"],
    "profiles": ["DepthProfile", "SIMSResult"],
    "storage": ["load", "save"],
    "units": ["dequantify", "quantify"],
}
_SUBMODULES = ("errors", "testing")
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Archive",
    "Client",
    "DepthProfile",
    "SIMSResult",
    "__version__",
    "crossings",
    "cumulative_dose",
    "dequantify",
    "errors",
    "integrated_dose",
    "interpolate",
    "junction_depth",
    "load",
    "open_example",
    "plot_profiles",
    "quantify",
    "save",
    "testing",
    "to_dataset",
    "to_profiles",
]


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
