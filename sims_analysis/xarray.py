"""xarray's accessor: ``data.sims.peak()``.

Importing this module registers the accessor, and so does whatever makes a Dataset. Functions stay
the API: the accessor forwards to them, whatever their names, and knows nothing itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

import xarray as xr

import sims_analysis

__all__ = ["SimsAccessor", "forwarded"]

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)

if TYPE_CHECKING:

    class _Forward(Generic[P, R_co]):
        def __get__(self, accessor: object, owner: type) -> Callable[P, R_co]: ...

    def _forward(function: Callable[Concatenate[Any, P], R_co]) -> _Forward[P, R_co]: ...


#: What the first argument of a function is, if the function is one of data.
_DATA = {"xr.Dataset", "xr.DataArray", "Data", "Measurements"}


def forwarded() -> dict[str, Callable[..., Any]]:
    """Return the public functions whose first argument is data, by their names."""
    public = {name: getattr(sims_analysis, name) for name in dir(sims_analysis)}
    return {name: function for name, function in public.items() if _takes_data(function)}


def _takes_data(function: Any) -> bool:
    if not inspect.isfunction(function):
        return False
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and not _DATA.isdisjoint(str(first.annotation).split(" | "))


@xr.register_dataarray_accessor("sims")
@xr.register_dataset_accessor("sims")
class SimsAccessor:
    """The functions of sims_analysis as methods of a Dataset or DataArray.

    ``data.sims.junction_depth(level="1e18 atoms/cm^3")`` is
    ``sims_analysis.junction_depth(data, level="1e18 atoms/cm^3")``: with its signature, its
    docstring, its errors.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> print(f"{ds.sims.integrated_dose(stop='300 nm').sel(species='B').item():.3e}")
    5.031e+14
    """

    def __init__(self, data: Any) -> None:
        self._data = data

    if TYPE_CHECKING:
        # What a type checker and an editor see: tests/public_names.py writes them.
        align = _forward(sims_analysis.align)
        average = _forward(sims_analysis.average)
        below_detection = _forward(sims_analysis.below_detection)
        calibrate_depth = _forward(sims_analysis.calibrate_depth)
        capability = _forward(sims_analysis.capability)
        combine = _forward(sims_analysis.combine)
        compare = _forward(sims_analysis.compare)
        composition = _forward(sims_analysis.composition)
        control_chart = _forward(sims_analysis.control_chart)
        convolve = _forward(sims_analysis.convolve)
        correct_dead_time = _forward(sims_analysis.correct_dead_time)
        crossings = _forward(sims_analysis.crossings)
        cumulative_dose = _forward(sims_analysis.cumulative_dose)
        decay_length = _forward(sims_analysis.decay_length)
        deconvolve = _forward(sims_analysis.deconvolve)
        depth_at_dose_fraction = _forward(sims_analysis.depth_at_dose_fraction)
        dequantify = _forward(sims_analysis.dequantify)
        detection_limit = _forward(sims_analysis.detection_limit)
        dose_budget = _forward(sims_analysis.dose_budget)
        evaluate = _forward(sims_analysis.evaluate)
        explore = _forward(sims_analysis.explore)
        fit = _forward(sims_analysis.fit)
        integrated_dose = _forward(sims_analysis.integrated_dose)
        interface = _forward(sims_analysis.interface)
        interpolate = _forward(sims_analysis.interpolate)
        isotope_ratios = _forward(sims_analysis.isotope_ratios)
        junction_depth = _forward(sims_analysis.junction_depth)
        layers = _forward(sims_analysis.layers)
        mean_value = _forward(sims_analysis.mean_value)
        metallurgical_junctions = _forward(sims_analysis.metallurgical_junctions)
        moments = _forward(sims_analysis.moments)
        normalise = _forward(sims_analysis.normalise)
        peak = _forward(sims_analysis.peak)
        plot_budget = _forward(sims_analysis.plot_budget)
        plot_control_chart = _forward(sims_analysis.plot_control_chart)
        plot_panels: Callable[..., Any]
        plot_profiles: Callable[..., Any]
        plot_wafer_map = _forward(sims_analysis.plot_wafer_map)
        poisson_interval = _forward(sims_analysis.poisson_interval)
        provenance = _forward(sims_analysis.provenance)
        quality = _forward(sims_analysis.quality)
        quantify = _forward(sims_analysis.quantify)
        ratio = _forward(sims_analysis.ratio)
        repeatability = _forward(sims_analysis.repeatability)
        rescale_depth = _forward(sims_analysis.rescale_depth)
        results_table = _forward(sims_analysis.results_table)
        rsf_from_standard = _forward(sims_analysis.rsf_from_standard)
        samples = _forward(sims_analysis.samples)
        save = _forward(sims_analysis.save)
        scale_to_dose = _forward(sims_analysis.scale_to_dose)
        sheet_resistance = _forward(sims_analysis.sheet_resistance)
        splice = _forward(sims_analysis.splice)
        subtract_background = _forward(sims_analysis.subtract_background)
        surface_concentration = _forward(sims_analysis.surface_concentration)
        to_concentration = _forward(sims_analysis.to_concentration)
        to_csv = _forward(sims_analysis.to_csv)
        to_element = _forward(sims_analysis.to_element)
        to_excel = _forward(sims_analysis.to_excel)
        to_grid = _forward(sims_analysis.to_grid)
        to_profiles = _forward(sims_analysis.to_profiles)
        to_tcad = _forward(sims_analysis.to_tcad)
        uniformity = _forward(sims_analysis.uniformity)
        unstack = _forward(sims_analysis.unstack)
        with_counting_statistics = _forward(sims_analysis.with_counting_statistics)
        with_rsf = _forward(sims_analysis.with_rsf)
        with_units = _forward(sims_analysis.with_units)

    def __dir__(self) -> list[str]:
        return sorted(forwarded())

    def _of(self, name: str) -> Any:
        function = getattr(sims_analysis, name, None) if name in dir(sims_analysis) else None
        if function is not None and _takes_data(function):
            return MethodType(function, self._data)
        if function is None:
            raise AttributeError(
                f"sims_analysis has no function {name!r}; dir(data.sims) lists those of data"
            )
        raise AttributeError(
            f"{name} does not take data alone: call sims_analysis.{name}(...) itself"
        )

    if not TYPE_CHECKING:  # a checker then sees which names there are not
        __getattr__ = _of

    def __repr__(self) -> str:
        return f"<the functions of sims_analysis, for this {type(self._data).__name__}>"
