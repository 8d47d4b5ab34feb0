"""Content credentials for what is delivered, where a production has a certificate to sign with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapters.media.credentials import Signing
from config.settings import Settings
from core.errors import UsageError
from flows.marks import ENHANCED, Stamp, Worked
from flows.workspace import code_version

CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture"
"""IPTC's digital source type of what was put together from recordings of real life."""


def signing_of(settings: Settings) -> Signing | None:
    """What the settings let files be signed with; None where they ask for no signature.

    Raises UsageError where only one of certificate and key is set, InputError where they can't
    sign, EngineError where the library is missing.
    """
    certificate, key = settings.c2pa_certificate, settings.c2pa_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("Set both c2pa_certificate and c2pa_key to sign, or neither of them.")
    signing = Signing(certificate, key)
    signing.check()
    return signing


def sign_file(
    signing: Signing, path: Path, works: Iterable[Worked], stamp: Stamp, takes: Iterable[str]
) -> None:
    """Sign a file that was made of takes.

    works: what was done to them. takes: their keys. Raises OutputError.
    """
    signing.sign(path, path.name, actions(works), {"id": stamp.name(path, takes)})


def actions(works: Iterable[Worked]) -> list[dict[str, Any]]:
    """What was done, as C2PA tells it: recordings put together, then what a model did to them."""
    agent = {"name": "roomtone", "version": code_version()}
    edits = {
        f"{worked.card.name} {worked.card.version} {worked.recipe}": {
            "action": "c2pa.edited",
            "digitalSourceType": ENHANCED,
            "softwareAgent": {"name": worked.card.name, "version": worked.card.version},
            "parameters": {"description": f"noise taken from dialogue, recipe {worked.recipe}"},
        }
        for worked in works
        if worked.engine_ran
    }
    made = {"action": "c2pa.created", "digitalSourceType": CAPTURED, "softwareAgent": agent}
    return [made, *(edits[name] for name in sorted(edits))]
