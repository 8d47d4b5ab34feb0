"""Repair before the model: clicks, clipping, hum and the like, each only where it was detected."""
