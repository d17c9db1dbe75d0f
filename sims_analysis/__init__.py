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
    from sims_analysis.analysis.alignment import align
    from sims_analysis.analysis.budget import containing_depth, dose_budget
    from sims_analysis.analysis.comparison import compare, repeatability
    from sims_analysis.analysis.crossings import crossings
    from sims_analysis.analysis.cumulative import cumulative_dose
    from sims_analysis.analysis.detection import below_detection, detection_limit
    from sims_analysis.analysis.dose import integrated_dose
    from sims_analysis.analysis.grid import to_grid
    from sims_analysis.analysis.interpolation import interpolate
    from sims_analysis.analysis.junction import junction_depth
    from sims_analysis.analysis.metallurgical import metallurgical_junctions
    from sims_analysis.analysis.shape import decay_length, moments, peak
    from sims_analysis.analysis.uncertainty import poisson_interval, with_counting_statistics
    from sims_analysis.api.archive import Archive
    from sims_analysis.api.client import Client
    from sims_analysis.batches import stack
    from sims_analysis.calibration import calibrate_depth
    from sims_analysis.dataset import to_dataset
    from sims_analysis.delivered import to_profiles
    from sims_analysis.errors import (
        AmbiguousJunctionWarning,
        ApiError,
        ArchiveError,
        ConnectionFailed,
        DoseWarning,
        JunctionError,
        NotFound,
        PartialResultsError,
        PayloadError,
        ProfileError,
        ProfileWarning,
        RateLimited,
        RequestTimeout,
        SimsError,
        SimsWarning,
        SpeciesError,
        StatusError,
        Unauthorized,
        UnitsError,
    )
    from sims_analysis.examples import open_example
    from sims_analysis.export import to_csv, to_excel, to_simulator
    from sims_analysis.figures import plot_panels, plot_profiles, save_figure
    from sims_analysis.origin import provenance
    from sims_analysis.profiles import DepthProfile
    from sims_analysis.quantification import to_concentration, with_rsf
    from sims_analysis.results import SIMSResult
    from sims_analysis.storage import load, save
    from sims_analysis.tables import results_table
    from sims_analysis.units import dequantify, quantify
    from sims_analysis.unstacking import unstack
    from sims_analysis.versions import show_versions

_MODULES = {
    "analysis.alignment": ["align"],
    "analysis.budget": ["containing_depth", "dose_budget"],
    "analysis.comparison": ["compare", "repeatability"],
    "analysis.crossings": ["crossings"],
    "analysis.detection": ["below_detection", "detection_limit"],
    "analysis.cumulative": ["cumulative_dose"],
    "analysis.dose": ["integrated_dose"],
    "analysis.grid": ["to_grid"],
    "analysis.interpolation": ["interpolate"],
    "analysis.junction": ["junction_depth"],
    "analysis.metallurgical": ["metallurgical_junctions"],
    "analysis.shape": ["decay_length", "moments", "peak"],
    "analysis.uncertainty": ["poisson_interval", "with_counting_statistics"],
    "api.archive": ["Archive"],
    "api.client": ["Client"],
    "batches": ["stack"],
    "calibration": ["calibrate_depth"],
    "dataset": ["to_dataset"],
    "delivered": ["to_profiles"],
    "errors": [
        "AmbiguousJunctionWarning",
        "ApiError",
        "ArchiveError",
        "ConnectionFailed",
        "DoseWarning",
        "JunctionError",
        "NotFound",
        "PartialResultsError",
        "PayloadError",
        "ProfileError",
        "ProfileWarning",
        "RateLimited",
        "RequestTimeout",
        "SimsError",
        "SimsWarning",
        "SpeciesError",
        "StatusError",
        "Unauthorized",
        "UnitsError",
    ],
    "examples": ["open_example"],
    "export": ["to_csv", "to_excel", "to_simulator"],
    "figures": ["plot_panels", "plot_profiles", "save_figure"],
    "origin": ["provenance"],
    "profiles": ["DepthProfile"],
    "quantification": ["to_concentration", "with_rsf"],
    "results": ["SIMSResult"],
    "storage": ["load", "save"],
    "tables": ["results_table"],
    "units": ["dequantify", "quantify"],
    "unstacking": ["unstack"],
    "versions": ["show_versions"],
}
_SUBMODULES = ("errors", "testing")
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AmbiguousJunctionWarning",
    "ApiError",
    "Archive",
    "ArchiveError",
    "Client",
    "ConnectionFailed",
    "DepthProfile",
    "DoseWarning",
    "JunctionError",
    "NotFound",
    "PartialResultsError",
    "PayloadError",
    "ProfileError",
    "ProfileWarning",
    "RateLimited",
    "RequestTimeout",
    "SIMSResult",
    "SimsError",
    "SimsWarning",
    "SpeciesError",
    "StatusError",
    "Unauthorized",
    "UnitsError",
    "__version__",
    "align",
    "below_detection",
    "calibrate_depth",
    "compare",
    "containing_depth",
    "crossings",
    "cumulative_dose",
    "decay_length",
    "dequantify",
    "detection_limit",
    "dose_budget",
    "errors",
    "integrated_dose",
    "interpolate",
    "junction_depth",
    "load",
    "metallurgical_junctions",
    "moments",
    "open_example",
    "peak",
    "plot_panels",
    "plot_profiles",
    "poisson_interval",
    "provenance",
    "quantify",
    "repeatability",
    "results_table",
    "save",
    "save_figure",
    "show_versions",
    "stack",
    "testing",
    "to_concentration",
    "to_csv",
    "to_dataset",
    "to_excel",
    "to_grid",
    "to_profiles",
    "to_simulator",
    "unstack",
    "with_counting_statistics",
    "with_rsf",
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
