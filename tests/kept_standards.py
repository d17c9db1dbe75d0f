"""Standards and unknowns of which the truth is known, measured under stated conditions."""

import numpy as np

import sims_analysis as sims
from sims_analysis.profiles.metadata import Layer, Metadata

TRUE_FACTOR = 5e21
CONDITIONS = {
    "primary_ion": "O2+",
    "impact_energy": "3 keV",
    "secondary_polarity": "+",
    "instrument": "IMS 7f",
    "layers": (Layer(matrix="Si"),),
}


def measured(day, factor=TRUE_FACTOR, dose=1e15, seed=None, data_id=None, uniform=None, **other):
    """Boron counted in silicon: an implant, or a uniform concentration; factor of that day."""
    depth = np.arange(1.0, 301.0, 1.0)
    concentration = (
        dose * 1e7 / (30.0 * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((depth - 120) / 30) ** 2)
    )
    if uniform is not None:
        concentration = np.full(depth.size, uniform)
    counts = {"11B": concentration / factor * 1e5, "30Si": np.full(depth.size, 1e5)}
    if seed is not None:
        rng = np.random.default_rng(seed)
        counts = {name: rng.poisson(column) for name, column in counts.items()}
    stated = Metadata(measured=day, sample="standard", **{**CONDITIONS, **other}).to_dict()
    profiles = [
        sims.DepthProfile(
            species_name=name,
            depths=depth,
            depth_units="nm",
            concentrations=column.astype(float),
            concentration_units="counts" if seed is not None else "counts/s",
            extra={"measurement": stated},
        )
        for name, column in counts.items()
    ]
    result = sims.SIMSResult(
        data_id=data_id or f"std-{day}",
        depth_profiles=profiles,
        provenance={"sha256": f"{abs(hash((day, seed, factor))):064x}"},
    )
    ds = result.to_dataset()
    return ds if seed is None else sims.with_counting_statistics(ds)


def factor_of(*standards, **options):
    options = {"dose": "1e15 atoms/cm^2", **options}
    one = standards[0] if len(standards) == 1 else list(standards)
    return sims.rsf_from_standard(one, species="11B", matrix="30Si", **options)
