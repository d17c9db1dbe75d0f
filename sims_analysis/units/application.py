"""The unit of atoms in pint's application registry, which users and pint-xarray share with us.

One unit and one context are added there, once, when a Dataset is first made; no registry is
replaced, and what the user has defined under these names stays.
"""

from __future__ import annotations

import copyreg
import threading
from typing import Any

from sims_analysis.errors import UnitsError

#: Name of the context in which ``atom/cm^3`` is ``1/cm^3``.
CONTEXT = "sims"
_LOCK = threading.Lock()
_prepared: Any = None


def define_atoms() -> None:
    """Define the unit ``atom`` and the context ``sims``, where they are not yet.

    ``Dataset.pint.quantify()`` of pint-xarray reads ``atom/cm^3`` from then on. The first call in a
    process builds pint's registry, which takes some 0.2 s. pint itself is not safe to be used
    first in several threads; this is.
    """
    global _prepared  # noqa: PLW0603 - what is prepared is pint's, and is for the whole process
    import pint

    registry: Any = pint.get_application_registry()
    if registry.get() is _prepared:
        return
    with _LOCK:
        if registry.get() is _prepared:
            return
        if "atom" not in registry:
            # A dimension of its own: atoms are neither counts nor pure numbers.
            registry.define("atom = [atom]")
        if not _has_context(registry) and registry.get_dimensionality("atom"):
            registry.add_context(_context(pint, registry))
        for kind in (registry.Quantity, registry.Unit):
            copyreg.pickle(kind, _pickled)
        _prepared = registry.get()


def application_registry(*, for_atoms: bool = False) -> Any:
    """Return pint's application registry, with its unit of atoms.

    If atoms are needed, one that the user has defined as pure number, to which counts convert, is
    refused.
    """
    import pint

    define_atoms()
    registry: Any = pint.get_application_registry()
    if for_atoms and not registry.get_dimensionality("atom"):
        raise UnitsError(
            "the unit 'atom' of pint's application registry is a pure number there, to which "
            "counts convert; expected a dimension of its own, such as 'atom = [atom]'. Leave it "
            "undefined in that registry (sims_analysis defines it), or take another one: "
            "pint.set_application_registry(pint.UnitRegistry())"
        )
    return registry


def _has_context(registry: Any) -> bool:
    try:
        with registry.context(CONTEXT):
            return True
    except KeyError:
        return False


def _context(pint: Any, registry: Any) -> Any:
    """Make the context in which densities of atoms are those of pure numbers."""
    context = pint.Context(CONTEXT)
    atom = " * ".join(f"{n}**{p:g}" for n, p in registry.get_dimensionality("atom").items())
    for power in (2, 3):
        plain, of_atoms = f"1/[length]**{power}", f"{atom}/[length]**{power}"
        context.add_transformation(of_atoms, plain, _without_atoms)
        context.add_transformation(plain, of_atoms, _with_atoms)
    return context


def _without_atoms(registry: Any, density: Any) -> Any:
    return density / registry.atom


def _with_atoms(registry: Any, density: Any) -> Any:
    import pint

    # To pint, a count is a pure number as well; but counts are not atoms.
    for name, _ in density.unit_items():
        if set(registry.get_dimensionality(name)) != {"[length]"}:
            raise pint.DimensionalityError(
                density.units, f"{density.units} * atom", extra_msg=f": {name} is not atom"
            )
    return density * registry.atom


def _pickled(quantity: Any) -> tuple[Any, ...]:
    """Pickle a Quantity or Unit of atoms so that unpickling defines the atom first.

    pint unpickles with the registry of the current process, such as a Dask worker.
    """
    rebuild, arguments = quantity.__reduce__()
    if not any(str(name).endswith("atom") for name in arguments[-1]):
        return rebuild, arguments
    return _unpickled, (rebuild, *arguments)


def _unpickled(rebuild: Any, *arguments: Any) -> Any:
    define_atoms()
    return rebuild(*arguments)
