"""Numerical kernels: plain float64 arrays in, plain arrays out.

A kernel takes *rows* of measured samples (:mod:`sims_analysis.kernels.rows`), then one number per
row for each parameter, and returns a named tuple of arrays. :mod:`sims_analysis.kernels.blocks`
builds the rows from arrays ``(..., n)`` with NaN for missing samples; kernels never see those NaN.
Within a layout, the result for a row does not depend on the other rows, to the last bit.
"""
