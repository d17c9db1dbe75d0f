"""What was built again, compared with what is committed: tables by value, figures by pixels."""

import base64
import io
import re

import numpy as np

#: A pixel differs if a channel does by more than this (of 255): less is the edge of a letter.
CHANNEL = 48
#: So large a part of the pixels may differ: releases of matplotlib set letters a little apart.
PART = 0.004
#: Numbers agree to this, and those with a stated error to this part of it: where data say little,
#: a processor with other instructions ends a fit elsewhere within it.
RELATIVE, OF_ERROR = 1e-6, 0.01

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ERROR = re.compile(rf" \+- ({_NUMBER.pattern})")


def pixels(png):
    from matplotlib.image import imread

    data = base64.b64decode(png) if isinstance(png, str) else png
    image = imread(io.BytesIO(data), format="png")
    return (255 * image[..., :3]).round().astype(int)


def same_picture(one, other):
    """Whether two PNGs show the same; their bytes (or base64) are given."""
    a, b = pixels(one), pixels(other)
    if a.shape != b.shape:
        return False
    return bool((np.abs(a - b).max(axis=-1) > CHANNEL).mean() <= PART)


def same_text(one, other):
    """Whether two texts say the same: words as they are, numbers by value."""
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    a, b = ([float(x) for x in _NUMBER.findall(text)] for text in (one, other))
    errors = [_ERROR.match(other, number.end()) for number in _NUMBER.finditer(other)]
    within = [OF_ERROR * float(error[1]) if error else 0.0 for error in errors]
    return bool(np.isclose(a, b, rtol=RELATIVE, atol=within).all())
