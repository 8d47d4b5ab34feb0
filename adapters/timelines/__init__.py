"""Timelines in and out: one module a format, each knowing that format's quirks."""
