"""Units: reading them as this field writes them, converting exactly, quantities and back.

The only importer of pint. Unit strings are read with a private registry that knows about thirty
names and refuses everything else, because the default registry reads ``at/cm^3`` as technical
atmospheres, ``c/s`` as the speed of light and ``cts/s`` as carats. Inside the library, data are
plain arrays in the canonical units of :data:`CANONICAL`; a unit is a plain ASCII string.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import UnitsError

if TYPE_CHECKING:
    import pint
    import xarray as xr

__all__ = ["Unit", "dequantify", "quantify", "read_unit"]

#: Kind of quantity -> the one unit in which the library computes and answers.
CANONICAL = {
    "depth": "nm",
    "sputter_time": "s",
    "concentration": "atom/cm^3",
    "areal_density": "atom/cm^2",
    "count_rate": "count/s",
    "count": "count",
    "arbitrary": "arb. unit",
    "atomic_fraction": "1",
    "mass_fraction": "1",
    "range_density": "1/cm",
    "sputter_rate": "nm/s",
    "dimensionless": "1",
}

# --- the private registry ---------------------------------------------------------------------

_DEFINITIONS = (
    "nm = [length]",
    "angstrom = 0.1 nm",
    "um = 1000 nm",
    "mm = 1000 um",
    "cm = 10 mm",
    "m = 100 cm",
    "s = [time]",
    "ms = 0.001 s",
    "min = 60 s",
    "hour = 60 min",
    "atom = [atom]",
    "count = [count]",
    "kcount = 1000 count",
    "Mcount = 1e6 count",
    "arbitrary = [arbitrary]",
    "atomic_fraction = [atomic_fraction]",
    "mass_fraction = [mass_fraction]",
)

#: Every spelling of a single unit. Words of two letters or more are also read in capitals.
_SPELLINGS = {
    "nm": "nm nanometer nanometers nanometre nanometres",
    "angstrom": "Å å angstrom angstroms Ang ang Ang. ang. ångström ångströms angström",
    "um": "um µm micron microns micrometer micrometers micrometre micrometres",
    "mm": "mm millimeter millimeters millimetre millimetres",
    "cm": "cm centimeter centimeters centimetre centimetres",
    "m": "m meter meters metre metres",
    "s": "s sec sec. secs second seconds",
    "ms": "ms millisecond milliseconds",
    "min": "min min. mins minute minutes",
    "hour": "h hr hrs hour hours",
    "atom": "atom atoms at at. ats atm. atoms.",
    "count": "count counts cnt cnts cts ct count. counts. cts. cnt.",
    "kcount": "kcount kcounts kcnt kcts",
    "Mcount": "Mcount Mcounts Mcnt Mcts",
    "cm**3": "cc ccm",
    "count/s": "cps",
    "kcount/s": "kcps",
    "Mcount/s": "Mcps",
}
_NAMES = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
# `atm.` would be an atmosphere to most readers.
del _NAMES["atm."]

#: Whole phrases, written without spaces, dots, hyphens and underscores, in lower case.
_PHRASE_LISTS = {
    ("atomic_fraction", 0.01): "at% atom% atoms% atomic% %at %atomic atpct atpercent atompercent "
    "atomicpercent",
    ("atomic_fraction", 1.0): "atomicfraction atomfraction",
    ("atomic_fraction", 1e-6): "ppm ppma ppmat ppmatomic atppm atomicppm",
    ("atomic_fraction", 1e-9): "ppb ppba ppbat ppbatomic atppb atomicppb",
    ("mass_fraction", 0.01): "wt% weight% mass% %wt wtpct wtpercent weightpercent masspercent",
    ("mass_fraction", 1.0): "massfraction weightfraction",
    ("mass_fraction", 1e-6): "ppmw ppmwt wtppm",
    ("mass_fraction", 1e-9): "ppbw ppbwt wtppb",
    ("arbitrary", 1.0): "au arb arbu arbunit arbunits arbitrary arbitraryunit arbitraryunits "
    "intensity",
}
_PHRASES = {word: unit for unit, words in _PHRASE_LISTS.items() for word in words.split()}
# `c` is a count only per second: alone it could be anything.
_PHRASES_EXACT = {"c/s": "count/s", "c/sec": "count/s", "C/S": "count/s", "kc/s": "kcount/s"}

_AMBIGUOUS = {
    "A": "'A' may be ampere or angstrom; write 'angstrom'",
    "%": "'%' may be an atomic or a mass fraction; write 'at%' or 'wt%'",
    "percent": "percent of what is not said; write 'at%' or 'wt%'",
    "mol%": "a mole fraction of what is not said; write 'at%'",
}

_KINDS: dict[tuple[tuple[str, float], ...], str] = {
    (("[atom]", 1), ("[length]", -3)): "concentration",
    (("[length]", -3),): "concentration",
    (("[atom]", 1), ("[length]", -2)): "areal_density",
    (("[length]", -2),): "areal_density",
    (("[length]", -1),): "range_density",
    (("[length]", 1),): "depth",
    (("[time]", 1),): "sputter_time",
    (("[length]", 1), ("[time]", -1)): "sputter_rate",
    (("[count]", 1), ("[time]", -1)): "count_rate",
    (("[count]", 1),): "count",
    (("[arbitrary]", 1),): "arbitrary",
    (("[atomic_fraction]", 1),): "atomic_fraction",
    (("[mass_fraction]", 1),): "mass_fraction",
    (): "dimensionless",
}

_EXAMPLES = {
    "depth": "'nm', 'um' or 'angstrom'",
    "sputter_time": "'s' or 'min'",
    "concentration": "'atoms/cm^3' or 'cm^-3'",
    "areal_density": "'atoms/cm^2'",
    "count_rate": "'counts/s'",
    "count": "'counts'",
    "sputter_rate": "'nm/s'",
    "range_density": "'1/cm'",
    "atomic_fraction": "'at%' or 'ppm'",
    "mass_fraction": "'wt%'",
    "dimensionless": "'1'",
    "arbitrary": "'arb. units'",
}


@dataclass(frozen=True)
class Unit:
    """A unit that has been read: what it measures, and how to reach the canonical unit.

    Parameters
    ----------
    text : str
        The spelling that was read.
    kind : str
        Key of :data:`CANONICAL`.
    multiply, divide : float
        One of this unit is ``multiply / divide`` canonical units. One of the two is 1, the other
        has 15 significant digits: dividing by 10 is rounded once, multiplying by 0.1 twice, so
        that 3 angstrom are 0.3 nm and not 0.30000000000000004 nm.
    """

    text: str
    kind: str
    multiply: float = 1.0
    divide: float = 1.0

    @property
    def canonical(self) -> str:
        """The canonical unit of this kind, as a plain string."""
        return CANONICAL[self.kind]

    def to_canonical(self, values: Any) -> Any:
        """Convert magnitudes to the canonical unit; the same object where nothing changes."""
        return _scaled(values, self.multiply, self.divide)

    def from_canonical(self, values: Any) -> Any:
        """Convert magnitudes in the canonical unit to this one."""
        return _scaled(values, self.divide, self.multiply)


def _unit(text: str, kind: str, factor: float) -> Unit:
    if factor >= 1.0:
        return Unit(text, kind, multiply=_significant(factor))
    return Unit(text, kind, divide=_significant(1.0 / factor))


def _scaled(values: Any, multiply: float, divide: float) -> Any:
    if multiply != 1.0:
        return values * multiply
    return values / divide if divide != 1.0 else values


def _significant(value: float) -> float:
    """Round to 15 significant digits: pint's um -> nm is 999.9999999999999 otherwise."""
    return float(f"{value:.15g}")


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, cache_folder=None)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


