"""Numerical kernels: plain float64 arrays in, plain arrays out.

Shapes, throughout: ``value`` is ``(..., n)``, one profile a row; ``depth`` is ``(n,)`` where all
rows share an axis, or of the shape of ``value`` where each has its own. ``NaN`` in either means
*no sample here*: every kernel drops such samples first. A row's answer is the same, to the bit,
whatever rows stand beside it.
"""
