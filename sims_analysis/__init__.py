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
    from sims_analysis.analysis.budget import depth_at_dose_fraction, dose_budget
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
    from sims_analysis.dataset.from_profiles import to_dataset
    from sims_analysis.dataset.provenance import provenance
    from sims_analysis.dataset.result import SIMSResult
    from sims_analysis.dataset.stacking import stack
    from sims_analysis.dataset.storage import load, save
    from sims_analysis.dataset.to_profiles import to_profiles
    from sims_analysis.dataset.unstacking import unstack
    from sims_analysis.errors import (
        AmbiguousJunctionWarning,
        ApiError,
        ArchiveError,
        ConnectionFailed,
        DoseWarning,
        FitWarning,
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
    from sims_analysis.examples.opening import open_example
    from sims_analysis.figures import plot_panels, plot_profiles, save_figure
    from sims_analysis.models.evaluation import evaluate, list_models
    from sims_analysis.models.fitting import fit
    from sims_analysis.models.interfaces import interface, layers
    from sims_analysis.models.resolution import convolve
    from sims_analysis.models.sheet import sheet_resistance
    from sims_analysis.output.export import to_csv, to_excel, to_tcad
    from sims_analysis.output.tables import results_table
    from sims_analysis.output.versions import show_versions
    from sims_analysis.profiles.profile import DepthProfile
    from sims_analysis.quantification.calibration import calibrate_depth
    from sims_analysis.quantification.concentration import to_concentration, with_rsf
    from sims_analysis.units import dequantify, quantify

_MODULES = {
    "analysis.alignment": ["align"],
    "analysis.budget": ["depth_at_dose_fraction", "dose_budget"],
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
    "dataset.stacking": ["stack"],
    "quantification.calibration": ["calibrate_depth"],
    "dataset.from_profiles": ["to_dataset"],
    "dataset.to_profiles": ["to_profiles"],
    "errors": [
        "AmbiguousJunctionWarning",
        "ApiError",
        "ArchiveError",
        "ConnectionFailed",
        "DoseWarning",
        "FitWarning",
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
    "examples.opening": ["open_example"],
    "models.evaluation": ["evaluate", "list_models"],
    "models.fitting": ["fit"],
    "models.interfaces": ["interface", "layers"],
    "models.resolution": ["convolve"],
    "models.sheet": ["sheet_resistance"],
    "output.export": ["to_csv", "to_excel", "to_tcad"],
    "figures": ["plot_panels", "plot_profiles", "save_figure"],
    "dataset.provenance": ["provenance"],
    "profiles.profile": ["DepthProfile"],
    "quantification.concentration": ["to_concentration", "with_rsf"],
    "dataset.result": ["SIMSResult"],
    "dataset.storage": ["load", "save"],
    "output.tables": ["results_table"],
    "units": ["dequantify", "quantify"],
    "dataset.unstacking": ["unstack"],
    "output.versions": ["show_versions"],
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
    "FitWarning",
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
    "convolve",
    "crossings",
    "cumulative_dose",
    "decay_length",
    "depth_at_dose_fraction",
    "dequantify",
    "detection_limit",
    "dose_budget",
    "errors",
    "evaluate",
    "fit",
    "integrated_dose",
    "interface",
    "interpolate",
    "junction_depth",
    "layers",
    "list_models",
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
    "sheet_resistance",
    "show_versions",
    "stack",
    "testing",
    "to_concentration",
    "to_csv",
    "to_dataset",
    "to_excel",
    "to_grid",
    "to_profiles",
    "to_tcad",
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
