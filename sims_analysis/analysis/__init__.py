"""Questions about profiles, one module each: units in, kernel, units out."""
