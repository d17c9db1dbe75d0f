"""What shape has this profile: models fitted, with the errors of their parameters."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.budget import Relative
from sims_analysis.errors import FitWarning, ProfileError
from sims_analysis.fitting.arguments import (
    is_profile,
    read_before_anneal,
    read_initials,
    read_links,
    read_repeat,
    read_request,
)
from sims_analysis.fitting.groups import with_layers_counted
from sims_analysis.fitting.request import FitRequest
from sims_analysis.fitting.result import fit_profiles, quantified
from sims_analysis.fitting.statuses import warn_of_statuses
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, bridges
from sims_analysis.frame.profiles import open_profiles
from sims_analysis.frame.window import warn_of_empty_window
from sims_analysis.shapes import find_model
from sims_analysis.shapes.layered_model import LayeredModel
from sims_analysis.shapes.model import Model
from sims_analysis.text.arguments import check_bool, format_argument
from sims_analysis.units import ParameterLike, QuantityLike

__all__ = ["fit"]

#: A value and its standard uncertainty.
Known = tuple[float | QuantityLike, float | QuantityLike]
Weights = Literal["auto", "counts", "stderr", "log", "none"]

_ERRORS = (
    "68 %, from the inverse Fisher information (or the curvature of the likelihood between minima "
    "of a dual Pearson distribution), wider where other minima do nearly as well (poor_stderr says "
    "where interval='profile' is better); where the objective is not that of counts or standard "
    "errors, scaled by the scatter about the model"
)


@recorded
def fit(
    data: xr.Dataset | xr.DataArray,
    *,
    model: str | Model,
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

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth, in any unit; one measurement or a batch, plain or quantified, numpy or
        Dask, on a shared axis or each on its own. Over sputter time, shapes are fitted in seconds
        (Gaussians, edges and delta layers), and other models are refused.
    model : str or Model
        One of :func:`list_models`, or a :class:`Model` of your own.
    variable : str, optional
        Of a Dataset; by default that in which the species was measured, concentrations first.
    repeat : int or "auto", optional
        So many layers at once, the sum of shapes at several depths, of ``"delta_drf"``,
        ``"delta_mri"`` or ``"gaussian"``; ``"auto"`` takes the maxima that stand out of the noise
        and that Akaike's criterion bears out. See Notes.
    shared : sequence of str, optional
        Parameters that profiles have in common along `over`: they lose that dimension, and all
        profiles along it have one likelihood. With `repeat` alone, those that all layers have in
        common: by default all but dose and depth; ``()`` gives each layer widths of its own. In
        models of diffusion also ``"diffusivity"``, with a `time` for each profile.
    over : str, optional
        Along which dimension: ``"measurement"``, ``"species"``, any other of the profiles, or
        ``"layer"``; needed where there are several.
    prior : mapping, optional
        What is known of parameters before the fit, with its standard uncertainty:
        ``{"sigma": ("1.6 nm", "0.2 nm")}``; of layers also a list of such pairs.
    depth_uncertainty, rsf_uncertainty : float, str, DataArray or mapping, optional
        Relative standard uncertainties of the depth scale and of the sensitivity factor, which
        move all profiles alike: ``0.03``, ``"3 %"``, ``{"B": 0.1}``. By default what the data state
        (``depth_scale_uncertainty``, ``sensitivity_factor_uncertainty``); 0 leaves them out.
    start, stop : str, Quantity or DataArray, optional
        The window: samples outside take no part, such as those of the surface transient.
    background : str, Quantity or DataArray, optional
        A constant under the profile: ``"fit"`` makes it a parameter, ``"2e15 atoms/cm^3"`` states
        it. By default there is none.
    weights : {"auto", "counts", "stderr", "log", "none"}
        The objective. ``"counts"``: the Poisson deviance, by the counts that
        :func:`with_counting_statistics` adds, or data in counts. ``"stderr"``: squares over the
        standard errors. ``"log"``: squares of ln C, with errors from the scatter about the model.
        ``"none"``: plain squares, with errors from the scatter too. ``"auto"`` takes the first for
        which a profile has what it needs; a logarithm needs a profile without negative samples, or
        a detection limit.
    cell : {"auto", "point", "mean"}
        Whether a sample is the value at its depth, or the mean over its cell: for samples that are
        far apart compared with the shape. Cells are those that the data state (``depth_bounds``),
        which ``"auto"`` takes for means, or reach half way to the neighbours. Not for an anneal
        from a measured profile: means over cells stay means while they diffuse.
    fixed : mapping, optional
        Parameters that are not free: ``{"gas_level": 0.95, "sigma": "1.2 nm"}``. They get no error.
    detection_limit : str, Quantity or DataArray, optional
        For ``"log"``: samples below it are censored. Without it, samples that are not positive are
        left out, and counted in ``n_left_out``.
    interval : {"linear", "profile"}
        ``"profile"`` adds ``<name>_lower`` and ``<name>_upper``, the ends of the 68 % interval by
        the profile of the likelihood, for each parameter: useful where ``poor_stderr`` is true.
        It takes some ten fits for each parameter.
    time : str, Quantity or DataArray, optional
        Duration of the diffusion, ``"30 min"``: models of diffusion then give ``diffusivity``.
    as_implanted : Dataset, DataArray, str or Quantity, optional
        For ``"annealed_implant"``: a fit of the profile before the anneal, its straggle, or that
        profile itself as it was measured, over depth. See Notes.
    surface : {"reflecting", "absorbing"}
        Of a measured profile: whether what reaches the surface comes back, or is lost.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts a fit across a gap in the window, which is ``gap`` otherwise.
    progress : bool, optional
        A bar on the terminal; by default if there are many profiles, and tqdm is installed.

    Returns
    -------
    Dataset
        Over the profiles:

        - ``<name>``, ``<name>_stderr``: each parameter in its unit, and what follows from them
        - ``covariance`` over ``(parameter, parameter_)``, in the product of their units; about the
          minimum that is returned, where other minima make a standard error wider
        - ``poor_stderr`` over ``parameter``: whether there is no standard error, or the likelihood
          one standard error away is not within a factor of 2 of what a parabola makes of it, so
          that the interval is not symmetric
        - ``status``, ``residuals``, ``objective``: in words, see below
        - ``objective_value``: the sum of squares, in units of the largest value for ``"none"``
        - ``reduced_chi_square`` (``1``): where errors are known
        - ``aic`` (``1``): Akaike's criterion, smaller for the better model; one for all profiles
          that are linked
        - ``<name>_pull`` (``1``), with a prior: how far the fit moved from it, in its own widths
        - ``n_samples``, ``n_left_out``
        - ``residual_correlation`` (``1``): of each residual with the next
        - ``window_start``, ``window_stop`` (``nm``): first and last depth that took part

        - ``window_dose``, ``window_dose_stderr``: the integral of the curve over the window,
          without the background
        - ``curve_status``: see below
        - ``largest_departure`` (``1``): of the curve from the samples, averaged over neighbours (a
          twenty-fifth of the samples, at least three), over the largest sample
        - ``largest_deviation`` (``1``): of the residuals, averaged as much, in standard deviations
          of what their second differences call noise
        - ``rms_log_departure`` (``1``): root mean square of ln (curve / sample); misfits far below
          the maximum show here, and not in the departure

        Where scales are uncertain, ``depth_scale`` and ``rsf_scale`` (``1``) are true depths over
        apparent ones, and true values over measured ones, with ``_stderr`` and ``_pull``.

        ``status``: ``ok`` only if the fit converged inside its bounds. Without parameters:
        ``featureless`` (a constant does as well), ``too_few_samples`` (fewer than parameters + 2),
        ``not_converged``, ``no_data``. With parameters: ``at_bound``, ``undetermined`` (the samples
        do not determine some parameter, which has a value and no error), ``wrong_shape`` (the curve
        departs from the samples by more than 5 % of the largest, and noise does not make that; see
        below), ``gap`` (over more than five times their spacing there are no samples in the
        window; or a file gives some as ``<5E15``, of which fits of logarithms alone know that they
        are below it), ``saturated`` (samples that a saturated detector has cut off), and, of models
        of one peak, ``truncated`` (the profile does not come down on both sides of its maximum
        inside the window; if the profile does and the curve does not, it is ``wrong_shape``), and
        ``several_peaks``. A peak whose maximum, or a step whose position, is outside the window
        (``truncated``) has no parameters.

        ``curve_status``: where parameters are ``undetermined`` or ``at_bound``, ``ok`` if the dose
        of the window is known to 10 %: parameters may stand in for each other, and the curve and
        its integral do not mind. Otherwise the same as ``status``.

        ``residuals``: ``random``, or what they show. With enough counts they show the misfit of
        any model; the status stays ``ok``, since a curve that is 1 % off may be good enough.

    Raises
    ------
    ProfileError
        If the model or a parameter is unknown, an option is of no use to the model, or counts or
        standard errors are asked for and are not there.
    UnitsError
        If the data are not over depth, or an option has no unit or a wrong one.

    Warns
    -----
    FitWarning
        Where the status is not ``ok``, the residuals are not random, or there is no sample in the
        window. Not on Dask data, which are not known yet.

    See Also
    --------
    evaluate : The curve of a fit.
    moments : Range and straggle without a model.

    Notes
    -----
    Each profile is fitted alone unless it is linked, by ``scipy.optimize.leastsq``; starting values
    are taken from the samples. Standard errors are those of the inverse Fisher information, times
    the scatter about the model where errors are not known. Samples are taken to be independent.

    Where a model has several sets of starting values, all are tried. Of the minima within 9 of the
    lowest in chi-square (three standard deviations), the one that has most of the likelihood is
    returned: by Laplace's method, its height times the root of the determinant of the covariance.
    A narrow minimum, where an edge of the curve follows the noise of a few samples, may be lower.
    The standard error is the half-width of the interval about the value that holds 68 % of the
    likelihood of all these minima. None is given where that is more than 3 times the error about
    the returned minimum alone; nor for a shape (any parameter that does not scale with the data)
    whose error reaches beyond its bounds, nor for a parameter that is correlated with such a shape
    by more than 0.9. Samples without noise give errors as if their scatter were 1e-9: what even
    these leave open, such as the width of a step between two samples, has none.

    In a dual Pearson distribution with all parameters free, a part may rise from an edge as the
    third power of the distance, or a lower one, which then follows the noise: such a minimum counts
    only where there is no other, and its shapes have no error. Where there are several minima, the
    Fisher information says little of the likelihood about them: errors are from its curvature.

    A dual Pearson distribution divides its dose between head and tail in several ways. With all ten
    parameters free, the errors that are stated cover, by parameter, so many per cent (and so many
    of the parameters have one):

    ==================================  ===========  ==========  ==========
    head; tail (range +- straggle)      1000 counts  100         10
    ==================================  ===========  ==========  ==========
    70 % at 80 +- 20 nm; 160 +- 30 nm   67-75 (99)   62-76 (92)  63-93 (54)
    80 % at 80 +- 20 nm; 160 +- 50 nm   67-80 (95)   70-79 (86)  38-87 (36)
    80 % at 100 +- 25 nm; 180 +- 60 nm  63-81 (95)   57-80 (85)  54-78 (38)
    90 % at 80 +- 25 nm; 130 +- 50 nm   57-81 (80)   29-77 (54)
    60 % at 100 +- 25 nm; 120 +- 50 nm  30-68 (76)
    ==================================  ===========  ==========  ==========

    (Tails of a skewness of 0.4 to 0.6; 145 to 250 trials, at 10 counts 40 to 100.) With a tail of
    few counts, or beneath the head as in the last, where six tenths of fits are ``ok`` all the
    same, errors that are stated are too small: compare with a Pearson distribution by ``aic``; take
    the profile of the likelihood, whose intervals, at 1,000 counts, cover 60 to 92 % there, 62 to
    72 % in the second and 70 to 95 % in the third (40 trials); or hold the shape of the tail, as
    ``fixed={"tail_skewness": 0.6, "tail_kurtosis": 4.2}`` does, or of the head. With the tail's
    true shape held, errors cover 66 to 78 % at 1,000 counts, 59 to 72 % at 100, and 47 to 76 % at
    10, where the tail has too few. Of fits of ``edge_logistic`` at 10 counts 40 % are ``ok``; 40 to
    96 %, depending on the parameter, state its error, which covers 63 to 75 %; intervals by the
    profile cover 53 to 69 %.

    *Several layers at once* (``repeat=``). Dose and depth of each layer are over ``layer``, in
    order of depth (the depth also as ``position``), what all have in common is there once, and
    ``covariance`` holds all, under labels such as ``"dose[2]"``. Starting values are those of the
    maxima that stand out of the noise of counting: by three standard errors above the higher of
    the valleys beside them, in means over the number of neighbours where they do so most, and
    by a tenth of the valley. Fewer of them are ``too_few_maxima``, and there are no numbers; more
    of them, by five standard errors, are ``several_peaks``: a window (``start=``) leaves out the
    surface transient. Layers whose dose, or whose distance from the next, is less than three of
    its standard errors are ``undetermined``. A profile that begins or ends within a layer is
    ``truncated``. With ``shared=()``, ``<width>_slope`` (``1``, nm per nm) says whether a width
    changes with depth, with ``<width>_slope_stderr``: a straight line through the widths at the
    depths of the layers, by generalised least squares with their covariance. For ``delta_drf``
    these are the leading-edge and trailing-edge decay lengths and the Gaussian broadening of
    ISO 20341. ``"auto"`` begins with all maxima that stand out by five standard errors, and leaves
    out the least certain as long as ``aic`` falls; places after the last layer are NaN. Profiles
    that are linked, or of which something is known before, must show as many layers each.

    *Linked profiles* have one likelihood, the product of theirs and of the normal distributions
    that are known before; its maximum and the inverse of its Fisher information are found for all
    parameters together. Labels of ``covariance`` are ``"straggle"``, ``"dose[W1]"``,
    ``"position[W1, 2]"``. A profile whose own status is ``no_data``, ``featureless``,
    ``too_few_samples``... takes no part. Where errors are not known, each profile counts by the
    scatter of its samples about the common curve. Stated errors of shared parameters shrink with
    the root of the number of profiles. They cover 63 to 73 % at 100 and 1,000 counts, on five
    Gaussians as on five delta layers (150 trials); at 10 counts 64 to 70 % of Gaussians, and of
    delta layers 69 to 80 % of the parameters that have an error, as 71 to 93 % of them do.

    *Scales.* Depth scale and sensitivity factor are parameters with priors of mean one, common to
    all profiles of a call (of a species, for factors; where the uncertainties of profiles differ,
    each has its own). Samples alone do not tell them, so that they widen errors by what is known:
    a depth by its relative uncertainty, a dose by both. What is known of a width (`prior`,
    `fixed`) does tell them: values are then true ones, and :func:`evaluate` gives the curve as it
    was measured. Sensitivity factors by layers count with the largest uncertainty.

    *A measured profile before the anneal* is blurred by a Gaussian of the width ``sqrt(2 D t)``,
    ``broadening``, and what passes the surface comes back (``G(z - z') + G(z + z')``) or is lost
    (their difference). It is straight between its samples, h apart; the variance ``h^2 / 6`` that
    this adds is taken off that of the Gaussian. Nothing is known below the last sample: the window
    ends there; `start` leaves out the first samples of both profiles. Its values are
    parameters of the likelihood, too, with the counts or standard errors that it has, so that its
    noise is in the errors, also of several profiles that it is common to. Without either it counts
    as exact. ``dose`` is that before the anneal. Such a fit has no curve for :func:`evaluate`.

    ``aic`` is the sum of squares + 2 p (known errors), or n ln(sum / n) + 2 (p + 1): only its
    differences between models of the same samples mean something; 10 are decisive.

    *When a fit is not ok.* The ratio of Durbin and Watson says whether residuals follow their
    neighbours, chi-square (over the samples for which the model expects at least one count)
    whether they are larger than known errors; both chances together are beyond chance below 0.5 %.
    Without known errors neighbours alone tell, and samples that were averaged or digitised follow
    theirs whatever the model. A curve then has the wrong shape only if the part of low frequencies
    in the residuals is not that of noise averaged over three neighbours either (chance below
    0.25 %; below 2 % if the curve departs by more than 20 % and single residuals are not random).
    Measured on right fits with and without averaging, of 12 to 300 samples, at most 1 % are called
    wrong; a Gaussian on a skewed profile of 12 samples is in 8 of 10 trials.

    *Samples that share what they are made of.* Values on a grid finer than the samples count as
    so many fewer (``effective_sample_fraction``), and averages as what they hold; a value where
    nothing was counted stands for zero counts. Between few counts, those of a grid are
    fitted, which logarithms of values lie below. The error of a background that was subtracted
    before is in the errors and the covariance, what it shares with the samples counted once; NaN
    where it is not known.

    References
    ----------
    ISO 20341, Surface chemical analysis - Secondary-ion mass spectrometry - Method for estimating
    depth resolution parameters with multiple delta-layer reference materials (by its abstract);
    A. C. Aitken, Proc. R. Soc. Edinburgh 55 (1936) 42 (generalised least squares);
    W. Cash, Astrophys. J. 228 (1979) 939 (likelihood of counts); H. Akaike, IEEE Trans. Autom.
    Control 19 (1974) 716; J. Durbin, G. S. Watson, Biometrika 38 (1951) 159; R. Lugannani, S. Rice,
    Adv. Appl. Probab. 12 (1980) 475 (ratios of quadratic forms); for each model see the
    ``reference`` in :func:`list_models`.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="B")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> held = {"head_skewness": 0, "head_kurtosis": 3}
    >>> fit = sims.fit(ds, model="dual_pearson", start="20 nm", background="fit", fixed=held)
    >>> dose, error = fit["retained_dose"], fit["retained_dose_stderr"]
    >>> print(f"{dose.item():.2e} +- {error.item():.0e} {dose.units}")
    4.98e+14 +- 1e+11 atom/cm^2
    >>> fit["status"].item(), fit["residuals"].item()
    ('ok', 'random')

    What is known before, and how far the fit moved from it in widths of that:

    >>> known = {"skewness": (0, 0.05)}
    >>> fit = sims.fit(ds, model="pearson", start="40 nm", stop="110 nm", prior=known)
    >>> print(f"{fit['skewness'].item():.3f}, {fit['skewness_pull'].item():+.1f}")
    0.028, +0.6
    """
    chosen = find_model(model)
    axes = vocabulary.AXES if chosen.on_time else ("depth",)
    question = f"a fit of {chosen.name!r}"
    profiles = open_profiles(data, question=question, variable=variable, axes=axes)
    if progress is not None:
        check_bool("progress", progress)
    by_layer = isinstance(over, str) and over == "layer"
    of_layers = repeat is not None and (over is None or by_layer)
    if repeat is not None:
        chosen = read_repeat(chosen, repeat, shared if of_layers else None)
    elif by_layer:
        raise ProfileError("over='layer' is of use only with repeat")
    measured = is_profile(as_implanted)
    chosen = read_before_anneal(chosen, surface, measured=measured)
    request = read_request(
        profiles,
        chosen,
        choices={"weights": weights, "cell": cell, "interval": interval},
        options={"time": time, "as_implanted": None if measured else as_implanted},
        limits=(start, stop),
        background=background,
        detection_limit=detection_limit,
        fixed=fixed,
        uncertainties={"depth_uncertainty": depth_uncertainty, "rsf_uncertainty": rsf_uncertainty},
    )
    if measured:
        request = read_initials(request, as_implanted, surface)
    between = (None, None) if of_layers else (shared, over)
    read = with_layers_counted if repeat == "auto" else read_links
    request = read(request, *between, prior)
    watched = partial(_with_progress, progress=progress, lazy=profiles.lazy)
    answer = fit_profiles(request, watched, bridge=bridges(gaps))
    answer.attrs |= _described(request, chosen) | _as_stated(request, background, fixed, prior)
    if not profiles.lazy:
        warn_of_empty_window(request.frame, request.window, FitWarning)
        warn_of_statuses(request.frame, answer)
    return quantified(answer) if profiles.quantified else answer


