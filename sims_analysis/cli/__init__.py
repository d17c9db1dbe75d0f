"""The command line: a thin layer over the public functions.

Only click is imported before a command runs, so that ``--help`` is fast.
"""

import click

from sims_analysis._version import __version__
from sims_analysis.cli.access import fetch, search, serve
from sims_analysis.cli.archives import archive
from sims_analysis.cli.charts import chart
from sims_analysis.cli.options import Group, epilog
from sims_analysis.cli.reports import report

__all__ = ["cli"]


@click.group(
    cls=Group,
    epilog=epilog("python -m sims_analysis report"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="sims-analysis")
def cli() -> None:
    """SIMS depth profiles: peak, dose and junction depth, from the API or an archive.

    The key of the API is read from AS_API_KEY (or ATOMSCALE_API_KEY).
    """


for _command in (report, chart, fetch, search, serve, archive):
    cli.add_command(_command)
