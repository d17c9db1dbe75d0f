"""Formatting of names, units, numbers and arguments."""
