"""Benchmarks: ours, the bare numpy passes that bound us, and what a user would write today.

Everything is timed in one process, turn by turn, as medians; answers are compared before they are
timed. Nothing fails on time.

    python -m benchmarks                    the table, at 10 to 10,000 profiles
    python -m benchmarks --rows 100000      one size
    python -m benchmarks --passes           the most frequent questions over bare passes, in brief
    python -m benchmarks --passes --against ../release    two checkouts, turn by turn
    python -m benchmarks --smoke            a few seconds, for CI
    python -m benchmarks --plot speed.svg   time against the number of profiles
    python -m benchmarks --dask --gigabytes 8
    python -m benchmarks --fetch
    python -m benchmarks --linked 300       whether errors of linked fits and of layers cover
    python -m benchmarks --restoring 3      restored profiles against the truth, and rivals
    python -m benchmarks --rule 200         how often a fit is called wrong, and how often it is
    python -m benchmarks --coverage 1000    how many of the stated intervals hold the truth
    python -m benchmarks --coverage 1000 --only "fit edge"
    python -m benchmarks.comparison --against ../release    random questions to two trees
"""

from __future__ import annotations

import argparse
import warnings
from itertools import chain
from pathlib import Path

from sims_analysis.errors import SimsWarning

from . import as_measured, cases, fits, one_measurement, passes
from .timing import report


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[10, 1000, 10_000])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--passes", action="store_true")
    parser.add_argument("--against", type=Path, metavar="OLD", help="another checkout")
    parser.add_argument("--plot", metavar="FILE")
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="size of the zarr store")
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--linked", type=int, metavar="TRIALS")
    parser.add_argument("--restoring", type=int, metavar="TRIALS")
    parser.add_argument("--rule", type=int, metavar="TRIALS")
    parser.add_argument("--coverage", type=int, metavar="TRIALS")
    parser.add_argument("--page", type=Path, metavar="FILE", help="the page of coverages")
    parser.add_argument("--only", default="", help="questions with this in their name")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", SimsWarning)
    if asked.dask:
        from .out_of_core import run

        run(asked.gigabytes)
    elif asked.fetch:
        from . import fetching

        fetching.run(20 if asked.smoke else 500)
        fetching.one_by_one(20 if asked.smoke else 200)
    elif asked.passes and asked.against:
        from . import bars

        bars.run(asked.against, 20 if asked.smoke else max(asked.rows), asked.repeats)
    elif asked.passes:
        for count in [20] if asked.smoke else asked.rows:
            passes.run(count, 1 if asked.smoke else asked.repeats)
    elif asked.linked:
        from . import linked

        linked.run(asked.linked)
    elif asked.restoring:
        from . import restoring

        restoring.run(asked.restoring)
    elif asked.rule:
        fits.rule(asked.rule)
    elif asked.coverage:
        from . import coverage

        if asked.page:
            coverage.page(asked.coverage, asked.page)
        else:
            coverage.table(asked.coverage, asked.only)
    elif asked.plot:
        from .scaling import plot

        plot(asked.plot, 1000 if asked.smoke else 100_000)
    else:
        rows = [20] if asked.smoke else asked.rows
        repeats = 1 if asked.smoke else asked.repeats
        print("ours, with the ratio to bare passes over the data; then peers (~: scaled up)\n")
        for case in one_measurement.cases(repeats):
            report(case)
        for count in rows:
            print()
            turns = max(3, repeats // 2) if count > 20_000 else repeats
            kinds = (cases, as_measured, fits)
            for case in chain.from_iterable(one.cases(count, turns) for one in kinds):
                report(case)


if __name__ == "__main__":
    main()
