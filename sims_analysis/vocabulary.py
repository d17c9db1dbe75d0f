"""Table of all variables and results: unit, long name, definition and reference.

Every function takes the attrs of its results from here, because attrs cannot be trusted after
arithmetic by the user (xarray keeps ``units`` even through ``a / a``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sims_analysis import outcomes
from sims_analysis.outcomes import Flag
from sims_analysis.units import CANONICAL

__all__ = [
    "ANCILLARY",
    "AXES",
    "CELLS",
    "CENSORED",
    "COLUMNS",
    "EVIDENCE",
    "MEASURED",
    "OF_BACKGROUND",
    "OF_SAMPLES",
    "QUALITY",
    "QUANTITIES",
    "RATIOS",
    "SHARED",
    "STATUS",
    "TERMS",
    "VALUE_KINDS",
    "Term",
    "ancillary_attrs",
    "attrs",
    "kinds",
    "kinds_in",
    "name_of",
    "of_axis",
]


class Term(NamedTuple):
    """A variable or result.

    ``kind`` is a key of ``units.CANONICAL``, or ``None`` for text and numbers without a unit.
    """

    kind: str | None
    long_name: str
    definition: str
    reference: str = ""


ISO_18115 = "ISO 18115-1, Surface chemical analysis - Vocabulary"

TERMS = {
    # axes
    "depth": Term("depth", "Depth", "distance below the original surface"),
    "sputter_time": Term("sputter_time", "Sputter time", "time since sputtering began"),
    # measured variables
    "concentration": Term("concentration", "Concentration", "atoms of the species per volume"),
    "intensity": Term("count_rate", "Intensity", "secondary ions counted per time"),
    "counts": Term("count", "Counts", "secondary ions counted per data point"),
    "intensity_arbitrary": Term("arbitrary", "Intensity", "signal in the instrument's own units"),
    "atomic_fraction": Term(
        "atomic_fraction", "Atomic fraction", "atoms of the species per atom of the sample"
    ),
    "mass_fraction": Term(
        "mass_fraction", "Mass fraction", "mass of the species per mass of the sample"
    ),
    "range_density": Term(
        "range_density", "Concentration per dose", "range distribution: concentration / dose"
    ),
    # results
    "dose": Term("areal_density", "Dose", "integral of the concentration over depth"),
    "cumulative_dose": Term(
        "areal_density", "Cumulative dose", "integral of the concentration up to each depth"
    ),
    "budget_dose": Term("areal_density", "Dose", "with background and surface as requested"),
    "budget_random_stderr": Term(
        "areal_density", "Random standard error", "from the standard errors of the samples"
    ),
    "budget_background_stderr": Term(
        "areal_density",
        "Standard error of the background",
        "part of the random standard error; common to all samples",
    ),
    "budget_systematic_stderr": Term(
        "areal_density", "Systematic standard error", "of sensitivity factor and depth scale"
    ),
    "budget_rsf_stderr": Term(
        "areal_density", "Standard error of the sensitivity factor", "common to all samples"
    ),
    "budget_depth_stderr": Term(
        "areal_density", "Standard error of the depth scale", "common to all samples"
    ),
    "budget_background_dose": Term("areal_density", "Background dose", "subtracted"),
    "budget_surface_dose": Term(
        "areal_density", "Surface dose", "above the stated end of the surface transient"
    ),
    "budget_below_detection_dose": Term(
        "areal_density", "Dose below detection", "dose of samples below the detection limit"
    ),
    "rule_difference": Term(
        "dimensionless", "Difference between the rules", "(trapezoid - loglinear) / trapezoid"
    ),
    "effective_sample_fraction": Term(
        None, "Independent samples for each depth", "below 1 on a grid finer than the samples"
    ),
    "n_linear_segments": Term(None, "Segments without a logarithm", "integrated as trapezoids"),
    "coverage": Term("dimensionless", "Coverage", "measured fraction of the requested interval"),
    "depth_at_dose_fraction": Term(
        "depth", "Depth that contains the dose", "depth above which the stated fraction lies"
    ),
    "retained_fraction": Term(
        "dimensionless", "Fraction of the dose", "integral of the range density over depth"
    ),
    "crossing_depth": Term("depth", "Crossing depth", "depth where the profile crosses the level"),
    "raw_crossing": Term(
        "depth", "Crossing between two samples", "depth where their line crosses the level"
    ),
    "junction_depth": Term(
        "depth", "Junction depth", "depth where the chosen edge crosses the stated level"
    ),
    "metallurgical_junction": Term(
        "depth", "Metallurgical junction depth", "depth where donors and acceptors balance"
    ),
    "below_detection": Term(None, "Below the detection limit", "True where below the limit"),
    "samples_used": Term(None, "Number of samples used", "samples that the result is based on"),
    "peak_depth": Term("depth", "Depth of the maximum", "mode of the profile"),
    "fwhm": Term("depth", "Full width at half maximum", "between the depths of half the maximum"),
    "projected_range": Term(
        "depth", "Projected range", "mean depth of the atoms, first moment of the profile"
    ),
    "straggle": Term("depth", "Straggle", "standard deviation of the depth of the atoms"),
    "skewness": Term("dimensionless", "Skewness", "third central moment / straggle^3"),
    "kurtosis": Term("dimensionless", "Kurtosis", "fourth central moment / straggle^4, not excess"),
    "decay_per_decade": Term(
        "depth", "Decay per decade", "depth over which the profile changes by a factor 10"
    ),
    "detection_limit": Term(
        "concentration",
        "Detection limit",
        "value rarely exceeded by a profile without the species",
    ),
    "surface_concentration": Term(
        "concentration",
        "Surface concentration",
        "at a stated depth near the surface, by a local log-linear fit",
    ),
    "decay_length": Term(
        "depth", "Decay length", "depth over which the profile changes by a factor e", ISO_18115
    ),
    # comparisons
    "ratio": Term("dimensionless", "Ratio", "b / a at the depths of a"),
    "log_ratio": Term("dimensionless", "Logarithm of the ratio", "log10(b / a)"),
    "rms_log_ratio": Term(
        "dimensionless", "Root mean square of log10(b / a)", "over the samples of a in the overlap"
    ),
    "dose_ratio": Term("dimensionless", "Ratio of the doses", "dose_b / dose_a in the overlap"),
    "overlap_start": Term(
        "depth", "Start of the overlap", "first depth at which both are measured"
    ),
    "overlap_stop": Term("depth", "End of the overlap", "last depth at which both are measured"),
    "junction_shift": Term("depth", "Junction shift", "junction depth of b minus that of a"),
    "depth_shift": Term("depth", "Shift", "added to the depths"),
    "time_shift": Term("sputter_time", "Shift", "added to the sputter times"),
    "correlation": Term("dimensionless", "Correlation", "of the aligned profiles, at most 1"),
    "relative_deviation": Term(
        "dimensionless", "Relative standard deviation", "s / mean, s with n - 1"
    ),
    "sensitivity_factor": Term(
        "concentration",
        "Relative sensitivity factor",
        "concentration = factor * intensity / matrix intensity",
        "ISO 18114, Determination of relative sensitivity factors from ion-implanted materials",
    ),
    "absolute_sensitivity_factor": Term(
        "factor_per_rate",
        "Sensitivity factor without a reference signal",
        "concentration = factor * intensity",
    ),
    "factor_stderr": Term(
        "concentration", "Standard error of the sensitivity factor", "of all its parts"
    ),
    "factor_counting_stderr": Term(
        "concentration", "Counting part of the standard error", "of the standards' own counts"
    ),
    "factor_dose_stderr": Term(
        "concentration", "Dose part of the standard error", "of the dose of the standards"
    ),
    "factor_repeatability_stderr": Term(
        "concentration", "Standard error of the mean of several standards", "s / sqrt(n)"
    ),
    "n_standards": Term(None, "Number of standards", "standards over which the factor is averaged"),
    "sensitivity_factor_uncertainty": Term(
        "dimensionless",
        "Relative uncertainty of the sensitivity factor",
        "standard uncertainty, common to all samples",
    ),
    "subtracted_background": Term(
        "concentration", "Subtracted background", "subtracted from every sample of the species"
    ),
    "subtracted_background_stderr": Term(
        "concentration",
        "Standard error of the subtracted background",
        "of the mean of a window; shared by all samples of the species",
    ),
    "background_stderr": Term(
        "concentration",
        "Standard error of the subtracted background",
        "common to all samples of a profile",
    ),
    "background_overlap": Term(
        "dimensionless",
        "Overlap with the background",
        "covariance of the sample with the subtracted background, over the variance of the latter",
    ),
    "background_scatter": Term(
        "dimensionless",
        "Scatter in the window of the background",
        "by which factor the samples of the window scatter more than their standard errors",
    ),
    "scatter": Term(
        "concentration",
        "Standard error of the mean by scatter",
        "of the replicates, s / sqrt(n); neighbouring samples share what is not counting",
    ),
    "scale_repeatability": Term(
        "dimensionless",
        "Relative standard error of the scale",
        "of a mean of replicates, by what all samples of each have in common",
    ),
    "n_replicates": Term(None, "Number of replicates", "measurements that were averaged"),
    "splice_depth": Term("depth", "Depth of the splice", "above it one piece, below it the other"),
    "splice_time": Term(
        "sputter_time", "Time of the splice", "before it one piece, after it the other"
    ),
    "splice_scale": Term(
        "dimensionless",
        "Scale of the deeper piece",
        "it was multiplied by it; its uncertainty is common to all samples below the splice",
    ),
    "splice_scale_uncertainty": Term(
        "dimensionless",
        "Relative uncertainty of the scale of the deeper piece",
        "from the standard errors of both pieces in their overlap",
    ),
    "isotopic_abundance": Term(
        "dimensionless", "Isotopic abundance", "concentrations of the isotope were divided by it"
    ),
    "species_ratio": Term("dimensionless", "Ratio", "numerator / denominator"),
    "species_fraction": Term("dimensionless", "Fraction", "numerator / (numerator + denominator)"),
    "dose_scale": Term(
        "dimensionless", "Scale to a known dose", "concentrations were multiplied by it"
    ),
    "dose_scale_uncertainty": Term(
        "dimensionless",
        "Relative uncertainty of the dose that sets the scale",
        "instead of those of sensitivity factor and depth scale; 0 where nothing was scaled",
    ),
    "crater_depth": Term(
        "depth", "Crater depth", "measured after sputtering; sets the depth scale"
    ),
    "matrix_status": Term(
        None, "Matrix signal", "ok; vanished or not_measured: no concentration there"
    ),
    "depth_scale_uncertainty": Term(
        "dimensionless",
        "Relative uncertainty of the depth scale",
        "standard uncertainty, common to all depths",
    ),
    "sputter_rate": Term(
        "sputter_rate", "Sputter rate", "by a straight line through layers at known depths"
    ),
    "sputter_rate_stderr": Term(
        "sputter_rate",
        "Standard error of the sputter rate",
        "from the errors of the layers' depths",
    ),
    "depth_factor": Term(
        "dimensionless",
        "Factor of the depth scale",
        "apparent depths were multiplied by it; by a straight line through layers at known depths",
    ),
    "depth_factor_stderr": Term(
        "dimensionless",
        "Standard error of the factor of the depth scale",
        "from the errors of the layers' depths",
    ),
    "depth_offset": Term(
        "depth",
        "Offset of the depth scale",
        "known depth where the line through the layers has apparent depth 0",
    ),
    "depth_offset_stderr": Term(
        "depth", "Standard error of the offset", "from the errors of the layers' depths"
    ),
    "marker_misfit": Term(
        "dimensionless",
        "Misfit of the layers",
        "chi-square of the straight line over its degrees of freedom",
    ),
    "marker_status": Term(None, "Status of the line", "ok, two_markers or bent"),
    # models
    "covariance": Term(None, "Covariance", "of the parameters, in the product of their units"),
    "fit_status": Term(None, "Status", "ok only if the fit converged inside its bounds"),
    "curve_status": Term(
        None, "Status of the curve", "ok where the curve is known, even if its parameters are not"
    ),
    "residuals": Term(None, "Residuals", "what their neighbours and chi-square say of them"),
    "objective": Term(None, "Objective", "what was minimized"),
    "objective_value": Term(
        "dimensionless", "Value of the objective", "the sum of squared residuals"
    ),
    "reduced_chi_square": Term(
        "dimensionless", "Reduced chi-square", "sum of squares over errors / degrees of freedom"
    ),
    "aic": Term("dimensionless", "Akaike's criterion", "smaller for the better model"),
    "n_samples": Term(None, "Number of samples", "samples used in the fit"),
    "n_left_out": Term(
        None, "Samples left out", "samples in the window that the objective cannot use"
    ),
    "residual_correlation": Term(
        "dimensionless", "Correlation of residuals", "between successive residuals"
    ),
    "largest_departure": Term(
        "dimensionless",
        "Largest departure",
        "of the curve from the mean over neighbours, over the largest value",
    ),
    "window_start": Term("depth", "Start of the window", "first depth used in the fit"),
    "window_stop": Term("depth", "End of the window", "last depth used in the fit"),
    "restored_status": Term(None, "Status", "ok only if the profile could be restored"),
    "source_of_errors": Term(
        None, "Source of the errors", "what the errors of the samples were taken from"
    ),
    "achieved_resolution": Term(
        "depth",
        "Achieved resolution",
        "full width at half maximum of the averaging kernel, at least the spacing of the samples",
    ),
    "averaging_kernel": Term(
        "dimensionless",
        "Averaging kernel",
        "by how much the restored value rises if the true one at another depth does",
    ),
    "refolded": Term(
        "concentration", "Refolded profile", "what the restored profile would be measured as"
    ),
    "smoothness": Term("dimensionless", "Smoothness", "strength of the prior"),
    "largest_deviance": Term(
        "dimensionless",
        "Largest deviance",
        "signed root of the deviance of 2 to 12 neighbouring samples from the refolded profile",
    ),
    "window_dose": Term(
        "areal_density", "Dose of the window", "integral of the restored profile over the window"
    ),
    "window_dose_stderr": Term(
        "areal_density", "Standard error of the dose of the window", "from the counts alone"
    ),
    "carried_dose": Term(
        "areal_density",
        "Dose carried out of the window",
        "restored inside of it minus measured inside of it, background apart",
    ),
    "doubtful_maxima": Term(
        None, "Doubtful maxima", "number of maxima that the samples can do without"
    ),
    "doubtful_maximum": Term("depth", "Doubtful maximum", "depth of the first of them"),
    "interface_position": Term("depth", "Position", "depth at half of the step"),
    "interface_width": Term(
        "depth",
        "Width",
        "between the stated fractions of the step; 16 % to 84 % is 1.989 standard deviations of "
        "an error function",
        ISO_18115,
    ),
    "layer_thickness": Term("depth", "Thickness", "between successive interfaces"),
    "sheet_resistance": Term(
        "resistance", "Sheet resistance", "1 / (q integral of mobility times carriers), per square"
    ),
    "quality": Term(None, "Quality", "what is known of the samples besides values and errors"),
    "status": Term(None, "Status", "outcome of the computation: see sims_analysis.vocabulary"),
}

#: More attrs of a term, for other tools and their users.
_MORE_ATTRS = {
    "depth": {"standard_name": "depth", "axis": "Z", "positive": "down"},
    "concentration": {
        "comment": "a dose is sims_analysis.integrated_dose(data), in atom/cm^2; "
        ".integrate('depth') of plain numbers is in nm atom/cm^3, which xarray does not say"
    },
}

#: Variables of a Dataset with measured values, in order of preference.
QUANTITIES = (
    "concentration",
    "range_density",
    "atomic_fraction",
    "mass_fraction",
    "intensity",
    "counts",
    "intensity_arbitrary",
)

#: Names of ratios of two species, which are data like any other; and their terms. Their unit is
#: ``1``, and a level of one is a text, ``"0.1"``.
RATIOS = {"ratio": "species_ratio", "fraction": "species_fraction"}

#: Variables that functions evaluate.
MEASURED = (*QUANTITIES, *RATIOS)

#: Ends of the names of the ancillary variables of one whose background was subtracted:
#: the standard error of the background, common to all samples of a profile, in the unit of the
#: variable; and the covariance of each sample with the background, divided by the variance of the
#: latter; and how much more the samples of the window scatter than their errors say. NaN where
#: nothing was subtracted.
OF_BACKGROUND = ("background_stderr", "background_overlap", "background_scatter")

#: What profiles and files keep besides the values and standard errors of a measured variable -> its
#: unit; None for that of the variable.
COLUMNS = {
    "counts": "count",
    "background_stderr": None,
    "background_overlap": "1",
    "background_scatter": "1",
}

#: End of the name of the variable with the limits of samples that a file gives as ``<5E15``, and
#: which have no value; NaN at all others.
CENSORED = "detection_limit"

#: End of the name of the coordinate with what is known of samples besides value and error: sums of
#: :class:`sims_analysis.outcomes.Flag`.
QUALITY = "quality"

#: Both: coordinates, so that a DataArray keeps them.
EVIDENCE = (QUALITY, CENSORED)

#: Ends of the names of the ancillary variables of a measured one.
OF_SAMPLES = ("stderr", *COLUMNS, *EVIDENCE)

#: What many samples have in common, and its unit: coordinates of a Dataset, of which a budget reads
#: the relative uncertainties, every sum the independent samples per depth, and every depth that is
#: read from a restored profile its resolution. Profiles and files keep them as columns.
SHARED = {
    "sensitivity_factor_uncertainty": "1",
    "scale_repeatability": "1",
    "depth_scale_uncertainty": "1",
    "dose_scale": "1",
    "dose_scale_uncertainty": "1",
    "effective_sample_fraction": "1",
    "achieved_resolution": "nm",
}
#: What profiles and files have columns for besides values and standard errors.
ANCILLARY = COLUMNS | SHARED

#: Columns and coordinates with the edges of cells over which values are averages, in the unit of
#: the axis.
CELLS = ("cell_start", "cell_stop")

#: Possible dimensions of the samples of one measurement.
AXES = ("depth", "sputter_time")

#: Possible kinds of unit of ``intensity``, in order of preference.
INTENSITY_KINDS = ("count_rate", "count", "arbitrary")

#: The words of every ``status``, in the order of the kernels' codes.
STATUS = tuple(outcomes.words())


def kinds(name: str) -> tuple[str, ...]:
    """Return the possible kinds of unit of a measured variable."""
    return INTENSITY_KINDS if name == "intensity" else (TERMS[RATIOS.get(name, name)].kind or "",)


def kinds_in(name: str, units: str) -> tuple[str, ...]:
    """Return the possible kinds of a measured variable whose canonical unit is the given one."""
    return tuple(kind for kind in kinds(name) if CANONICAL[kind] == units)


def name_of(kind: str) -> str:
    """Return the name of the variable for values of a kind."""
    return next(name for name in QUANTITIES if kind in kinds(name))


VALUE_KINDS = tuple(dict.fromkeys(kind for name in QUANTITIES for kind in kinds(name)))


def attrs(name: str, units: str | None = None) -> dict[str, str]:
    """Return new attrs for a variable or result.

    Parameters
    ----------
    name : str
        Key of :data:`TERMS`.
    units : str, optional
        A canonical unit in place of that of the term (an intensity may be in ``count``).
    """
    return _attrs(name, units).copy()


def quality_attrs() -> dict[str, Any]:
    """Return new attrs for the coordinate of flags, by the CF conventions (section 3.5)."""
    return attrs(QUALITY) | {
        "flag_masks": np.array(list(Flag), dtype=np.int16),
        "flag_meanings": " ".join((flag.name or "").lower() for flag in Flag),
    }


def ancillary_attrs(name: str, end: str, units: str) -> dict[str, Any]:
    """Return new attrs for an ancillary variable of a measured one.

    Parameters
    ----------
    name : str
        The measured variable.
    end : str
        ``"stderr"``, ``"scatter"``, or a key of :data:`COLUMNS`.
    units : str
        Unit of the measured variable.

    Examples
    --------
    >>> ancillary_attrs("concentration", "stderr", "atom/cm^3")["long_name"]
    'Standard error of concentration'
    """
    if end == QUALITY:
        return quality_attrs()
    if end == "stderr":
        long_name = TERMS[name].long_name.lower()
        return {"units": units, "long_name": f"Standard error of {long_name}"}
    return attrs(end, COLUMNS.get(end) or units)


@lru_cache(maxsize=256)
def _attrs(name: str, units: str | None) -> dict[str, str]:
    if name not in TERMS:
        raise KeyError(f"{name!r} has no term in sims_analysis.vocabulary.TERMS: add one")
    term = TERMS[name]
    fresh: dict[str, str] = {}
    if units is not None or term.kind is not None:
        fresh["units"] = units if units is not None else CANONICAL[term.kind or ""]
    fresh["long_name"] = term.long_name
    fresh["description"] = term.definition
    if term.reference:
        fresh["references"] = term.reference
    return fresh | _MORE_ATTRS.get(name, {})


def of_axis(name: str) -> dict[str, str]:
    """Return what CF tools know an axis by."""
    return dict(_MORE_ATTRS.get(name, {}))
