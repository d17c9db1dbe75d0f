"""``python -m sims_analysis``, and the script ``sims-analysis``: see :mod:`sims_analysis.cli`."""

from sims_analysis.cli import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="sims-analysis")


if __name__ == "__main__":
    cli(prog_name="python -m sims_analysis")
