"""Denoise engines behind one protocol, and the level-normalised wrapper around them."""
