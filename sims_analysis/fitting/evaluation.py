"""The curve of a fit, and the list of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import POINT
from sims_analysis.errors import ProfileError, about
from sims_analysis.fitting.optimization import Curve
from sims_analysis.fitting.preparation import formula_of
from sims_analysis.fitting.request import BACKGROUND, SCALES, scale_powers, split_label
from sims_analysis.frame.call import recorded
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.parameters import Profiles
from sims_analysis.kernels.samples import Array, cells
from sims_analysis.shapes import find_model, models
from sims_analysis.shapes.layered_model import LayeredModel, layered
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.units import ParameterLike

if TYPE_CHECKING:
    import pandas as pd


@recorded
def evaluate(
    fit: xr.Dataset, depth: ParameterLike | Sequence[str], *, model: Model | None = None
) -> xr.DataArray:
    """Return the values of a fitted model at depths, and how well they are known.

    Not to be trusted beyond the samples that were fitted: the error is as if the model held there.

    Parameters
    ----------
    fit : Dataset
        As :func:`fit` gives it.
    depth : DataArray, str, Quantity, or sequence of str
        Depths with a unit: ``ds["depth"]`` for the profile's own, ``"25 nm"``, or
        ``["25 nm", "50 nm"]``; times for a fit over sputter time. Each profile may have its own,
        which are aligned by the labels of their dimensions.
    model : Model, optional
        Needed for a model of your own that is not among :func:`list_models`.

    Returns
    -------
    DataArray
        Over the profiles and the dimension of `depth`, in the unit of what was fitted, background
        included; on the depths of the data, also where the fit has corrected their scale. The
        coordinate ``stderr`` is the standard error of the curve, from the covariance of the
        parameters. NaN where there was no fit, and where there is no depth.

    Raises
    ------
    ProfileError, UnitsError
        If it is not a fit, its model is not known, or the depths have no unit.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="B")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> fit = sims.fit(ds, model="pearson", start="40 nm", stop="110 nm")
    >>> there = sims.evaluate(fit, depth="75 nm")
    >>> print(f"{there.item():.3e} +- {there['stderr'].item():.0e} {there.attrs['units']}")
    6.989e+19 +- 3e+16 atom/cm^3
    """
    base = _model_of(fit, model)
    quantified = any(units.is_quantity(array.variable.data) for array in fit.data_vars.values())
    if quantified:
        fit = units.dequantify(fit)
    frame, at = _opened(fit, depth, quantified=quantified)
    model, values, arrays = _of_each_profile(fit, base, frame)
    n, square = frame.value.sizes[frame.dim], ("parameter", "parameter_")
    columns = [array.variable for array in arrays]
    rows = frame.each(values, *columns, size=2 * n, dim=frame.dim, whole=square)
    value, stderr = (rows.isel({frame.dim: part}) for part in (slice(n), slice(n, None)))
    if frame.dim not in at.dims:  # one depth of each profile
        value, stderr = (array.isel({frame.dim: 0}) for array in (value, stderr))
    unit = str(fit.attrs["variable_units"])
    plain = {"description": None, "comment": None}
    error = "Standard error of the curve"
    place = xr.Variable(at.dims, at.data, vocabulary.attrs(frame.axis))
    coords = {  # an index cannot hold a Quantity
        frame.axis: place if at.dims == (frame.axis,) else frame.as_the_data(place),
        "stderr": frame.with_attrs(stderr, frame.term, units_=unit, long_name=error, **plain),
    }
    what = f"{model.summary}, as fitted"
    answer = frame.array(
        value, frame.term, units_=unit, coords=coords, label=frame.name, description=what
    )
    return answer.assign_attrs(model=base.name)


def _opened(fit: xr.Dataset, depth: Any, *, quantified: bool) -> tuple[Frame, xr.Variable]:
    """Return a frame of the depths at which the curves of a fit are evaluated, and these."""
    axis, of_profiles = str(fit.attrs.get("axis", "depth")), fit["status"]
    coords = {name: depths.variable for name, depths in of_profiles.coords.items()}
    depths = of_profiles.variable.set_dims({axis: 1, **of_profiles.sizes}).transpose(..., axis)
    place = xr.Variable((axis,), [np.nan])
    fitted = Profiles(value=depths, depth=place, axis=axis, coords=coords, whose="the fit")
    at = fitted.points(depth, "depth")
    along = [str(d) for d in at.dims if d not in of_profiles.dims]
    dim = next((d for d in (axis, POINT) if d in along), along[-1] if along else axis)
    z = at if along else at.set_dims({axis: 1, **at.sizes})
    z = z.transpose(..., dim)
    others = {d: n for d, n in z.sizes.items() if d not in of_profiles.sizes}
    frame = Frame(
        name=str(fit.attrs["variable"]),
        kind=units.read_unit(fit.attrs["variable_units"]).kind,
        value=xr.Variable((), 0.0).set_dims({**of_profiles.sizes, **others}),
        depth=z,
        stderr=None,
        counts=None,
        axis=axis,
        coords=coords,
        along={},
        quantified=quantified,
        fraction=xr.Variable((), 1.0),
        origin=fit,
    )
    return frame, at


def _values(
    model: Model, parameters: Sequence[Parameter], means: bool, factors: Array, *arrays: Any
) -> Array:
    """Return the values of a curve at the depths of a profile, and their errors; NaN without a fit.

    `parameters` are those of the model and the background, `factors` turn value times nm into their
    units; `means` are values over cells.
    """
    z, _, _, _, *numbers, square = map(np.array, arrays)
    p, finite, columns = np.array(numbers), np.isfinite(z), np.full((2, z.size), np.nan)
    if isinstance(model, LayeredModel):
        p = model.complete(p)
    if not (np.isfinite(p).all() and finite.any()):
        return columns.ravel()
    p, square = _apparent(p, square, parameters)
    p, square, z = p / factors, square / np.outer(factors, factors), z[finite]
    # A cell reaches half way to its neighbours: of one depth alone there is none.
    formula, derivatives = formula_of(z, model, cells(z) if means and z.size > 1 else None)
    n, fitted = len(model.parameters), np.isfinite(square.diagonal())
    columns[0, finite] = formula(*p[:n]) + p[n:].sum()
    if fitted.any():
        rows, free = np.ones((p.size, z.size)), fitted[:n].nonzero()[0]
        if free.size:
            fixed = {i: p[i] for i in range(n) if not fitted[i]}
            curve = Curve(model.parameters, formula, derivatives, fixed)
            rows[free] = curve.slopes(curve.at_parameters(p[free]))
        square, rows = square[np.ix_(fitted, fitted)], rows[fitted]
        columns[1, finite] = np.sqrt(np.maximum(np.einsum("iz,ij,jz->z", rows, square, rows), 0.0))
    return columns.ravel()


@about(code="other_result", argument="fit")
def _model_of(fit: Any, model: Model | None) -> Model:
    """Return the model of a fit, and check that the fit has its parameters."""
    if not isinstance(fit, xr.Dataset) or "model" not in fit.attrs:
        raise ProfileError("expected a fit, as sims.fit(data, model=...) gives it")
    stated = fit.attrs["model"] if model is None else model
    if isinstance(stated, str) and stated not in models():
        raise ProfileError(
            f"the fit is of a model {stated!r} that is not among list_models(); pass it as model=, "
            "or add its file"
        )
    fit_model = find_model(stated)
    if fit.attrs.get("as_implanted") == "measured":
        raise ProfileError(
            "the curve of this fit is a measured profile after diffusion, and the fit does not "
            "hold that profile; fit a Gaussian as implanted for a curve"
        )
    absent = [name for name in (*fit_model.names, "covariance") if name not in fit]
    if absent:
        raise ProfileError(
            f"the fit, of a model {fit.attrs['model']!r}, has no {', '.join(absent)}, which the "
            f"curve of {fit_model.name!r} needs"
        )
    return fit_model


def _of_each_profile(
    fit: xr.Dataset, model: Model, frame: Frame
) -> tuple[Model, Callable[..., Array], list[xr.DataArray]]:
    """Return the model of each profile, what gives its values, and its parameters and covariance.

    The model of several layers is their sum. What layers or profiles share is a parameter of each.
    """
    layers = np.atleast_1d(fit["layer"].values).tolist() if "layer" in fit.coords else []
    if layers:
        model = layered(model, len(layers), fit.attrs["shared"].split(", "))
    parameters = [*model.parameters, *([BACKGROUND] if BACKGROUND.name in fit.data_vars else [])]
    names = [p.name for p in parameters] + [name for name in SCALES if name in fit]
    arrays = []
    for name in names:
        base, number = split_label(name)
        array = fit[base]
        if number and "layer" in array.dims:
            array = array.isel(layer=int(number) - 1)
        arrays.append(array.drop_vars("layer", errors="ignore"))
    over = str(fit.attrs.get("linked_over", ""))
    labels = (
        np.atleast_1d(fit[over].values) if over in fit.coords else np.arange(fit.sizes.get(over, 1))
    )
    places = {str(label): i for i, label in enumerate(fit["parameter"].values)}
    table = [[_place(places, name, str(label), layers, fit) for name in names] for label in labels]
    square = fit["covariance"].drop_vars(["parameter", "parameter_", "layer"], errors="ignore")
    at = xr.DataArray(np.array(table), dims=["__profile__", "parameter"])
    at = at.rename(__profile__=over) if over in fit.dims else at.isel(__profile__=0)
    square = square.isel(parameter=at, parameter_=at.rename(parameter="parameter_"))
    restated = [name for name in fit.attrs.get("linked", "").split(", ") if name in model.restated]
    for name in restated:  # what takes the place of a parameter moves it by so much
        replaced = model.restated[name][0]
        moved = fit[f"{replaced}_stderr"] / fit[f"{name}_stderr"]
        is_replaced = xr.DataArray(np.array(names) == replaced, dims="parameter")
        factor = xr.where(is_replaced, moved, 1.0)
        square = square * factor * factor.rename(parameter="parameter_")
    factors = np.array([p.factor(frame.kind, frame.axis) for p in parameters])
    means = fit.attrs.get("cell", "point") == "mean"
    return model, partial(_values, model, parameters, means, factors), [*arrays, square]


def _place(
    places: Mapping[str, int], name: str, label: str, layers: Sequence[Any], fit: xr.Dataset
) -> int:
    """Return the place of a profile's parameter in the covariance."""
    base, number = split_label(name)
    layer = str(layers[int(number) - 1]) if number else ""
    restated = [key for key in fit.attrs.get("linked", "").split(", ") if key not in ("", base)]
    inside = (f"{label}, {layer}", layer or label, label)
    for key in (*(f"{base}[{each}]" for each in inside), base, *restated):
        if key in places:
            return places[key]
    text = f"the covariance of the fit does not contain {name!r}, which the curve needs"
    raise ProfileError(text, code="other_result", argument="fit")


