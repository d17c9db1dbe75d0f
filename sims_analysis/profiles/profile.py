"""Depth profiles as the API delivers them: validated records, JSON in, the same JSON out.

Nothing is sorted, converted or dropped here. A :class:`DepthProfile` is what the laboratory
delivered; :func:`sims_analysis.to_dataset` makes profiles comparable.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sims_analysis.errors import ProfileError, about
from sims_analysis.profiles.wire import (
    ARRAYS,
    NUMBERS,
    REQUIRED,
    TEXT,
    WIRE_FIELDS,
    fields_of,
    fields_of_all,
    overflows,
)
from sims_analysis.text.arguments import type_error
from sims_analysis.text.escapes import visible

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False, kw_only=True)
class DepthProfile:
    """One species of one SIMS measurement, exactly as delivered.

    Parameters
    ----------
    species_name : str
        Name as delivered: ``"11B"``, ``"Ga->"``, ``"^118SnI_3-"``.
    depths : array_like, shape (n,)
        Depth (or sputter time) of every sample, in `depth_units`; finite.
    depth_units : str
        Unit of `depths` as delivered, such as ``"nm"``, ``"um"`` or ``"s"``.
    concentrations : array_like, shape (n,)
        Value of every sample, in `concentration_units`. ``NaN`` (``null`` on the wire) means
        that the sample was not measured. Zero and negative values are kept.
    concentration_units : str
        Unit of `concentrations` as delivered: ``"atoms/cm^3"``, ``"at%"``, ``"counts/s"``...
    data_id, id, processed_data_id : str or int, optional
        Identifiers of the entry, of this profile and of the processing run.
    species_metadata : dict, optional
        Anything else that the server keeps with the profile.
    last_updated : str, optional
        ISO 8601 time as delivered.
    concentrations_stderr : array_like, shape (n,), optional
        Standard error of every value, random part, in `concentration_units`. It is not in the
        reference contract, but is read if present on the wire.
    extra : dict, optional
        Fields that are not in the wire contract; they survive a round trip.

    Raises
    ------
    ProfileError
        If the arrays differ in length, are empty, are not one-dimensional numbers, or contain an
        infinity; or if a depth is not finite.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> sims.DepthProfile(
    ...     species_name="B", depths=[0, 10, 20], depth_units="nm",
    ...     concentrations=[1e18, 3e18, 5e17], concentration_units="atoms/cm^3",
    ... )
    <DepthProfile 'B': 3 samples, 0 to 20 nm, 5e+17 to 3e+18 atoms/cm^3>
    """

    species_name: str
    depths: NDArray[np.float64]
    depth_units: str
    concentrations: NDArray[np.float64]
    concentration_units: str
    data_id: str | int | None = None
    id: str | int | None = None
    processed_data_id: str | int | None = None
    species_metadata: Any = None
    last_updated: str | None = None
    concentrations_stderr: NDArray[np.float64] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    #: Keys of the wire object in order, so that `to_dict` returns an identical object.
    _keys: tuple[str, ...] = field(default=(), repr=False)

    if TYPE_CHECKING:
        # The arguments may be any arrays of numbers; the fields are float64.
        def __init__(
            self,
            *,
            species_name: str,
            depths: ArrayLike,
            depth_units: str,
            concentrations: ArrayLike,
            concentration_units: str,
            data_id: str | int | None = None,
            id: str | int | None = None,  # noqa: A002 - the name of the wire
            processed_data_id: str | int | None = None,
            species_metadata: Mapping[str, Any] | None = None,
            last_updated: str | None = None,
            concentrations_stderr: ArrayLike | None = None,
            extra: Mapping[str, Any] = ...,
            _keys: tuple[str, ...] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        for name in TEXT:
            if not isinstance(getattr(self, name), str):
                type_name = type(getattr(self, name)).__name__
                raise ProfileError(f"{name} must be a string, found {type_name}", argument=name)
        with about(where={"species": self.species_name}):
            self._check_arrays()

    def _check_arrays(self) -> None:
        for name in ARRAYS:
            if getattr(self, name) is None and name not in REQUIRED:
                continue
            with about(argument=name):
                array = self._check_array(name, getattr(self, name))
                object.__setattr__(self, name, array)
                if array.size != self.depths.size:
                    raise ProfileError(
                        f"species {self.species_name!r}: {self.depths.size} depths but "
                        f"{array.size} {name}; each sample needs both"
                    )
        if self.depths.size == 0:
            text = f"species {self.species_name!r}: the profile has no samples"
            raise ProfileError(text, code="no_profile")

    def _check_array(self, name: str, values: ArrayLike) -> NDArray[np.float64]:
        who = f"species {self.species_name!r}"
        if hasattr(values, "magnitude"):
            raise ProfileError(
                f"{who}: {name} is a pint Quantity; give its magnitude, and its unit as a string"
            )
        if isinstance(values, np.ma.MaskedArray):
            # Masked numbers are not data.
            values = np.ma.filled(values.astype(np.float64), np.nan)
        array = np.asarray(values)
        if array.dtype.kind == "O" and array.ndim == 1:
            array = _from_objects(f"{who}: {name}", array)
        if array.dtype.kind not in "iuf":
            raise ProfileError(
                f"{who}: {name} must be numbers, found "
                + (f"an array of type {array.dtype}" if array.ndim else type(array.item()).__name__)
            )
        if array.ndim != 1:
            raise ProfileError(f"{who}: {name} must have one dimension, found shape {array.shape}")
        # Always a copy: the record must not change when the caller's array does.
        array = np.array(array, dtype=np.float64)
        bad = ~np.isfinite(array) if name == "depths" else np.isinf(array)
        if bad.any():
            index = int(bad.argmax())
            raise ProfileError(
                f"{who}: {name}[{index}] is {array[index]}; "
                "a sample needs a finite depth and a finite value (None or NaN: not measured)",
                code="infinite_sample",
            )
        array.setflags(write=False)
        return array

    @classmethod
    def from_dict(cls, wire: Mapping[str, Any], path: str = "$") -> DepthProfile:
        """Validate a profile object of the wire, field by field.

        Parameters
        ----------
        wire : mapping
            The decoded JSON object.
        path : str
            JSON path of the object, for error messages.

        Raises
        ------
        PayloadError
            With the JSON path of the field that violates the contract.
        """
        return cls._of_checked(fields_of(wire, path))

    @classmethod
    def _all_of(cls, objects: list[Any], *, booleans: bool) -> list[DepthProfile]:
        """Validate all profile objects of a payload like `from_dict`, in half the time."""
        return list(map(cls._of_checked, fields_of_all(objects, booleans=booleans)))

    @classmethod
    def _of_checked(cls, values: Mapping[str, Any]) -> DepthProfile:
        """Make a record from validated fields, without the checks of __post_init__.

        Arrays are not copied: they are read-only, and shared by profiles on the same axis.
        """
        profile = cls.__new__(cls)
        profile.__dict__.update(values)
        return profile

    def to_dict(self) -> dict[str, Any]:
        """Return the wire object: the fields that were delivered, in their order.

        Returns
        -------
        dict
            JSON-ready; a sample that was not measured is ``None``.
        """
        values: dict[str, Any] = {name: getattr(self, name) for name in WIRE_FIELDS}
        for name in ARRAYS:
            if values[name] is not None:
                values[name] = _nullable(values[name])
        values.update(self.extra)
        if self._keys:
            return {name: values[name] for name in self._keys}
        return {k: v for k, v in values.items() if v is not None}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DepthProfile):
            return NotImplemented
        return all(
            np.array_equal(a, b, equal_nan=True) if isinstance(a, np.ndarray) else a == b
            for a, b in (
                (getattr(self, f.name), getattr(other, f.name))
                for f in fields(self)
                if f.name != "_keys"
            )
        )

    __hash__ = None  # type: ignore[assignment]  # arrays and dicts inside: equal but unhashable

    def __repr__(self) -> str:
        measured = self.concentrations[~np.isnan(self.concentrations)]
        span = f"{measured.min():.3g} to {measured.max():.3g}" if measured.size else "nothing"
        return (
            f"<DepthProfile {self.species_name!r}: {self.depths.size} samples, "
            f"{self.depths.min():.4g} to {self.depths.max():.4g} {visible(self.depth_units)}, "
            f"{span} {visible(self.concentration_units)}>"
        )

    def _repr_html_(self) -> str:
        from sims_analysis.profiles.html import profile_html

        return profile_html(self)


def _from_objects(name: str, array: NDArray[Any]) -> NDArray[np.float64]:
    """Read a list of numbers in which ``None`` stands for a missing sample."""
    numbers = np.empty(array.size)
    for index, value in enumerate(array):
        if value is None:
            numbers[index] = np.nan
        elif type(value) in NUMBERS or isinstance(value, (np.integer, np.floating)):
            if overflows(value):
                raise ProfileError(f"{name}[{index}] is too large a number")
            numbers[index] = value
        else:
            raise ProfileError(f"{name}[{index}] must be a number, found {value!r}")
    return numbers


def _nullable(array: NDArray[np.float64]) -> list[float | None]:
    """Convert to a list; NaN, which JSON does not have, becomes ``None``."""
    numbers = array.tolist()
    if np.isnan(array).any():
        return [None if math.isnan(number) else number for number in numbers]
    return list(numbers)


class HasProfiles(Protocol):
    """An object with the profiles of a data entry, such as a SIMSResult."""

    @property
    def depth_profiles(self) -> list[DepthProfile]: ...  # noqa: D102


def profiles_of(source: Any) -> list[DepthProfile]:
    """List the profiles of a result, of one profile, or of a sequence of profiles."""
    if isinstance(source, DepthProfile):
        return [source]
    delivered = getattr(source, "depth_profiles", source)
    if isinstance(delivered, (str, Mapping)) or not isinstance(delivered, Iterable):
        expected = "expected a SIMSResult, a DepthProfile or a sequence of profiles"
        raise type_error("source", source, expected)
    profiles = list(delivered)
    for i, profile in enumerate(profiles):
        if not isinstance(profile, DepthProfile):
            advice = ""
            if hasattr(profile, "depth_profiles"):
                advice = "; each result becomes its own Dataset: result.to_dataset()"
            elif isinstance(profile, Mapping):
                advice = "; DepthProfile.from_dict() reads a profile object of the wire"
            raise ProfileError(
                f"item {i} is {type(profile).__name__}, expected DepthProfile{advice}",
                code="invalid_argument",
            )
    return profiles
