"""Profiles as a Dataset and back; batches; files; provenance."""
