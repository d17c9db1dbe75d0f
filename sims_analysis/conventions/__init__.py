"""How our Datasets are laid out: axes, units, names of coordinates, CF attrs, and provenance."""
