"""Numerical kernels: plain float64 arrays in, plain arrays out.

A kernel takes *rows* of measured samples (:mod:`sims_analysis.kernels.rows`), then one number per
row for each parameter, shape ``(R,)``, and returns a named tuple of arrays, one entry per row.
:mod:`sims_analysis.kernels.blocks` builds the rows; kernels never see NaN for missing samples.

- A limit in depth (``start``, ``stop``) is NaN where there is none.
- Rows may have no standard errors (``rows.stderr`` is None): then those of the results are NaN.
- A result that does not exist is NaN, and its status gives the reason.
- Within a layout, the result for a row does not depend on the other rows, to the last bit.
"""
