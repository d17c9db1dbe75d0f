"""The unit of atoms in pint's application registry, which users and pint-xarray share with us.

It is added there, once, when a Dataset is first made; no registry is replaced, and an ``atom`` that
the user has defined stays.
"""

from __future__ import annotations

import threading
from typing import Any

from sims_analysis.errors import UnitsError

_LOCK = threading.Lock()
_prepared: Any = None


def define_atoms() -> None:
    """Define the unit ``atom``, where it is not yet.

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
            "pint.set_application_registry(pint.UnitRegistry())",
            code="ambiguous_unit",
        )
    return registry
