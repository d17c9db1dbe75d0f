"""Analysis of SIMS depth profiles with units, uncertainties and a status for every result.

The data flow in one direction::

    wire JSON / archive  ->  profiles  ->  Dataset  ->  metrics  ->  figure, table, netCDF
           api               profiles      dataset      analysis      figures, storage

Every public name is imported on first use, so that ``import sims_analysis`` is fast. The names are
listed only in ``__init__.pyi``.
"""

import lazy_loader as _lazy

from sims_analysis._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
