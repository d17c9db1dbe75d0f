"""What shape has this profile: models fitted, with the errors of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import Relative
from sims_analysis.errors import ProfileError
from sims_analysis.fitting.arguments import read_links, read_repeat, read_request
from sims_analysis.fitting.groups import fit_each, with_layers_counted
from sims_analysis.fitting.request import FitRequest
from sims_analysis.fitting.result import fit_dataset
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy
from sims_analysis.frame.opening import open_frame
from sims_analysis.shapes import find_model
from sims_analysis.shapes.layered_model import LayeredModel
from sims_analysis.shapes.model import Model
from sims_analysis.text.arguments import check_bool, format_argument
from sims_analysis.text.progress import progress as progress_bar
from sims_analysis.units import ParameterLike, QuantityLike

#: So many profiles take long enough for a progress bar.
_BAR_FROM = 50
#: A value and its standard uncertainty.
Known = tuple[float | QuantityLike, float | QuantityLike]
Weights = Literal["auto", "counts", "stderr", "log", "none"]

_ERRORS = (
    "68 %, from the inverse Fisher information (or the curvature of the likelihood between minima "
    "of a dual Pearson distribution), wider where other minima do nearly as well; where the "
    "objective is not that of counts or standard errors, scaled by the scatter about the model"
)


@recorded
def fit(
    data: xr.Dataset | xr.DataArray,
    model: str | Model,
    *,
    variable: str | None = None,
    repeat: int | Literal["auto"] | None = None,
    shared: Sequence[str] | None = None,
    over: str | None = None,
    prior: Mapping[str, Known | list[Known]] | None = None,
    depth_uncertainty: Relative | None = None,
    rsf_uncertainty: Relative | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | None = None,
    weights: Weights = "auto",
    cell: Literal["auto", "point", "mean"] = "auto",
    fixed: Mapping[str, float | QuantityLike] | None = None,
    detection_limit: ParameterLike | None = None,
    interval: Literal["linear", "profile"] = "linear",
    time: ParameterLike | None = None,
    as_implanted: xr.Dataset | xr.DataArray | QuantityLike | None = None,
    surface: Literal["reflecting", "absorbing"] = "reflecting",
    gaps: GapPolicy = "flag",
    progress: bool | None = None,
) -> xr.Dataset:
    """Fit a model to each profile, and say how well its parameters are known.

    Not to be trusted where samples are not independent, as smoothed ones are, and for parts of a
    ``"dual_pearson"`` with few counts: errors are too small. See *How a fit is done*, on the site.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth; shapes (Gaussians, edges, delta layers) also over sputter time.
    model : str or Model
        One of :func:`list_models`, or a :class:`Model` of your own.
    variable : str, optional
        In a Dataset, by default the one in which the species was measured, concentrations first.
    repeat : int or "auto", optional
        How many layers, a sum of the model; ``"auto"`` counts them, of linked profiles the most.
    shared, over : sequence of str, and str, optional
        Parameters that profiles have in common, and the dimension along which, or ``"layer"``.
    prior : mapping, optional
        What is known of parameters, and its uncertainty: ``{"sigma": ("1.6 nm", "0.2 nm")}``.
    depth_uncertainty, rsf_uncertainty : float, str, DataArray or mapping, optional
        Relative standard uncertainties of scales, ``"3 %"``; by default what the data state.
    start, stop : str, Quantity or DataArray, optional
        The window, such as that below the surface transient.
    background : str, Quantity or DataArray, optional
        A constant under the profile: ``"fit"``, or its value. By default there is none.
    weights : {"auto", "counts", "stderr", "log", "none"}
        The objective: the Poisson deviance of counts, squares over standard errors, squares of ln
        C, or plain squares; ``"auto"`` takes the first for which a profile has what it needs.
    cell : {"auto", "point", "mean"}
        Whether a sample is the mean over its cell; by default where the data state cells.
    fixed : mapping, optional
        Parameters that are held: ``{"skewness": 0, "sigma": "1.2 nm"}``. They have no error.
    detection_limit : str, Quantity or DataArray, optional
        For ``"log"``: samples below it count as such; without it those not above 0 are left out.
    interval : {"linear", "profile"}
        ``"profile"`` adds the ends of 68 % intervals by the profile of the likelihood.
    time : str, Quantity or DataArray, optional
        Duration of the diffusion, ``"30 min"``: models of diffusion then give ``diffusivity``.
    as_implanted, surface : Dataset, DataArray, str or Quantity, and str, optional
        For ``"annealed_implant"``: a fit before the anneal, its straggle, or that profile itself;
        whether the surface reflects (``"reflecting"``) or takes (``"absorbing"``) what reaches it.
    gaps, progress
        As for :func:`integrated_dose`; a bar on the terminal, by default of many profiles.

    Returns
    -------
    Dataset
        Over the profiles:

        - ``<name>``, ``<name>_stderr``: each parameter, what follows from them, and scales; also
          ``<name>_lower``, ``<name>_upper``, ``<name>_pull`` (``1``: how far from its prior)
        - ``covariance`` over ``(parameter, parameter_)``, in the product of their units
        - ``status``: ``ok``; without parameters ``no_data``, ``too_few_samples``, ``featureless``,
          ``not_converged`` and ``too_few_maxima``; with them ``at_bound``, ``undetermined``,
          ``truncated``, ``several_peaks``, ``wrong_shape``, ``gap`` and ``saturated``; and
          ``curve_status``, which may be ``ok`` where parameters are not
        - ``residuals``, ``objective``: in words, whether they are random, and what was minimized
        - ``objective_value``; ``reduced_chi_square``, ``residual_correlation`` (``1``)
        - ``aic`` (``1``): Akaike's criterion, smaller for the better model of the same samples
        - ``largest_departure`` (``1``): of the curve from the samples, over the largest of these
        - ``window_dose``, ``window_dose_stderr``: the integral of the curve without background
        - ``window_start``, ``window_stop`` (``nm``), ``n_samples``, ``n_left_out``

    Raises
    ------
    ProfileError, UnitsError
        If an argument does not apply to the model, or has a wrong unit.

    Warns
    -----
    FitWarning
        Where the status is not ``ok`` or residuals are not random. Not for Dask data.

    References
    ----------
    W. Cash, Astrophys. J. 228 (1979) 939; H. Akaike, IEEE Trans. Autom. Control 19 (1974) 716.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="B")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> fit = sims.fit(ds, model="pearson", start="40 nm", stop="110 nm")
    >>> print(f"{fit['projected_range'].item():.2f} +- {fit['projected_range_stderr'].item():.2f}")
    75.36 +- 0.05
    """
    stated = locals()
    shape = find_model(model)
    axes = vocabulary.AXES if shape.on_time else ("depth",)
    question = f"a fit of {shape.name!r}"
    profiles = open_frame(data, question=question, variable=variable, axes=axes, gaps=gaps)
    if progress is not None:
        check_bool("progress", progress)
    by_layer = isinstance(over, str) and over == "layer"
    of_layers = repeat is not None and (over is None or by_layer)
    if repeat is not None:
        shape = read_repeat(shape, repeat, shared if of_layers else None)
    elif by_layer:
        raise ProfileError(
            "over='layer' applies only with repeat", code="conflicting_arguments", argument="over"
        )
    request = read_request(profiles, shape, stated)
    between = (None, None) if of_layers else (shared, over)
    read = with_layers_counted if repeat == "auto" else read_links
    request = read(request, *between, prior)
    watched = partial(_with_progress, show=False if profiles.lazy else progress)
    answer = fit_dataset(request, fit_each(request, watched))
    answer.attrs |= _description(request, background, fixed, prior)
    return answer


def _description(request: FitRequest, background: Any, fixed: Any, prior: Any) -> dict[str, str]:
    profiles, model = request.frame, request.model
    words = {"none": "none", "fit": "fitted"}
    return {
        **({"shared": ", ".join(model.shared)} if isinstance(model, LayeredModel) else {}),
        "model": model.name,
        "model_summary": model.summary,
        "references": model.reference,
        "variable": profiles.name,
        "variable_units": units.CANONICAL[profiles.kind],
        "axis": profiles.axis,
        "linked": ", ".join(request.shared),
        "linked_over": request.over or "",
        **{key: _range(request.settings[key]) for key in ("depth_uncertainty", "rsf_uncertainty")},
        "errors": _ERRORS,
        "cell": request.cell,
        "background": words.get(request.background, format_argument(background)),
        "fixed": _list_of(fixed),
        **({"as_implanted": "measured", "surface": request.surface} if request.initials else {}),
        "prior": _list_of(prior),
    }


def _list_of(stated: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name}={format_argument(value)}" for name, value in (stated or {}).items())


def _range(uncertainty: xr.Variable) -> str:
    values = np.unique(uncertainty.values)
    return f"{values[0]:g}" if values.size == 1 else f"{values[0]:g} to {values[-1]:g}"


def _with_progress(places: list[Any], *, show: bool | None) -> Iterator[Any]:
    with progress_bar(len(places), show, "fits", "profile", _BAR_FROM) as step:
        for place in places:
            yield place
            step()
