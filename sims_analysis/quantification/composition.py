"""The composition of an alloy from the ratio of two signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.canonical import signal_name, species_of, to_canonical
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import ProfileError, about
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import (
    resolve,
    scale_in_doubt,
    support_of_window,
    union,
    with_evidence,
)
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import anywhere
from sims_analysis.frame.window import NO_LIMITS, read_pair
from sims_analysis.outcomes import Status
from sims_analysis.quantification.combination import WithError, read_with_error
from sims_analysis.quantification.hosts import elements_of
from sims_analysis.quantification.reference import (
    Reference,
    at_samples_of,
    evidence_of,
    of_both,
    read_two,
    two_signals,
    warn_bridged,
    warn_undefined,
)
from sims_analysis.quantification.shared_parts import warn_of_shared
from sims_analysis.quantification.signals import with_signals
from sims_analysis.text.arguments import argument_error, format_argument, type_error
from sims_analysis.units import WindowLike

_PURPOSE = "a composition"


@correction
def composition(
    data: xr.Dataset,
    *,
    numerator: str,
    denominator: str,
    factor: WithError | None = None,
    standard: xr.Dataset | None = None,
    fraction: WithError | None = None,
    window: WindowLike | None = None,
    element: str | Sequence[str] | None = None,
) -> xr.Dataset:
    """Determine the composition of A(x)B(1-x) from two signals: ``x / (1 - x) = k I_A / I_B``.

    Not to be trusted where yields of the two ions depend on the composition in different ways.

    Parameters
    ----------
    data : Dataset
        With intensities or counts of a species of each element; one measurement or a batch.
    numerator, denominator : str
        The species, ``"74Ge"`` and ``"30Si"``.
    factor : float, str, pair or DataArray, optional
        The relative sensitivity factor k, for these two isotopes, with its standard error in a
        pair, ``(1.3, 0.05)`` or ``(1.3, "4 %")``, or as the coordinate ``stderr`` of a DataArray.
    standard : Dataset, optional
        In place of `factor`: one measurement of a sample of known composition, whose sums of both
        signals give k.
    fraction : float, str or pair, optional
        With `standard`: its x, ``0.3`` or ``"30 %"``, with its standard error in a pair.
    window : (start, stop), optional
        With `standard`: depths, or times, between which it has this x; by default everywhere.
    element : str or pair of str, optional
        Names of both, ``("Ge", "Si")``, or of the first; by default those of the isotopes.

    Returns
    -------
    Dataset
        With two species more, the elements, and their ``atomic_fraction`` x and 1 - x, of the
        atoms of both, at the samples of the numerator. Both have the same errors:

        - ``atomic_fraction``: without the bias of few counts, to second order
        - ``atomic_fraction_stderr``: ``k / (1 + k R)^2 s_R`` with ``R = I_A / I_B`` and the error
          of :func:`ratio`
        - ``atomic_fraction_background_stderr``: what all samples have in common,
          ``R / (1 + k R)^2 dk``, and subtracted backgrounds

    Raises
    ------
    SpeciesError
        If a species is absent, or no isotope and without `element`; or both elements are the same.
    UnitsError
        If there are no intensities.
    ProfileError
        If what is given of factor and standard is not positive, or is not either of them.

    Warns
    -----
    ProfileWarning
        Where a standard has saturated samples, gaps or samples below a limit: the scale of the
        composition is then in doubt (:func:`quality`); both signals have a part in common; or their
        sum is not above 0.

    Notes
    -----
    k is constant for SiGe with low Ge content, or with MCs+ ions; a standard of a similar x is the
    best. Factors
    (:func:`with_rsf`) and sputter rates (:func:`calibrate_depth`) may follow x.

    References
    ----------
    R. J. H. Morris, M. G. Dowsett, J. Appl. Phys. 105 (2009) 114316, on ``x / (1 - x)`` against the
    ratio of ions of SiGe (by its abstract). ISO 14237, Surface chemical analysis - Secondary-ion
    mass spectrometry, for relative sensitivity factors.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> run = sims.open_example("sputter-time")
    >>> alloy = sims.composition(
    ...     run, numerator="As", denominator="Si", factor=(2.0, "5 %"), element=("As", "Si")
    ... )
    >>> x = alloy["atomic_fraction"].sel(species="As")
    >>> print(f"at most {x.max().item():.3f}")
    at most 0.069
    """
    numerator, denominator = read_two(data, numerator, denominator)
    elements = elements_of(numerator, denominator, element)
    if (factor is None) == (standard is None) or (standard is None) != (fraction is None):
        raise ProfileError(
            "give either factor=, or standard= and its fraction=", code="conflicting_arguments"
        )
    if window is not None and standard is None:
        raise ProfileError("window applies only with standard", code="conflicting_arguments")
    frame = _open_two(data, numerator, denominator)
    warn_of_shared(data, frame.name, [(numerator, denominator)])
    status = xr.Variable((), int(Status.OK))
    if standard is None:
        k, error = read_with_error(frame, factor, "factor")
    else:
        k, error, status = _factor_of_standard(standard, numerator, denominator, fraction, window)
    if anywhere(~((k > 0) & np.isfinite(k))):
        raise argument_error("factor", factor, "expected a positive factor")
    below = at_samples_of(frame, denominator)
    warn_bridged(frame, denominator, below, frame.of_species(numerator))
    total: Any = k * frame.value + below.value
    warn_undefined(frame, total, frame.of_species(numerator), f"k {numerator} + {denominator}", "x")
    columns = of_both(frame, below, denominator, k, error)
    if frame.stderr is not None and below.stderr is not None:
        columns[""] = columns[""] - _bias(frame, below, k)
    flags = union(evidence_of(frame, denominator), scale_in_doubt(frame, status)).flags
    if flags is not None:
        columns[vocabulary.QUALITY] = flags
    of_first = {end: c.isel(species=0, missing_dims="ignore") for end, c in columns.items()}
    complement = {end: c for end, c in of_first.items() if end != vocabulary.LIMIT}
    complement[""] = 1.0 - of_first[""]
    fractions = dict(zip(elements, (of_first, complement), strict=True))
    names = species_of(data)
    of = {e: [e] if e in names else [numerator, denominator] for e in elements}
    result = with_signals(data, "atomic_fraction", fractions, of, data[frame.name].dims)
    stated = f"{float(k):.6g}" if not k.ndim else f"over {', '.join(map(str, k.dims))}"
    ratio = f"{numerator} / {denominator}"
    return with_history(result, f"x / (1 - x) = k {ratio} of {elements[0]}, k = {stated}")


def _open_two(data: xr.Dataset, numerator: str, denominator: str) -> Frame:
    """Open the signals of two species."""
    name = signal_name(data, _PURPOSE)
    rows = [species_of(data).index(species) for species in (numerator, denominator)]
    return open_samples(data.isel(species=rows), name, _PURPOSE)


def _bias(frame: Frame, below: Reference, k: xr.Variable) -> Any:
    """Return by how much x is too high on average, by half of its second derivatives.

    ``k (a s_b^2 - k b s_a^2) / (k a + b)^3`` of signals a and b; zero counts add nothing.
    """
    a, b = frame.value, below.value
    errors: tuple[Any, Any] = frame.stderr, below.stderr
    of_a, of_b = (
        (error.where(signal != 0, 0.0) ** 2).fillna(0.0)
        for signal, error in zip((a, b), errors, strict=True)
    )
    return k * (a * of_b - k * b * of_a) / (k * a + b) ** 3


def _factor_of_standard(
    standard: Any, numerator: str, denominator: str, fraction: Any, window: Any
) -> tuple[xr.Variable, xr.Variable, xr.Variable]:
    """Return the factor of a sample of known composition, its standard error, and its status."""
    if not isinstance(standard, xr.Dataset):
        raise type_error("standard", standard, "standard: expected a Dataset")
    with about(argument="standard"):
        plain = with_evidence(to_canonical(units.dequantify(standard)))
        species_of(plain, numerator, denominator, name="standard")
        frame = _open_two(plain, numerator, denominator)
        lead = [d for d in frame.lead if d != "species"]
        if lead:
            text = f"expected one measurement, and it is over {lead[0]!r}"
            raise ProfileError(text, code="several_measurements")
    stated = fraction
    if isinstance(fraction, str):
        stated = units.read_fraction(fraction, "fraction", of="the atoms")
    elif isinstance(fraction, tuple | list) and fraction and isinstance(fraction[0], str):
        part = units.read_fraction(fraction[0], "fraction", of="the atoms")
        stated = (part, *fraction[1:])
    x, error = read_with_error(frame, stated, "fraction")
    if x.ndim or not 0 < float(x) < 1:
        raise argument_error("fraction", fraction, "expected one number between 0 and 1")
    ends = NO_LIMITS if window is None else read_pair(frame, window)
    signals = two_signals(frame, denominator)
    depth = frame.depth.isel(species=0, missing_dims="ignore")
    inside = signals.a.notnull() & signals.b.notnull()
    ratio, stderr = signals.ratio(inside & ~((depth < ends[0]) | (depth > ends[1])))
    if not float(ratio) > 0:
        place = "" if window is None else f" in window={format_argument(window)}"
        raise ProfileError(
            f"standard: {numerator} / {denominator} is {float(ratio):.4g}{place}; expected samples "
            "of both, with counts",
            code="no_sample_in_window",
            argument="standard",
        )
    ok = xr.Variable("species", np.full(2, int(Status.OK)))
    status = resolve(frame, ok, support_of_window(frame, ends), ends, what="k is from the others")
    k = x / (1.0 - x) / ratio
    relative = 0.0 if error is None else error / (x * (1.0 - x))
    error = k * (relative**2 + (stderr.fillna(0.0) / ratio) ** 2) ** 0.5
    return k, error, status.max()