# --- reading ----------------------------------------------------------------------------------

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_TOKEN = re.compile(
    r"(?P<name>[A-Za-zÅåµöÖ]+\.?)(?P<power>[+-]?\d+(?![\d.]))?"
    r"|(?P<one>1(?![\d.]))|(?P<op>\^|/|\*|\(|\)|[+-]?\d+(?![\d.]))|(?P<space>\s+)"
)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Unit:
    """Read a unit string as this field writes it.

    Parameters
    ----------
    text : str
        ``"atoms/cm^3"``, ``"at/cm³"``, ``"[um]"``, ``"at.%"``, ``"c/s"``, ``"Å"``...

    Returns
    -------
    Unit
        Its kind and its factor to the canonical unit.

    Raises
    ------
    UnitsError
        If the string is unknown or ambiguous. A unit is never guessed.

    Examples
    --------
    >>> from sims_analysis.units import read_unit
    >>> read_unit("at/cm³").kind, read_unit("µm").multiply
    ('concentration', 1000.0)
    """
    if not isinstance(text, str):
        raise UnitsError(f"a unit is a text, found {type(text).__name__}: {text!r}")
    plain = _plain(text)
    phrase = re.sub(r"[\s.\-_]+", "", plain).casefold()
    if plain in _AMBIGUOUS or phrase in _AMBIGUOUS:
        reason = _AMBIGUOUS.get(plain) or _AMBIGUOUS[phrase]
        raise UnitsError(f"ambiguous unit {text!r}: {reason}")
    if phrase in _PHRASES:
        kind, factor = _PHRASES[phrase]
        return _unit(text, kind, factor)
    compact = re.sub(r"\s+", "", plain)
    return _evaluate(text, _PHRASES_EXACT.get(compact) or _expression(text, plain))


