"""How names, units and numbers are written."""
