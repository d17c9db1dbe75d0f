"""Tools for tests: assertions that see units, profiles with exact results, checks of plugins."""

from sims_analysis.testing.assertions import assert_allclose, assert_identical
from sims_analysis.testing.plugins import check_model, check_reader
from sims_analysis.testing.profiles import (
    Truth,
    erfc_profile,
    exponential_profile,
    gaussian_profile,
)

__all__ = [
    "Truth",
    "assert_allclose",
    "assert_identical",
    "check_model",
    "check_reader",
    "erfc_profile",
    "exponential_profile",
    "gaussian_profile",
]
