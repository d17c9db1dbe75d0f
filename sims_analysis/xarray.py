"""At home in xarray: ``data.sims.integrated_dose(...)``, ``xarray.open_dataset(engine="sims")``.

Importing this module registers the accessor, and so does whatever makes a Dataset. Functions stay
the API: the accessor forwards to them, whatever their names, and knows nothing itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any

import xarray as xr
from xarray.backends import BackendEntrypoint

import sims_analysis

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SimsAccessor", "SimsBackend", "forwarded"]

#: What the first argument of a function is, if the function is one of data.
_DATA = {"xr.Dataset", "xr.DataArray", "Data", "Measurements"}


def forwarded() -> dict[str, Callable[..., Any]]:
    """Return the public functions whose first argument is data, by their names."""
    public = {name: getattr(sims_analysis, name) for name in dir(sims_analysis)}
    return {name: function for name, function in public.items() if _takes_data(function)}


def _takes_data(function: Any) -> bool:
    if not inspect.isfunction(function):
        return False
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and not _DATA.isdisjoint(str(first.annotation).split(" | "))


@xr.register_dataarray_accessor("sims")
@xr.register_dataset_accessor("sims")
class SimsAccessor:
    """The functions of sims_analysis as methods of a Dataset or DataArray.

    ``data.sims.junction_depth(level="1e18 atoms/cm^3")`` is
    ``sims_analysis.junction_depth(data, level="1e18 atoms/cm^3")``: with its signature, its
    docstring, its errors.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> print(f"{ds.sims.integrated_dose(stop='300 nm').sel(species='B').item():.3e}")
    5.031e+14
    """

    def __init__(self, data: Any) -> None:
        self._data = data

    def __dir__(self) -> list[str]:
        return sorted(forwarded())

    def __getattr__(self, name: str) -> Any:
        function = getattr(sims_analysis, name, None) if name in dir(sims_analysis) else None
        if function is not None and _takes_data(function):
            return MethodType(function, self._data)
        if function is None:
            raise AttributeError(
                f"sims_analysis has no function {name!r}; dir(data.sims) lists those of data"
            )
        raise AttributeError(
            f"{name} is no function of data alone: call sims_analysis.{name}(...) itself"
        )

    def __repr__(self) -> str:
        return f"<the functions of sims_analysis, for this {type(self._data).__name__}>"


class SimsBackend(BackendEntrypoint):
    """Files of instruments, laboratories and simulators, for :func:`xarray.open_dataset`.

    Keyword arguments are those of :func:`sims_analysis.read`; what that reads becomes a Dataset.
    Files that :func:`sims_analysis.save` wrote are loaded as they were saved.
    """

    description = "Depth profiles of SIMS: what sims_analysis.read and load open"
    url = "https://pypi.org/project/sims-analysis/"

    @property
    def open_dataset_parameters(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the arguments that :meth:`open_dataset` takes."""
        own = inspect.signature(sims_analysis.read).parameters
        return ("filename_or_obj", "drop_variables", *list(own)[1:])

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        **options: Any,
    ) -> xr.Dataset:
        """Read a file, as :func:`sims_analysis.read` does, and make a Dataset of it."""
        raise NotImplementedError

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether a file is laid out as one of the formats that have a recogniser."""
        raise NotImplementedError
