"""Analysis of SIMS depth profiles with units, uncertainties and a status for every result.

The data flow in one direction::

    wire JSON / archive  ->  profiles  ->  Dataset  ->  metrics  ->  figure, table, netCDF
           api               profiles      dataset      analysis      figures, storage

Every public name is imported on first use, so that ``import sims_analysis`` is fast. The names are
listed in ``__init__.pyi``, which ``tests/public_names.py`` writes from the functions.
"""

import lazy_loader as _lazy

from sims_analysis._version import __version__ as __version__

_public, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)


class _NoSuchName(AttributeError):
    def __str__(self) -> str:  # when it is read: imports of submodules ask for names, too
        from sims_analysis.text.guesses import instead_of

        return f"sims_analysis has no attribute {self.args[0]!r}{instead_of(self.args[0], __all__)}"


def __getattr__(name: str) -> object:
    """Import a public name, or say which there are instead."""
    if name in __all__ or name.startswith("_"):
        return _public(name)
    raise _NoSuchName(name)
