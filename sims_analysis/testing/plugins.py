"""Checks that the author of a reader or of a model runs: what the library takes for granted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import SimsError, collected
from sims_analysis.fitting.fit import fit
from sims_analysis.readers.files import read
from sims_analysis.readers.registry import FORMATS, Reader, fault_of, reader_for
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Options, Source
from sims_analysis.shapes.model import Model
from sims_analysis.units import read_number

if TYPE_CHECKING:
    from sims_analysis.dataset.result import SIMSResult

#: Files that no reader of one layout may take for its own.
_OF_OTHERS = {
    "a table": b"Depth (nm);11B (at/cm3)\n0;1,2E18\n5;3,5E18\n",
    "a text": b"once upon a time\n",
    "JSON of the API": b'[{"species_name": "B", "depths": [0]}]',
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "an archive of files": b"PK\x03\x04" + bytes(60),
    "binary numbers": bytes(range(256)) * 8,
    "an empty file": b"",
}
#: Shares of a file after which it is cut off, as a copy that was interrupted is.
_CUTS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
_SAMPLES = 241


def check_reader(
    reader: Reader | str,
    files: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    **options: Any,
) -> list[SIMSResult]:
    """Check a reader against what :func:`sims_analysis.read` expects of one.

    Parameters
    ----------
    reader : Reader or str
        One's own, installed or not, or the name of a known one.
    files : path-like, or iterable of these
        Files of its layout.
    **options
        What has to be stated to read them, as for :func:`sims_analysis.read`: ``units=``...

    Returns
    -------
    list of SIMSResult
        What was read of each file, for the author's own tests of numbers.

    Raises
    ------
    AssertionError
        Says what is wrong: a name that is missing or taken; a file that it does not recognise by
        its content alone, or one of others that it does; signals that are not signals; an answer
        that differs at a second reading; a file that is truncated or damaged, for which it raises
        anything but an error of sims_analysis.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import sims_analysis as sims
    >>> class Careless:
    ...     name, description = "careless", "Lotus SIMS, text with semicolons"
    ...     def recognises(self, source):
    ...         return source.name.endswith(".lotus")
    ...     def read(self, source):
    ...         return sims.Content()
    >>> _ = Path("w7.lotus").write_text("Lotus SIMS")
    >>> sims.testing.check_reader(Careless(), ["w7.lotus"])
    Traceback (most recent call last):
    ...
    AssertionError: w7.lotus: the reader does not recognise it under another name...
    """
    reader = reader_for(reader) if isinstance(reader, str) else reader
    fault = fault_of(reader)
    assert fault is None, f"{reader!r} is not a reader: {fault}"  # noqa: S101
    is_used = any(other.name == reader.name and other is not reader for other in FORMATS)
    _require(not is_used, f"{reader.name!r} is taken")
    for kind, content in _OF_OTHERS.items():
        _require(_recognised(reader, content, kind) is False, f"it takes {kind} for its own")
    paths = [Path(file) for file in ([files] if isinstance(files, str | os.PathLike) else files)]
    _require(bool(paths), "there are no files to check it with")
    return [_checked_file(reader, path, options) for path in paths]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _recognised(reader: Reader, content: bytes, kind: str, name: str = "file") -> bool:
    try:
        with collected():
            answer = reader.recognises(Source(name, content))
    except Exception as error:
        raise AssertionError(f"recognises() fails for {kind}: {error!r}") from error
    _require(isinstance(answer, bool | np.bool_), f"recognises() returns {answer!r}, not a bool")
    return bool(answer)


def _checked_file(reader: Reader, path: Path, options: dict[str, Any]) -> SIMSResult:
    content, who = path.read_bytes(), path.name
    _require(_recognised(reader, content, who, who), f"{who}: the reader does not recognise it")
    _require(
        _recognised(reader, content, who, "another"),
        f"{who}: the reader does not recognise it under another name: only the content counts",
    )
    stated = Options(**{name: options[name] for name in options if hasattr(Options(), name)})
    with collected():
        result = reader.read(Source(who, content, stated, path))
    _require(isinstance(result, Content), f"{who}: read() returns {result!r}, not a sims.Content")
    _require(
        result.ready is not None or bool(result.signals),
        f"{who}: read() returns no signal",
    )
    for signal in result.signals:
        _check_signal(signal, who)
    for damage, damaged in _damaged(content):
        _check_damaged(reader, Source(who, damaged, stated), f"{who}, {damage}")
    with collected():
        first: SIMSResult = read(path, format=reader, **options)
        second: SIMSResult = read(path, format=reader, **options)
    _require(first.to_json() == second.to_json(), f"{who}: read twice, it is not the same")
    return first


def _check_signal(signal: Any, subject: str) -> None:
    _require(isinstance(signal, Signal), f"{subject}: {signal!r} is not a sims.Signal")
    where = f"{subject}: signal {signal.name!r}"
    arrays = {"depths": signal.depths, "values": signal.values}
    if signal.stderr is not None:
        arrays["stderr"] = signal.stderr
    for name, array in arrays.items():
        right = isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.ndim == 1
        _require(right, f"{where}: its {name} must be an array of floats over the samples")
        _require(
            array.size == signal.depths.size,
            f"{where}: {array.size} {name} for {signal.depths.size} depths",
        )
    _require(bool(np.isfinite(signal.values).any()), f"{where}: no value is a number")
    for name in ("depth_units", "units"):
        unit = getattr(signal, name)
        _require(
            unit is None or isinstance(unit, str), f"{where}: its {name} is {unit!r}, not a string"
        )
    for key, text in signal.metadata.items():
        _require(isinstance(text, str), f"{where}: metadata[{key!r}] is {text!r}, not a string")


def _damaged(content: bytes) -> Iterable[tuple[str, bytes]]:
    for share in _CUTS:
        size = int(share * len(content))
        yield f"cut off after {size} bytes", content[:size]
    rng = np.random.default_rng(0)
    for i in range(len(_CUTS)):
        numbers = np.frombuffer(content, dtype=np.uint8).copy()
        at = rng.integers(0, max(numbers.size, 1), size=min(20, numbers.size))
        numbers[at] = rng.integers(0, 256, size=at.size)
        yield f"damaged at 20 bytes ({i})", numbers.tobytes()


def _check_damaged(reader: Reader, source: Source, kind: str) -> None:
    if not _recognised(reader, source.content, kind):
        return
    try:
        with collected():
            reader.read(source)
    except SimsError:
        return
    except Exception as error:
        raise AssertionError(
            f"{kind}: read() raises {error!r}; expected a sims.ReadError that says where"
        ) from error


def check_model(
    model: Model,
    truths: Sequence[Mapping[str, float]],
    *,
    stop: str = "300 nm",
    rtol: float = 1e-3,
) -> None:
    """Check a model: its formula, its starting values, its derivatives, and that fits find it.

    Parameters
    ----------
    model : Model
        One's own, installed or not.
    truths : sequence of mapping
        Parameters by name, of profiles that the model describes, in the units that a fit of
        concentrations states: depths in nm, values in atom/cm^3, doses in atom/cm^2.
    stop : str
        Depth to which the profiles go, from 0.
    rtol : float
        How closely a fit has to find each parameter of a profile without noise.

    Raises
    ------
    AssertionError
        Says what is wrong: a parameter outside its bounds or not named; a formula that is not
        finite, depends on other depths than its own, or does not scale as its parameters say;
        starting values of another number than the parameters; derivatives that are not those of
        the formula; a fit that is not ``ok`` or finds something else.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> from sims_analysis.shapes import find_model
    >>> truth = {"dose": 1e15, "projected_range": 100, "straggle": 30}
    >>> sims.testing.check_model(find_model("gaussian"), [truth])
    >>> sims.testing.check_model(find_model("gaussian"), [truth | {"straggle": -30}])
    Traceback (most recent call last):
    ...
    AssertionError: gaussian: straggle = -30 is not between 0 and inf
    """
    _require(isinstance(model, Model), f"{model!r} is not a sims.Model")
    _require(
        model.name.isidentifier(), f"{model.name!r} is not a name: letters, digits, underscores"
    )
    _require(len(set(model.names)) == len(model.names), f"{model.name}: a parameter is there twice")
    _require(bool(truths), f"{model.name}: there is no truth to check it with")
    z = np.linspace(0.0, read_number(stop, ("depth",), "stop"), _SAMPLES)
    for truth in truths:
        _check_truth(model, truth, z, rtol)


def _check_truth(model: Model, truth: Mapping[str, float], z: Any, rtol: float) -> None:
    subject = f"{model.name} with {dict(truth)}"
    _require(
        set(truth) == set(model.names),
        f"{model.name}: a truth names {sorted(truth)}, the parameters are {sorted(model.names)}",
    )
    for item in model.parameters:
        value, low, high = truth[item.name], item.lower, item.upper
        where = f"{model.name}: {item.name} = {value:g}"
        _require(low <= value <= high, f"{where} is not between {low:g} and {high:g}")
    p = [float(truth[item.name]) / item.factor("concentration") for item in model.parameters]
    c = np.asarray(model.formula(z, *p))
    _require(c.shape == z.shape, f"{subject}: the formula gives {c.shape} for depths of {z.shape}")
    _require(bool(np.isfinite(c).all()), f"{subject}: the formula is not finite at every depth")
    scale = float(np.abs(c).max())
    part = np.asarray(model.formula(z[::3], *p))
    _require(
        np.allclose(part, c[::3], rtol=1e-9, atol=1e-12 * scale),
        f"{subject}: the formula at a depth depends on the other depths",
    )
    double = [2 * v if item.scales else v for v, item in zip(p, model.parameters, strict=True)]
    _require(
        np.allclose(model.formula(z, *double), 2 * c, rtol=1e-6, atol=1e-9 * scale),
        f"{subject}: with values, areas and slopes twice as large, the profile is not",
    )
    for start in model.start(z, c / scale):
        right = len(start) == len(p) and bool(np.isfinite(np.asarray(start, dtype=float)).all())
        _require(right, f"{subject}: starting values {start} for the parameters {model.names}")
    _check_derivatives(model, z, p, subject)
    _check_fit(model, truth, z, c, subject, rtol)


def _check_derivatives(model: Model, z: Any, p: list[float], subject: str) -> None:
    if model.derivatives is None:
        return
    rows = np.asarray(model.derivatives(z, *p))
    _require(rows.shape == (len(p), z.size), f"{subject}: derivatives of shape {rows.shape}")
    for i, parameter in enumerate(model.parameters):
        step = 1e-5 * max(abs(p[i]), 1e-3)
        up, down = (model.formula(z, *p[:i], p[i] + d, *p[i + 1 :]) for d in (step, -step))
        numeric = (np.asarray(up) - np.asarray(down)) / (2 * step)
        finite = np.isfinite(numeric)
        row, numeric = rows[i][finite], numeric[finite]
        _require(
            np.allclose(row, numeric, rtol=1e-3, atol=1e-4 * np.abs(numeric).max()),
            f"{subject}: the derivative by {parameter.name} is not that of the formula",
        )


def _check_fit(
    model: Model, truth: Mapping[str, float], z: Any, c: Any, subject: str, rtol: float
) -> None:
    data = xr.DataArray(
        c,
        dims="depth",
        coords={"depth": ("depth", z, vocabulary.attrs("depth"))},
        attrs=vocabulary.attrs("concentration"),
    )
    with collected():
        answer = fit(data, model=model)
    _require(answer["status"].item() == "ok", f"{subject}: the fit is {answer['status'].item()!r}")
    for name, value in truth.items():
        got = answer[name].item()
        _require(
            abs(got - value) <= rtol * max(abs(value), 1e-12),
            f"{subject}: the fit finds {name} = {got:g}, true {value:g}",
        )