def _plain(text: str) -> str:
    """Normalise typography: superscripts, minus signs, dots, brackets around the whole."""
    # NFC, never NFKC: NFKC turns the superscript minus of cm⁻³ into U+2212.
    plain = unicodedata.normalize("NFC", text).strip()
    plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: "^" + m.group().translate(_SUPERSCRIPTS), plain)
    for old, new in (("−", "-"), ("–", "-"), ("μ", "µ"), ("**", "^"), ("$", "")):
        plain = plain.replace(old, new)
    plain = re.sub(r"[·⋅∙•×]", "*", plain)
    plain = re.sub(r"\^\s*[({]\s*([+-]?\d+)\s*[)}]", r"^\1", plain)
    while plain[:1] in _BRACKETS and _closes_at_end(plain):
        plain = plain[1:-1].strip()
    plain = re.sub(r"\bper\b", "/", plain, flags=re.IGNORECASE)
    for word, power in (("cubic", 3), ("square", 2)):
        plain = re.sub(rf"\b{word}\s+([A-Za-zµ]+)", rf"\1^{power}", plain, flags=re.IGNORECASE)
    return plain.strip()


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens the text closes at its very end."""
    opening, closing = text[0], _BRACKETS[text[0]]
    level = 0
    for i, char in enumerate(text):
        level += (char == opening) - (char == closing)
        if level == 0:
            return i == len(text) - 1
    return False


def _expression(text: str, plain: str) -> str:
    """Write the unit for the private registry, every name looked up in our own table."""
    parts: list[str] = []
    position = 0
    while position < len(plain):
        token = _TOKEN.match(plain, position)
        if token is None:
            raise _unknown(text, f"cannot read {plain[position:]!r}")
        position = token.end()
        if token["space"]:
            continue
        after_power = bool(parts) and parts[-1] == "**"
        number = token["op"] or token["one"] or ""
        if after_power != number.lstrip("+-").isdigit() and not (token["one"] and not parts):
            raise _unknown(text, "it holds a number that is not a power, or a power that is none")
        if token["name"]:
            part = _name(text, token["name"]) + (f"**({token['power']})" if token["power"] else "")
        else:
            part = {"^": "**"}.get(number, number)
        operand = part[0].isalnum() or part[0] == "("
        if parts and operand and (parts[-1][-1].isalnum() or parts[-1][-1] == ")"):
            parts.append("*")
        elif not parts and part == "/":
            parts.append("1")
        parts.append(f"({part})" if after_power else part)
    return " ".join(parts)


def _name(text: str, word: str) -> str:
    candidates = [word, word.rstrip(".")]
    if len(word.rstrip(".")) > 1 and (word.isupper() or (len(word) > 2 and word.istitle())):
        candidates += [candidate.lower() for candidate in candidates]
    for candidate in candidates:
        if candidate in _NAMES:
            return f"({_NAMES[candidate]})"
    if word in _AMBIGUOUS:
        raise UnitsError(f"ambiguous unit {text!r}: {_AMBIGUOUS[word]}")
    raise _unknown(text, f"{word!r} is not a unit of depth profiling")


def _unknown(text: str, reason: str) -> UnitsError:
    return UnitsError(
        f"unknown unit {text!r}: {reason}. Units are written like 'nm', 'um', 'angstrom', 's', "
        "'atoms/cm^3', 'counts/s', 'at%', 'wt%', 'ppma' or 'arb. units'"
    )


def _evaluate(text: str, expression: str) -> Unit:
    if not expression or not re.search("[a-zA-Z]", expression):
        if expression == "1":
            return Unit(text, "dimensionless")
        raise _unknown(text, "it is empty" if not text.strip() else "it names no unit")
    try:
        quantity = _registry().parse_expression(expression).to_base_units()
        powers: dict[str, Any] = dict(quantity.dimensionality)
        dimension = tuple(sorted((name, float(power)) for name, power in powers.items()))
        factor = float(quantity.magnitude)
    # The exception for a malformed expression differs between pint's versions.
    except Exception as error:  # noqa: BLE001
        raise _unknown(text, f"cannot read it ({type(error).__name__})") from None
    kind = _KINDS.get(dimension)
    if kind is None or kind == "dimensionless":
        raise _unknown(text, "such a combination measures nothing in a depth profile")
    # Base units are nm and s; the canonical unit of a kind is expressed in them once.
    return _unit(text, kind, factor / _canonical_in_base(kind))


@lru_cache(maxsize=32)
def _canonical_in_base(kind: str) -> float:
    if kind in ("arbitrary", "atomic_fraction", "mass_fraction"):
        return 1.0
    expression = CANONICAL[kind].replace("^", "**")
    return float(_registry().parse_expression(expression).to_base_units().magnitude)


def unit_of_kind(text: object, kinds: tuple[str, ...], name: str) -> Unit:
    """Read a unit and demand that it is of one of the kinds.

    Raises
    ------
    UnitsError
        That names the argument or variable, what was found and what is expected.
    """
    wanted = " or ".join(dict.fromkeys(_EXAMPLES[kind] for kind in kinds))
    if text is None:
        raise UnitsError(f"{name} has no unit; expected a unit such as {wanted}")
    if not isinstance(text, str):
        raise UnitsError(f"{name}: a unit is a text, found {text!r}; expected {wanted}")
    try:
        unit = read_unit(text)
    except UnitsError as error:
        raise UnitsError(f"{name}: {error}") from None
    if unit.kind == "dimensionless" and "atomic_fraction" in kinds:
        return Unit(text, "atomic_fraction")
    if unit.kind == "dimensionless" and "mass_fraction" in kinds:
        return Unit(text, "mass_fraction")
    if unit.kind not in kinds:
        raise UnitsError(
            f"{name} is in {text!r}, which is {_kind_words(unit.kind)}; expected a unit "
            f"such as {wanted}"
        )
    return unit


def _kind_words(kind: str) -> str:
    words = kind.replace("_", " ")
    return words if kind in ("arbitrary", "dimensionless") else f"a {words}".replace("a a", "an a")


# --- scalars and arrays with a unit ------------------------------------------------------------

_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)


def read_quantity(value: Any, kinds: tuple[str, ...], name: str) -> tuple[Any, Unit]:
    """Read ``"50 nm"`` or a pint Quantity: the magnitude in the canonical unit, and the unit.

    Parameters
    ----------
    value : str or pint.Quantity
        A bare number is refused: it has no unit.
    kinds : tuple of str
        Kinds that are acceptable.
    name : str
        The argument's name, for error messages.

    Returns
    -------
    magnitude : float or ndarray
    unit : Unit

    Raises
    ------
    UnitsError
        If there is no unit, or one of another kind.
    """
    wanted = _EXAMPLES[kinds[0]].split("'")[1]
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        if match is None:
            raise UnitsError(f"{name}={value!r} is not a number with a unit, such as '50 {wanted}'")
        unit = unit_of_kind(match[2] or None, kinds, f"{name}={value!r}")
        return float(unit.to_canonical(float(match[1]))), unit
    if hasattr(value, "magnitude") and hasattr(value, "unit_items"):
        unit = unit_of_kind(_pint_text(value), kinds, name)
        magnitude = np.asarray(value.magnitude, dtype=np.float64)
        converted = unit.to_canonical(magnitude)
        return (float(converted) if magnitude.ndim == 0 else converted), unit
    raise UnitsError(
        f"{name}={value!r} has no unit; write it like '50 {wanted}' or give a pint Quantity"
    )


def _pint_text(quantity: Any) -> str:
    """Spell a pint unit from its parts: pint's own formatting changes between versions."""
    parts = [name if power == 1 else f"{name}^{power:g}" for name, power in quantity.unit_items()]
    return " ".join(parts) or "1"


