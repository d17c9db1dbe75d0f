"""SIMS depth profiles: fetched, unit-aware, integrated, and honest about what is known.

The data flow in one direction::

    wire JSON / archive  ->  profiles  ->  Dataset  ->  metrics  ->  figure, table, netCDF
           api               profiles      dataset      analysis      figures, storage

Every public name is imported on first use, so that ``import sims_analysis`` is immediate. The names
are listed in ``__init__.pyi``, and nowhere else.
"""

import lazy_loader as _lazy

from sims_analysis._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