def _described(request: FitRequest, model: Model) -> dict[str, str]:
    """Say for attrs what was fitted."""
    profiles, whole = request.frame, request.model
    layers = whole if isinstance(whole, LayeredModel) else None
    return {
        **({"shared": ", ".join(layers.shared)} if layers else {}),
        "model": model.name,
        "model_summary": whole.summary,
        "references": model.reference,
        "variable": profiles.name,
        "variable_units": units.CANONICAL[profiles.kind],
        "axis": profiles.axis,
        "linked": ", ".join(request.shared),
        "linked_over": request.over or "",
        **{one: _range(request.settings[one]) for one in ("depth_uncertainty", "rsf_uncertainty")},
        "errors": _ERRORS,
    }


def _as_stated(request: FitRequest, background: Any, fixed: Any, prior: Any) -> dict[str, str]:
    """Say for attrs what was stated before."""
    words = {"none": "none", "fit": "fitted"}
    return {
        "cell": request.cell,
        "background": words.get(request.background, format_argument(background)),
        "fixed": _listed(fixed),
        **({"as_implanted": "measured", "surface": request.surface} if request.initials else {}),
        "prior": _listed(prior),
    }


def _listed(stated: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name}={format_argument(value)}" for name, value in (stated or {}).items())


def _range(uncertainty: xr.Variable) -> str:
    """Say for attrs how well a scale is known."""
    values = np.unique(uncertainty.values)
    return f"{values[0]:g}" if values.size == 1 else f"{values[0]:g} to {values[-1]:g}"


def _with_progress(places: list[Any], *, progress: bool | None, lazy: bool) -> Iterable[Any]:
    wanted = progress if progress is not None else len(places) >= 50 and sys.stderr.isatty()
    if lazy or not wanted:
        return places
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        if progress:
            raise ModuleNotFoundError(
                'progress=True needs tqdm: pip install "sims-analysis[progress]"'
            ) from None
        return places
    bar: Iterable[Any] = tqdm(places, desc="fits", unit="profile")
    return bar
