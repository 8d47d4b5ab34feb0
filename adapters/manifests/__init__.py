"""Checksum manifests that travel with copied cards: media hash lists and checksum lists."""
