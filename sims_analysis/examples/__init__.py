"""Synthetic measurements with a known truth, and the code that makes them."""
