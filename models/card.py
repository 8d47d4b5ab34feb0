"""A model's card: what ran, whose it is and what it learned from, for reports and provenance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelCard:
    """What is known of an engine.

    name, version: of the model (not of the library that runs it).
    runtime: library and version that ran it (`onnxruntime 1.23.0`).
    weights_sha256: of the weights, or empty for an engine without weights. Where the weights are
        several files: sha256 over the sorted lines `name sha256`.
    licence: SPDX expression of the weights (or code).
    trained_on: as the authors disclose it.
    source: where the authors publish it.
    stand_in: a substitute for a better engine; its work is redone when that is there.
    """

    name: str
    version: str
    runtime: str
    weights_sha256: str
    licence: str
    trained_on: str
    source: str
    stand_in: bool = False
