"""Several layers at once: the sum of one shape at several depths, as a model of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sims_analysis.kernels.maxima import maxima, most_significant
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Model, Parameter

POSITION = Parameter("position", "depth", "of the layer")


#: Standard errors by which layers differ from nothing, and each other.
_DISTINCT = 3.0
#: Part of the outermost maxima to which the curve falls towards the ends.
_WHOLE = 0.5


def _of_layer(parameter: Parameter, layer: int) -> Parameter:
    """Name the parameter of a layer, as the labels of a covariance do."""
    return replace(parameter, name=f"{parameter.name}[{layer}]")


def unshared_by_default(model: Model) -> list[str]:
    """Return the parameters that each layer has of its own: how much of it there is, and where."""
    return [p.name for p in model.parameters if p.scales or p.name == model.location]


@dataclass(frozen=True, kw_only=True)
class LayeredModel(Model):
    """A model that is the sum of another one at several places."""

    #: That of one layer.
    of: Model
    #: For each layer, where its parameters stand among all.
    places: tuple[tuple[int, ...], ...]
    #: Parameters that are the same for all layers.
    shared: tuple[str, ...]

    @property
    def at(self) -> list[int]:
        """Where the positions of the layers stand among the parameters."""
        which = self.of.names.index(self.of.location)
        return [row[which] for row in self.places]

    def complete(self, p: Array) -> Array:
        """Return parameters in which layers that a profile does not have, of NaN, add nothing."""
        p = p.copy()
        for row in self.places[1:]:
            for place in set(row) - set(self.places[0]):
                absent = np.isnan(p[..., place]) & np.isfinite(p[..., self.places[0][0]])
                p[..., place][absent] = 0.0 if self.parameters[place].scales else 1.0
        return p

    def starts(self, z: Array, c: Array, noise: Array) -> list[Array]:
        """Return sets of starting values, of each maximum; none if there are fewer."""
        tops = most_significant(c, noise, len(self.places))
        if not tops:
            return []
        valleys = [a + int(c[a:b].argmin()) for a, b in pairwise(tops)]
        ends = [0, *valleys, c.size - 1]
        parts = [slice(a, b + 1) for a, b in pairwise(ends)]
        each = [np.array(self.of.start(z[part], c[part])) for part in parts]
        several = np.array([starts[: min(map(len, each))] for starts in each])
        sets = []
        for k in range(several.shape[1]):
            values: dict[int, list[float]] = {}
            for row, column in zip(self.places, several[:, k], strict=True):
                for place, value in zip(row, column.tolist(), strict=True):
                    values.setdefault(place, []).append(value)
            sets.append(np.array([np.median(values[i]) for i in range(len(self.parameters))]))
        return sets


def of_layers(model: Model, n: int) -> Model:
    """Return a model of layers with so many of them."""
    return layered(model.of, n, model.shared) if isinstance(model, LayeredModel) else model


@dataclass(frozen=True)
class _Sum:
    """The sum of layers of a model: `rows` say where the parameters of each are among all."""

    of: Model
    names: Sequence[str]
    rows: tuple[tuple[int, ...], ...]

    def formula(self, z: Array, *p: float) -> Array:
        each = [self.of.formula(z, *(p[k] for k in row)) for row in self.rows]
        value: Array = np.sum(each, axis=0)
        return value

    def derivatives(self, z: Array, *p: float) -> Array:
        out = np.zeros((len(self.names), *z.shape))
        assert self.of.derivatives is not None  # noqa: S101 - otherwise these are not asked for
        for row in self.rows:
            out[list(row)] += self.of.derivatives(z, *(p[k] for k in row))
        return out

    def derive(self, p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
        """Return what follows for each layer; first its position, if that has another name."""
        derived: list[float] = []
        for row in self.rows:
            of_layer = dict(zip(self.of.names, (p[self.names[k]] for k in row), strict=True))
            derived += [] if POSITION.name in of_layer else [of_layer[self.of.location]]
            derived += self.of.derive(of_layer, options) if self.of.derive else []
        return derived

    def ordered(self, p: Sequence[float]) -> list[float]:
        """Exchange layers until they are in order of depth."""
        at = self.of.names.index(self.of.location)
        order = np.argsort([p[row[at]] for row in self.rows], kind="stable")
        named = list(p)
        for row, source in zip(self.rows, order, strict=True):
            for to, k in zip(row, self.rows[source], strict=True):
                named[to] = p[k]
        return named


def layered(model: Model, n: int, shared: Collection[str]) -> LayeredModel:
    """Return the sum of `n` layers of a model; `shared` parameters are the same for all."""
    layers = [
        [p if p.name in shared else _of_layer(p, i + 1) for p in model.parameters] for i in range(n)
    ]
    common = [p for p in model.parameters if p.name in shared]
    parameters = [p for layer in layers for p in layer if p not in common] + common
    rows = tuple(tuple(map(parameters.index, layer)) for layer in layers)
    total = _Sum(model, [p.name for p in parameters], rows)
    # All layers have a position, whatever it is called in a model of one.
    alias = [] if POSITION.name in model.names else [POSITION]
    return LayeredModel(
        name=model.name,
        summary=f"{model.summary}, {n} of them",
        parameters=parameters,
        formula=total.formula,
        start=model.start,
        reference=model.reference,
        derivatives=model.derivatives and total.derivatives,
        derived=[_of_layer(p, i + 1) for i in range(n) for p in (*alias, *model.derived)],
        derive=total.derive,
        ordered=total.ordered,
        options=model.options,
        on_time=model.on_time,
        shape="layers",
        of=model,
        places=rows,
        shared=tuple(shared),
    )


def not_these_layers(
    model: LayeredModel, c: Array, m: Array, noise: Array, values: Array, stderr: Array
) -> str | None:
    """Say why a profile does not show just these layers, or return None.

    Samples and curve are without background; 0 is the error of a parameter that is held.
    """
    if len(maxima(c, noise)) > len(model.places):
        return "several_peaks"
    where, amounts = values[model.at], [i for i, p in enumerate(model.parameters) if p.scales]
    tops = np.flatnonzero(np.r_[False, (m[1:-1] > m[:-2]) & (m[1:-1] >= m[2:]), False])
    if not tops.size or (m[[0, -1]] > _WHOLE * m[tops[[0, -1]]]).any():
        return "truncated"
    apart = np.diff(where), np.hypot(stderr[model.at][1:], stderr[model.at][:-1])
    distinct = (values[amounts] > _DISTINCT * stderr[amounts]).all() and (
        apart[0] > _DISTINCT * apart[1]
    ).all()
    return None if distinct else "undetermined"
