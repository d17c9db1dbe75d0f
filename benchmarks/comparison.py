"""Two trees of the package, asked the same random questions: every difference, named and counted.

    python -m benchmarks.comparison --against ../release
    python -m benchmarks.comparison --against ../release --datasets 3000 --seed 7
    python -m benchmarks.comparison --against ../release --only mean_value,peak
    python -m benchmarks.comparison --against ../release --ignore message,attrs

OLD is the other tree, NEW this one (or that of ``--tree``). Each answers in a process of its own.
Numbers that differ by more than ``--tolerance`` of themselves (of fits: see ITERATED), statuses,
dimensions, coordinates, attributes, warnings, errors and their texts are compared; of each kind
the first example says how to see it again. What is drawn depends on the seed and the number of a
dataset alone.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .trees import ROOT, Tree

#: Coordinates that carry evidence along the samples: new ones are no difference of an answer.
EVIDENCE = ("_quality", "_detection_limit")
#: What is found by iteration stops within a part of this of the minimum, wherever rounding leads
#: it: with arrays at other addresses in memory, sums of one release differ in their last digits.
ITERATED = {"fit": 1e-5, "deconvolve": 1e-6}
#: Endings of the names of errors.
_ERRORS = ("stderr", "covariance", "uncertainty")


# --- one tree answers -----------------------------------------------------------------------------


def asking(seed: int, only: list[str]) -> Callable[[str], list[dict[str, Any]]]:
    """Give what answers about the dataset of a number."""
    return lambda number: answers(seed, int(number), only)


def answers(seed: int, number: int, only: list[str]) -> list[dict[str, Any]]:
    """Ask everything of a dataset; answers as plain arrays and texts."""
    import dask

    from .random_questions import calls

    found = []
    computed: list[int] = []

    def counting(graph: Any, keys: Any, **options: Any) -> Any:
        computed.append(1)
        return dask.get(graph, keys, **options)

    with dask.config.set(scheduler=counting):
        for call in calls(seed, number, only):
            computed.clear()
            one: dict[str, Any] = {"question": call.question, "call": call.written}
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    answer = call.make()
                    one["computed"] = bool(computed)
                    one["answer"] = plain(answer)
                except Exception as error:  # noqa: BLE001  # compared, whatever it is
                    one["error"] = (type(error).__name__, str(error))
            one["warnings"] = sorted((w.category.__name__, str(w.message)) for w in caught)
            found.append(one)
    return found


def plain(answer: Any) -> Any:
    """Give an answer as dictionaries, arrays and texts."""
    import xarray as xr

    import sims_analysis as sims

    if isinstance(answer, str):
        return {"variables": {"text": ("value", (), np.array(answer), {})}, "attrs": {}}
    lazy = bool(answer.chunks) if isinstance(answer, xr.Dataset) else answer.chunks is not None
    answer = sims.dequantify(answer.compute())
    attrs = {"lazy": str(lazy), "type": type(answer).__name__} | {
        str(name): repr(value) for name, value in answer.attrs.items()
    }
    if isinstance(answer, xr.DataArray):
        attrs["name"] = str(answer.name)
        answer = answer.rename("value").to_dataset() if "value" not in answer.coords else answer
    variables = {}
    for name, one in answer.variables.items():
        role = "coordinate" if name in answer.coords else "value"
        values = np.asarray(one.values)
        if values.dtype == object:
            values = values.astype(str)
        about = {str(k): repr(v) for k, v in one.attrs.items()}
        variables[str(name)] = (role, tuple(map(str, one.dims)), values, about)
    return {"variables": variables, "attrs": attrs}


# --- two answers ----------------------------------------------------------------------------------


def differences(old: dict[str, Any], new: dict[str, Any], tolerance: float) -> Iterator[Any]:
    """Yield (kind, what it is) of each difference between two answers to a question."""
    yield from _of_warnings(old["warnings"], new["warnings"])
    failed = [one.get("error") for one in (old, new)]
    if any(failed):
        classes = [error[0] if error else "an answer" for error in failed]
        if classes[0] != classes[1]:
            texts = [error[1] if error else "" for error in failed]
            yield f"error: {classes[0]} -> {classes[1]}", f"{texts[0]}\n-> {texts[1]}"
        elif failed[0] != failed[1]:
            yield "message of an error", f"{failed[0][1]}\n-> {failed[1][1]}"
        return
    if old["computed"] != new["computed"]:
        yield f"computed within the call: {old['computed']} -> {new['computed']}", ""
    old, new = old["answer"], new["answer"]
    yield from _of_attrs("attrs", old["attrs"], new["attrs"])
    before, after = old["variables"], new["variables"]
    for name in before.keys() - after.keys():
        yield f"lost: {before[name][0]} {name}", f"dims {before[name][1]}"
    for name in after.keys() - before.keys():
        word = "new coordinate" if str(name).endswith(EVIDENCE) else f"added: {after[name][0]}"
        yield f"{word} {name}", f"dims {after[name][1]}"
    for name in sorted(before.keys() & after.keys()):
        yield from _of_variables(name, before[name], after[name], tolerance)


def _of_warnings(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> Iterator[Any]:
    """Tell lost and added warnings, and changed texts of one class from each other."""
    gone, come = list((Counter(old) - Counter(new)).elements()), []
    for category, text in (Counter(new) - Counter(old)).elements():
        same = next((one for one in gone if one[0] == category), None)
        if same is None:
            come.append((category, text))
        else:
            gone.remove(same)
            yield "message of a warning", f"{same[1]}\n-> {text}"
    for category, text in gone:
        yield f"warning lost: {category}", text
    for category, text in come:
        yield f"warning added: {category}", text


def _of_attrs(what: str, old: dict[str, str], new: dict[str, str]) -> Iterator[Any]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield f"{what}: {name}", f"{old.get(name)}\n-> {new.get(name)}"


def _of_variables(name: str, old: Any, new: Any, tolerance: float) -> Iterator[Any]:
    if old[:2] != new[:2]:
        yield f"dims of {name}", f"{old[:2]} -> {new[:2]}"
        return
    yield from _of_attrs(f"attrs of {name}", old[3], new[3])
    a, b = old[2], new[2]
    if a.shape != b.shape:
        yield f"shape of {name}", f"{a.shape} -> {b.shape}"
        return
    if a.dtype.kind != b.dtype.kind:
        yield f"type of {name}", f"{a.dtype} -> {b.dtype}"
    if a.dtype.kind in "US" or b.dtype.kind in "US":
        changed = {(str(x), str(y)) for x, y in zip(a.flat, b.flat, strict=True) if x != y}
        for one, other in sorted(changed):
            if name.endswith(("status", "residuals")):
                yield f"status: {one} -> {other}", name
            else:
                yield f"text of {name}", f"{one}\n-> {other}"
        return
    if a.dtype.kind not in "fc" and b.dtype.kind not in "fc":
        if (a != b).any():
            at = tuple(np.argwhere(a != b)[0].tolist())
            yield f"{old[0]} {name}", f"{a[at]} -> {b[at]}"
        return
    a, b = np.atleast_1d(a.astype(float)), np.atleast_1d(b.astype(float))
    kind = f"stderr {name}" if name.endswith(_ERRORS) else f"{old[0]} {name}"
    with np.errstate(invalid="ignore"):
        apart = abs(a - b) / np.fmax(abs(a), abs(b))
        apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    for word, where in (
        (" to nan", np.isnan(b) & ~np.isnan(a)),
        (" from nan", np.isnan(a) & ~np.isnan(b)),
        ("", (apart > tolerance) | (np.isinf(a) ^ np.isinf(b)) & ~np.isnan(a + b)),
    ):
        if where.any():
            at = np.unravel_index(
                np.argmax(np.where(where, np.nan_to_num(apart, nan=1), 0)), a.shape
            )
            size = "" if word else f", by {apart[at]:.1e}"
            yield kind + word, f"{name}{[int(i) for i in at]}: {a[at]!r} -> {b[at]!r}{size}"


# --- both trees -----------------------------------------------------------------------------------


def run(
    old: Path, new: Path, numbers: range, seed: int, only: list[str], jobs: int, tolerance: float
) -> tuple[Counter[tuple[str, str]], dict[tuple[str, str], Any], Counter[str]]:
    """Ask both trees; give counts by (question, kind), first examples, and numbers of answers."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], Any] = {}
    asked: Counter[str] = Counter()
    trees = [Tree(tree, "comparison", "asking", seed, only) for tree in (old, new)]
    try:
        with ThreadPoolExecutor(jobs) as pool:
            for number in numbers:
                both = list(pool.map(lambda tree, n=number: tree.ask(n), trees))
                about = both[0][0]["call"]
                if about != both[1][0]["call"]:  # one tree refuses what made them
                    counts["data", "other data"] += 1
                    example = number, about, "data", both[1][0]["call"]
                    examples.setdefault(("data", "other data"), example)
                    continue
                for one, other in zip(*both, strict=True):
                    asked[one["question"]] += 1
                    asked["statuses other than ok"] += _not_ok(one)
                    asked["errors"] += "error" in one
                    if one["call"] != other["call"] and one["question"] != "data":
                        counts[one["question"], "asked otherwise, as the data differ"] += 1
                        continue
                    enough = max(tolerance, ITERATED.get(one["question"], 0.0))
                    for kind, what in differences(one, other, enough):
                        counts[one["question"], kind] += 1
                        key = one["question"], kind
                        examples.setdefault(key, (number, about, one["call"], what))
    finally:
        for tree in trees:
            tree.close()
    for tree in trees:
        print(f"{tree.tree}: {tree.seconds:.1f} s")
    return counts, examples, asked


