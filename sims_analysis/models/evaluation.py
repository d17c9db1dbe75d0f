"""The curve of a fit, and the list of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.dataset.axes import POINT
from sims_analysis.errors import ProfileError
from sims_analysis.frame.call import recorded
from sims_analysis.frame.frame import by_label
from sims_analysis.models._engine import Curve
from sims_analysis.models._layers import LayeredModel, layered, of_layer
from sims_analysis.models._prepared import formula_of
from sims_analysis.models._task import BACKGROUND
from sims_analysis.models.model import Array, Model
from sims_analysis.models.shapes import find_model, models
from sims_analysis.units import ParameterLike

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate", "list_models"]


@recorded
def evaluate(fit: xr.Dataset, *, depth: ParameterLike, model: Model | None = None) -> xr.DataArray:
    """Return the values of a fitted model at depths, and how well they are known.

    Parameters
    ----------
    fit : Dataset
        As :func:`fit` gives it.
    depth : DataArray, str or Quantity
        Depths with a unit: ``ds["depth"]`` for the profile's own, or ``"25 nm"``; times for a fit
        over sputter time. Each profile may
        have its own, which are aligned by the labels of their dimensions.
    model : Model, optional
        Needed for a model of your own that is not among :func:`list_models`.

    Returns
    -------
    DataArray
        Over the profiles and the dimension of `depth`, in the unit of what was fitted, background
        included. The coordinate ``stderr`` is the standard error of the curve, from the
        covariance of the parameters. NaN where there was no fit, and where there is no depth.

    Raises
    ------
    ProfileError
        If it is not a fit, or of a model that is not known.
    UnitsError
        If the depths have no unit.

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
    chosen = _model_of(fit, model)
    quantified = any(units.is_quantity(one.variable.data) for one in fit.data_vars.values())
    if quantified:
        fit = units.dequantify(fit)
    z, dim, single = _depths(depth, fit)
    with_background = BACKGROUND.name in fit.data_vars
    chosen, arrays, square = _of_each_profile(fit, chosen, with_background=with_background)
    parameters = [*chosen.parameters, *([BACKGROUND] if with_background else [])]
    kind = units.read_unit(fit.attrs["variable_units"]).kind
    cell, axis = fit.attrs.get("cell", "point"), str(fit.attrs.get("axis", "depth"))
    factors = np.array([one.factor(kind, axis) for one in parameters])

    def answer_of(z: Array, p: Array, square: Array) -> tuple[Array, Array]:
        square = square / np.outer(factors, factors)
        return _one(z, chosen, cell, p / factors, square, with_background=with_background)

    complete = chosen.complete if isinstance(chosen, LayeredModel) else None
    value, stderr = xr.apply_ufunc(
        lambda square, z, *given: _each(answer_of, complete, z, square, *given),
        square,
        z.drop_vars(list(z.coords)),
        *arrays,
        input_core_dims=[["parameter", "parameter_"], [dim], *([[]] * len(parameters))],
        output_core_dims=[[dim], [dim]],
        dask="parallelized",
        output_dtypes=[np.float64, np.float64],
    )
    name = str(fit.attrs["variable"])
    known = name in vocabulary.TERMS
    attrs = vocabulary.attrs(name) if known else {"long_name": name}
    attrs |= {"units": str(fit.attrs["variable_units"]), "model": chosen.name}
    attrs["description"] = f"{chosen.summary}, as fitted"
    error = {"units": attrs["units"], "long_name": "Standard error of the curve"}
    answer: xr.DataArray = value.assign_attrs(attrs).rename(name)
    answer = answer.assign_coords({axis: z.variable, "stderr": stderr.variable.copy(deep=False)})
    answer["stderr"].attrs = error
    if single:
        answer = answer.isel({dim: 0})
    return units.quantify(answer) if quantified else answer


def _model_of(fit: Any, model: Model | None) -> Model:
    """Return the model of a fit, and see that the fit has its parameters."""
    if not isinstance(fit, xr.Dataset) or "model" not in fit.attrs:
        raise ProfileError("expected a fit, as sims.fit(data, model=...) gives it")
    asked = fit.attrs["model"] if model is None else model
    if isinstance(asked, str) and asked not in models():
        raise ProfileError(
            f"the fit is of a model {asked!r} that is not among list_models(); pass it as model=, "
            "or add its file"
        )
    chosen = find_model(asked)
    absent = [name for name in (*chosen.names, "covariance") if name not in fit]
    if absent:
        raise ProfileError(
            f"the fit, of a model {fit.attrs['model']!r}, has no {', '.join(absent)}, which the "
            f"curve of {chosen.name!r} needs"
        )
    return chosen


