"""Repair before the model: clicks, clipping, hum and DC, each only where it was detected."""