def _apparent(p: Array, square: Array, parameters: Sequence[Parameter]) -> tuple[Array, Array]:
    """Return the parameters that describe the samples, from true ones and the scales."""
    n = len(parameters)
    if p.size == n:
        return p, square
    scales = p[n:]
    powers = scale_powers(parameters)[:, : scales.size]
    shrink = np.prod(scales**-powers, axis=1)
    slopes = np.hstack([np.diag(shrink), -powers * (p[:n] * shrink)[:, None] / scales])
    fixed = np.isnan(square.diagonal())
    square = slopes @ np.where(fixed[:, None] | fixed, 0.0, square) @ slopes.T
    return p[:n] * shrink, square


def list_models() -> pd.DataFrame:
    """List the models that can be fitted.

    Returns
    -------
    pandas.DataFrame
        By the name of the model: ``summary``, ``parameters`` (and, in brackets, what follows from
        them) and ``reference``.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> print(sims.list_models()["summary"]["gaussian"])
    an implant by its range and straggle
    """
    import pandas as pd

    rows = {}
    for name, model in models().items():
        derived = ", ".join(p.name for p in model.derived)
        parameters = ", ".join(model.names) + (f" ({derived})" if derived else "")
        rows[name] = (model.summary, parameters, model.reference)
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["summary", "parameters", "reference"]
    ).rename_axis("model")