def _not_ok(one: dict[str, Any]) -> bool:
    status = one.get("answer", {}).get("variables", {}).get("status")
    return status is not None and bool(np.any(status[2] != "ok"))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.comparison",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--against", type=Path, required=True, metavar="OLD")
    parser.add_argument("--tree", type=Path, default=ROOT, metavar="NEW")
    parser.add_argument("--datasets", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="number of the first dataset")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="questions, by commas")
    parser.add_argument("--ignore", default="", help="kinds with one of these words, by commas")
    parser.add_argument("--tolerance", type=float, default=1e-12)
    parser.add_argument("--jobs", type=int, default=1, choices=[1, 2], help="2: both trees at once")
    asked = parser.parse_args()
    only, ignored = ([x for x in one.split(",") if x] for one in (asked.only, asked.ignore))
    numbers = range(asked.first, asked.first + asked.datasets)
    old, new = asked.against.resolve(), asked.tree.resolve()
    counts, examples, number_of = run(
        old, new, numbers, asked.seed, only, asked.jobs, asked.tolerance
    )
    told = Counter(
        {key: n for key, n in counts.items() if not any(word in key[1] for word in ignored)}
    )
    total = sum(n for name, n in number_of.items() if " " not in name and name != "errors")
    print(
        f"{total:,} answers about {asked.datasets:,} datasets, {number_of['errors']:,} of them "
        f"errors, {number_of['statuses other than ok']:,} with a status other than ok"
    )
    for (question, kind), n in sorted(told.items()):
        print(f"{question:<26}{n:>7} of {number_of[question]:>7}  {kind}")
    new_ones = sum(n for (_, kind), n in told.items() if kind.startswith("new coordinate"))
    others = sum(told.values()) - new_ones
    print(f"{others:,} differences" if others else "no differences")
    if new_ones:
        print(f"and {new_ones:,} new coordinates")
    for question, kind in sorted(told.keys() & examples.keys()):
        place, about, call, what = examples[question, kind]
        print(f"\n{question}: {kind}\n  dataset {place}: {about}\n  sims.{call}\n  {what}")
        print(
            f"  python -m benchmarks.comparison --against {asked.against} --seed {asked.seed} "
            f"--first {place} --datasets 1 --only {question}"
        )


if __name__ == "__main__":
    main()
