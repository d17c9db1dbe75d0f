"""A guess is answered with the names that may be meant, and no others."""

import pytest

import sims_analysis as sims
from sims_analysis.text.guesses import instead_of


@pytest.mark.parametrize(
    ("guess", "name"),
    [
        ("concentration", "interpolate"), ("csv", "to_csv"), ("Excel", "to_excel"),
        ("FWHM", "peak"), ("max", "peak"), ("normalize", "normalise"),
        ("normalise_to_matrix", "normalise"), ("quantification", "with_rsf"), ("read_csv", "read"),
        ("read_excel", "read"), ("resample", "to_grid"), ("xj", "junction_depth"),
    ],
)  # fmt: skip
def test_other_words_for_public_names(guess, name):
    assert instead_of(guess, []) == f"; there is {name}"
    assert hasattr(sims, name)


@pytest.mark.parametrize(
    ("guess", "names", "answer"),
    [
        ("dose", ["integrated_dose", "peak"], "; there is integrated_dose"),
        ("Dose", ["a_dose", "b_dose", "c_dose"], "; there are a_dose, b_dose and c_dose"),
        ("junction_deth", ["junction_depth", "peak"], "; there is junction_depth"),
        ("read_excel", [], "; there is read"),  # as others call it
        ("do", ["a_dose"], ""),  # too short
        ("dose", ["DoseError"], ""),  # no function
        ("fwhm", [], "; there is peak"),
        ("wafer", ["dose"], ""),
        ("fit", ["fit", "fit"], "; there is fit"),
        ("csv", ["from_csv", "to_csv"], "; there are to_csv and from_csv"),
        (
            "plot",
            [f"plot_{c}" for c in "abcdefg"],
            "; there are plot_a, plot_b, plot_c, plot_d, plot_e and plot_f",
        ),
    ],
)
def test_a_guess_is_answered_with_similar_names(guess, names, answer):
    assert instead_of(guess, names) == answer
