"""Depth profiles as delivered, and validation of their JSON."""