def is_quantity(array: Any) -> bool:
    """Whether an array carries its unit itself (a pint Quantity)."""
    return hasattr(array, "magnitude") and hasattr(array, "unit_items")


def magnitude_and_unit(array: xr.DataArray, kinds: tuple[str, ...], name: str) -> tuple[Any, Unit]:
    """Split a DataArray into its magnitudes (not yet converted) and its checked unit.

    Raises
    ------
    UnitsError
        If the array has neither ``attrs["units"]`` nor a pint Quantity inside.
    """
    # `variable._data` would spare nothing: `.data` of an index is its values.
    data = array.variable.data
    if is_quantity(data):
        return data.magnitude, unit_of_kind(_pint_text(data), kinds, name)
    return data, unit_of_kind(array.attrs.get("units"), kinds, name)


# --- the pint-backed view -----------------------------------------------------------------------

_PINT_EXPRESSIONS = {
    "nm": "nanometer",
    "s": "second",
    "atom/cm^3": "atom/centimeter**3",
    "atom/cm^2": "atom/centimeter**2",
    "count/s": "count/second",
    "count": "count",
    "1": "dimensionless",
    "1/cm": "1/centimeter",
    "nm/s": "nanometer/second",
}


def quantify(data: xr.Dataset | xr.DataArray) -> Any:
    """Give the pint-backed view of the data: every variable with a unit becomes a Quantity.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        With units in ``attrs["units"]``.

    Returns
    -------
    xarray.Dataset or xarray.DataArray
        In the units of pint's application registry. Index coordinates (``depth``) keep their
        unit in ``attrs``, since an index cannot hold a Quantity; arbitrary units stay there too.

    Raises
    ------
    UnitsError
        If a unit string is unknown.

    See Also
    --------
    dequantify : The way back.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> sims.quantify(ds)["concentration"].data.units
    <Unit('atom / centimeter ** 3')>
    """
    return _each_variable(data, _quantified)