def _of_each_profile(
    fit: xr.Dataset, model: Model, *, with_background: bool
) -> tuple[Model, list[xr.DataArray], xr.DataArray]:
    """Return the model of each profile, its parameters, and their covariance.

    Of several layers, the model is their sum; what layers share is a parameter of each.
    """
    names = [*model.names, *([BACKGROUND.name] if with_background else [])]
    square = fit["covariance"]
    known = {str(label): i for i, label in enumerate(square["parameter"].values)}
    layers = np.atleast_1d(fit["layer"].values).tolist() if "layer" in fit.coords else []
    if not layers:
        return model, [fit[name] for name in names], square.drop_vars(["parameter", "parameter_"])
    whole = layered(model, len(layers), fit.attrs["shared"].split(", "))
    places: dict[str, tuple[str, xr.DataArray]] = {}
    for number, layer in enumerate(layers, start=1):
        for name in model.names:
            own = of_layer(name, layer)
            array = fit[name].isel(layer=number - 1) if "layer" in fit[name].dims else fit[name]
            one = (own, of_layer(name, number)) if own in known else (name, name)
            places[one[1]] = one[0], array.drop_vars("layer", errors="ignore")
    if with_background:
        places[BACKGROUND.name] = BACKGROUND.name, fit[BACKGROUND.name]
    order = [*whole.names, *names[len(model.names) :]]
    at = [known[places[name][0]] for name in order]
    square = square.isel(parameter=at, parameter_=at).drop_vars(["parameter", "parameter_"])
    return whole, [places[name][1] for name in order], square.drop_vars("layer", errors="ignore")


def _each(
    answer_of: Callable[[Array, Array, Array], tuple[Array, Array]],
    complete: Callable[[Array], Array] | None,
    z: Array,
    covariance: Array,
    *given: Array,
) -> tuple[Array, Array]:
    """Ask each fit that has parameters for its curve at its depths; NaN elsewhere."""
    lead = np.broadcast_shapes(z.shape[:-1], covariance.shape[:-2], *(one.shape for one in given))
    z = np.broadcast_to(z, (*lead, z.shape[-1]))
    covariance = np.broadcast_to(covariance, (*lead, *covariance.shape[-2:]))
    p = np.stack([np.broadcast_to(one, lead) for one in given], axis=-1)
    value, stderr = np.full(z.shape, np.nan), np.full(z.shape, np.nan)
    if complete is not None:
        p = complete(p)
    for index in np.ndindex(*lead):
        here = np.isfinite(z[index])
        if np.isfinite(p[index]).all() and here.any():
            found = answer_of(z[index][here], p[index], covariance[index])
            value[index][here], stderr[index][here] = found
    return value, stderr


def _depths(depth: Any, fit: xr.Dataset) -> tuple[xr.DataArray, str, bool]:
    """Return depths for the profiles of a fit, their dimension, and whether each has one alone."""
    axis = str(fit.attrs.get("axis", "depth"))
    if not isinstance(depth, xr.DataArray):
        magnitude, _ = units.read_quantity(depth, (axis,), "depth")
        array = xr.DataArray(float(magnitude))
    else:
        of_profiles = fit["status"]
        coords = {name: one.variable for name, one in of_profiles.coords.items()}
        depth = by_label(depth, "depth", coords, of_profiles.sizes, "the fit")
        magnitude, unit = units.magnitude_and_unit(depth, (axis,), "depth")
        array = xr.DataArray(unit.to_canonical(magnitude), dims=depth.dims)
    profiles = fit["status"].dims
    along = [str(d) for d in array.dims if d not in profiles]
    dim = next((d for d in (axis, POINT) if d in along), along[-1] if along else axis)
    if not along:
        array = array.expand_dims({axis: 1})
    return array.assign_attrs(vocabulary.attrs(axis)), dim, not along


def _one(
    z: Array, model: Model, cell: str, p: Array, covariance: Array, *, with_background: bool
) -> tuple[Array, Array]:
    """Return values and their standard errors at some depths."""
    # A cell reaches half way to its neighbours: of one depth alone there is none.
    formula, derivatives = formula_of(z, model, cell if z.size > 1 else "point")
    n = len(model.parameters)
    free = [i for i in range(n) if np.isfinite(covariance[i, i])]
    level = p[n] if with_background else 0.0
    curve = Curve(
        model.parameters, formula, derivatives, {i: p[i] for i in range(n) if i not in free}
    )
    value = formula(*p[:n]) + level
    rows = np.zeros((p.size, z.size))
    if free:
        point = curve.at(curve.inward(p[free]).tolist())
        rows[free] = curve.jacobian(point) / point.stretch[:, None]
    if with_background:
        rows[n] = 1.0
    known = np.isfinite(np.diag(covariance))
    if not known.any():
        return value, np.full(z.size, np.nan)
    square = covariance[np.ix_(known, known)]
    variance = np.einsum("iz,ij,jz->z", rows[known], square, rows[known])
    return value, np.sqrt(np.maximum(variance, 0.0))


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
        derived = ", ".join(one.name for one in model.derived)
        parameters = ", ".join(model.names) + (f" ({derived})" if derived else "")
        rows[name] = (model.summary, parameters, model.reference)
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["summary", "parameters", "reference"]
    ).rename_axis("model")
