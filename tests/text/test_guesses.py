"""A guess is answered with the names that may be meant, and no others."""

import pytest

from sims_analysis.text.guesses import instead_of


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