def dequantify(data: xr.Dataset | xr.DataArray) -> Any:
    """Give the plain view: magnitudes in canonical units, the unit in ``attrs["units"]``.

    Parameters
    ----------
    data : xarray.Dataset or xarray.DataArray
        As :func:`quantify` gives it, or after arithmetic on it.

    Returns
    -------
    xarray.Dataset or xarray.DataArray

    Raises
    ------
    UnitsError
        If a Quantity measures nothing that this library knows.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> sims.dequantify(sims.quantify(ds))["concentration"].attrs["units"]
    'atom/cm^3'
    """
    return _each_variable(data, _plain_variable)


def _each_variable(data: Any, change: Any) -> Any:
    import xarray as xr

    if isinstance(data, xr.DataArray):
        # `_to_temp_dataset` is xarray's own way to treat an array as a dataset; the public
        # equivalent needs a name that clashes with no coordinate.
        name = data.name
        dataset = data.to_dataset(name="__sims__", promote_attrs=False)
        return _each_variable(dataset, change)["__sims__"].rename(name)
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"expected a Dataset or a DataArray, found {type(data).__name__}")
    changed = {
        name: change(str(name), array.variable)
        for name, array in {**data.coords, **data.data_vars}.items()
        if name not in data.xindexes
    }
    coords = {name: variable for name, variable in changed.items() if name in data.coords}
    variables = {name: v for name, v in changed.items() if name in data.data_vars}
    return data.assign_coords(coords).assign(variables)


def _quantified(name: str, variable: xr.Variable) -> xr.Variable:
    text = variable.attrs.get("units")
    if text is None or is_quantity(variable.data):
        return variable
    unit = read_unit(text)
    if unit.kind == "arbitrary":
        return variable
    attrs = {k: v for k, v in variable.attrs.items() if k != "units"}
    registry = _application_registry()
    quantity = registry.Quantity(
        unit.to_canonical(variable.data), _PINT_EXPRESSIONS[unit.canonical]
    )
    return variable._replace(data=quantity, attrs=attrs)


def _plain_variable(name: str, variable: xr.Variable) -> xr.Variable:
    data = variable.data
    if not is_quantity(data):
        return variable
    text = _pint_text(data)
    if not data.dimensionless:
        unit = unit_of_kind(text, tuple(_EXAMPLES), name)
        magnitude, text = unit.to_canonical(data.magnitude), unit.canonical
    else:
        magnitude, text = data.to("dimensionless").magnitude, "1"
    return variable._replace(data=magnitude, attrs={**variable.attrs, "units": text})


def as_quantity(values: Any, canonical: str) -> Any:
    """Wrap magnitudes in a canonical unit as a Quantity of pint's application registry."""
    expression = _PINT_EXPRESSIONS.get(canonical)
    return values if expression is None else _application_registry().Quantity(values, expression)


def _application_registry() -> Any:
    import pint

    registry: Any = pint.get_application_registry()
    if "atom" not in registry:
        # A dimension of its own: counts are not atoms, and neither is a pure number.
        registry.define("atom = [atom]")
    return registry
