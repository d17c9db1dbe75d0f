"""Numerical kernels: plain float64 arrays in, plain arrays out.

A kernel takes *rows* of measured samples (:mod:`sims_analysis.kernels.rows`), then one number a
row for each parameter, and returns a named tuple of arrays. :mod:`sims_analysis.kernels.blocks`
makes rows of arrays ``(..., n)`` with NaN where nothing was measured: no kernel sees those NaN.
Within a layout a row's answer is the same, to the bit, whatever rows stand beside it.
"""
