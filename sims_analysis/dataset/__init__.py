"""Profiles to Datasets and back; batches; files; provenance."""
