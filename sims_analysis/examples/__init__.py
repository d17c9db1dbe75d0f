"""Measurements that come with the package: synthetic with a known truth, and measured ones."""
