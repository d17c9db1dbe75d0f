"""A guess is answered with the names that may be meant, and no others."""

import pytest

from sims_analysis.text.guesses import instead_of


@pytest.mark.parametrize(
    ("guess", "names", "answer"),
    [
        ("dose", ["integrated_dose", "peak"], "; did you mean integrated_dose?"),
        ("Dose", ["a_dose", "b_dose", "c_dose"], "; did you mean a_dose, b_dose or c_dose?"),
        ("junction_deth", ["junction_depth", "peak"], "; did you mean junction_depth?"),
        ("read_excel", [], "; did you mean read?"),  # as others call it
        ("do", ["a_dose"], ""),  # too short
        ("dose", ["DoseError"], ""),  # no function
        ("fwhm", [], "; did you mean peak?"),
        ("wafer", ["dose"], ""),
        ("fit", ["fit", "fit"], "; did you mean fit?"),
        ("csv", ["from_csv", "to_csv"], "; did you mean to_csv or from_csv?"),
        (
            "plot",
            [f"plot_{c}" for c in "abcdefg"],
            "; did you mean plot_a, plot_b, plot_c, plot_d, plot_e or plot_f?",
        ),
    ],
)
def test_a_guess_is_answered_with_similar_names(guess, names, answer):
    assert instead_of(guess, names) == answer
