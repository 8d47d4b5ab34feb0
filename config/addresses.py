"""Addresses among the settings, as they must be written. Each raises ValueError saying how."""

from __future__ import annotations

import re
from pathlib import Path


def store_address(value: str) -> str:
    """Where cleaned takes are kept: a folder, made absolute, or `s3://bucket/prefix`; or empty."""
    if not value or re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+[a-z0-9](/[^/?#@:\s]+)*/?", value):
        return value.rstrip("/")
    if "://" in value:
        raise ValueError("write a folder or s3://bucket/prefix, with no credentials in it")
    return str(Path(value).expanduser().absolute())


def endpoint_address(value: str) -> str:
    """The address of an object store, without its last stroke; or empty."""
    if value and not re.fullmatch(r"https?://[^/@?#\s]+/?", value):
        raise ValueError("write https://server or http://server:port, with no credentials in it")
    return value.rstrip("/")
