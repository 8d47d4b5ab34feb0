"""Media files: probe, decode in blocks, broadcast-wave metadata, relinking, whole-file writing."""
