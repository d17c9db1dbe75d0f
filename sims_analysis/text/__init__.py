"""Formatting of names, units and numbers."""
