"""Detectors of what happens in a recording beside its lines."""
