"""Depth profiles as delivered, and the checks of the wire's JSON."""
