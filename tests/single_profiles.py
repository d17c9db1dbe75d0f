"""A profile with ordinary fields, but for what a test says of it."""

import sims_analysis as sims


def profile_of(depths, values, species="B", *, units="atoms/cm^3", axis_units="nm", **more):
    """Make a profile as it is delivered."""
    return sims.DepthProfile(
        species_name=species,
        depths=depths,
        depth_units=axis_units,
        concentrations=values,
        concentration_units=units,
        **more,
    )
