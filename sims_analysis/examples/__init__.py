"""Synthetic measurements with a known truth, and how they were made."""
