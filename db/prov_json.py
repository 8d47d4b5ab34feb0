"""Histories as PROV-JSON (W3C member submission of 24 April 2013), in the terms of PROV-DM.

Entities are named by their content (`sha256:…`), activities by their UUID. Every name that a
relation uses is declared in the same document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from core.privacy import Consent
from db.codec import JSON, plain
from db.memory import AssetRecord
from db.provenance import ActivityRecord, Use
from db.tracing import Node, Product, originals, origins

PREFIXES = {
    "sha256": "urn:sha256:",
    "activity": "urn:uuid:",
    "agent": "urn:roomtone:agent:",
    "model": "urn:roomtone:model:",
    "decision": "urn:roomtone:decision:",
    "consent": "urn:roomtone:consent:",
    "rt": "urn:roomtone:term:",
}
PROGRAM = "roomtone"
"""The agent of work that nobody is named for."""


def trace_prov(
    node: Node,
    excerpt: tuple[AssetRecord, Use] | None = None,
    agreed: Sequence[Consent] = (),
) -> dict[str, Any]:
    """The history of an asset: what it was made from, down to the originals.

    excerpt: a file that another program cut from the asset, and which samples of it that holds.
    agreed: what was allowed and forbidden of its originals. It is used by the activities that began
    while it was in force, and what is in force now influences the originals.

    Beside each step's own derivations stand those from the originals, as primary sources, with the
    samples of the original and of the asset.
    """
    document = _Document()
    seen: set[int] = set()

    def add(inner: Node) -> None:
        document.entity(inner.asset, [str(path) for path in inner.paths])
        if inner.activity is None or id(inner) in seen:
            return
        seen.add(id(inner))
        document.activity(inner.activity)
        document.generated(inner.asset, inner.activity)
        for consent in agreed:
            if consent.in_force(inner.activity.started):
                document.obeyed(inner.activity, consent)
        for source in inner.used:
            add(source.node)
            document.used(inner.activity, source.node.asset.sha256, source.use)
            document.derived(
                inner.asset.sha256, source.node.asset.sha256, source.use, inner.activity
            )

    add(node)
    for original in originals(node):
        for consent in agreed:
            if consent.in_force():
                document.bound(original, consent)
    for origin in origins(node):
        if origin.through:
            document.derived(node.asset.sha256, origin.node.asset.sha256, origin.use, None)
    if excerpt is not None:
        own, use = excerpt
        document.entity(own, [])
        document.derived(own.sha256, node.asset.sha256, use, None, "prov:Quotation")
    return document.content


def uses_prov(product: Product) -> dict[str, Any]:
    """What became of an asset: everything made from it."""
    document = _Document()
    document.entity(product.asset, [str(path) for path in product.paths])
    for above, uses, activity, inner in _steps(product):
        document.entity(inner.asset, [str(path) for path in inner.paths])
        document.activity(activity)
        document.generated(inner.asset, activity)
        for use in uses:
            if use.asset != above.sha256:
                document.bare(use.asset)
            document.used(activity, use.asset, use)
            document.derived(inner.asset.sha256, use.asset, use, activity)
    return document.content


def _steps(
    product: Product,
) -> Iterator[tuple[AssetRecord, Sequence[Use], ActivityRecord, Product]]:
    for onward in product.onward:
        for inner in onward.made:
            yield product.asset, onward.uses, onward.activity, inner
            yield from _steps(inner)


class _Document:
    """A PROV-JSON document that grows; what is added twice is there once."""

    def __init__(self) -> None:
        self.content: dict[str, Any] = {"prefix": dict(PREFIXES)}
        self._relations: dict[tuple[str, str], str] = {}

    def entity(self, asset: AssetRecord, places: Sequence[str]) -> None:
        """A file by its content."""
        facts: dict[str, Any] = {
            "prov:label": asset.name,
            "prov:type": _term(asset.kind.capitalize()),
            "rt:bytes": asset.bytes,
            "rt:sample_rate": asset.sample_rate,
            "rt:channels": asset.channels,
            "rt:frames": asset.frames,
            "rt:essence": asset.essence or None,
            "prov:location": list(places) or None,
        }
        self._put("entity", f"sha256:{asset.sha256}", facts)

    def bare(self, sha256: str) -> None:
        """An entity of which nothing is told here but its content's hash."""
        self.content.setdefault("entity", {}).setdefault(f"sha256:{sha256}", {})

    def activity(self, activity: ActivityRecord) -> None:
        """What was done, by whom and with what."""
        name = _activity(activity)
        if name in self.content.get("activity", {}):
            return
        facts: dict[str, Any] = {
            "prov:startTime": activity.started.isoformat(),
            "prov:endTime": activity.ended.isoformat(),
            "prov:label": activity.tool,
            "prov:type": _term(activity.kind.capitalize()),
            "rt:key": activity.key,
            "rt:state": activity.state,
            "rt:code_version": activity.code_version,
            "rt:machine": activity.machine,
            **{
                f"rt:{_safe(key)}": value if _simple(value) else json.dumps(plain(value))
                for key, value in activity.parameters.items()
            },
        }
        self._put("activity", name, facts)
        program = self._agent(f"{PROGRAM} {activity.code_version}", "prov:SoftwareAgent")
        self._relate("wasAssociatedWith", {"prov:activity": name, "prov:agent": program})
        if activity.agent not in ("", PROGRAM):
            person = self._agent(activity.agent, "prov:Person")
            self._relate("wasAssociatedWith", {"prov:activity": name, "prov:agent": person})
            self._relate(
                "actedOnBehalfOf",
                {"prov:delegate": program, "prov:responsible": person, "prov:activity": name},
            )
        if activity.card is not None:
            self._model(name, activity.card)
        for role, what in (("override", "event"), ("approval", "take")):
            decisions = activity.parameters.get(f"{role}s")
            if isinstance(decisions, Sequence) and not isinstance(decisions, str):
                for decision in decisions:
                    if isinstance(decision, Mapping):
                        self._decision(name, decision, role, what)

    def generated(self, asset: AssetRecord, activity: ActivityRecord) -> None:
        """That an activity made an asset, and whose it is."""
        entity, name = f"sha256:{asset.sha256}", _activity(activity)
        self._relate(
            "wasGeneratedBy",
            {
                "prov:entity": entity,
                "prov:activity": name,
                "prov:time": activity.ended.isoformat(),
            },
        )
        agents = [
            relation["prov:agent"]
            for relation in self.content["wasAssociatedWith"].values()
            if relation["prov:activity"] == name
        ]
        for agent in agents:
            self._relate("wasAttributedTo", {"prov:entity": entity, "prov:agent": agent})

    def used(self, activity: ActivityRecord, sha256: str, use: Use) -> None:
        """That an activity used some of an asset."""
        self._relate(
            "used",
            {
                "prov:activity": _activity(activity),
                "prov:entity": f"sha256:{sha256}",
                "prov:role": use.role or None,
                **_samples(use),
            },
        )

    def derived(
        self,
        made: str,
        source: str,
        use: Use,
        activity: ActivityRecord | None,
        kind: str = "prov:PrimarySource",
    ) -> None:
        """That an asset comes from another; without an activity it is told of which kind that is.

        kind: a primary source, over steps between, or a quotation.
        """
        self._relate(
            "wasDerivedFrom",
            {
                "prov:generatedEntity": f"sha256:{made}",
                "prov:usedEntity": f"sha256:{source}",
                "prov:activity": None if activity is None else _activity(activity),
                "prov:type": None if activity else _name(kind),
                **_samples(use),
            },
        )

    def obeyed(self, activity: ActivityRecord, consent: Consent) -> None:
        """That something was allowed or forbidden when an activity began."""
        used = {"prov:activity": _activity(activity), "prov:entity": self._consent(consent)}
        self._relate("used", {**used, "prov:role": "consent"})

    def bound(self, asset: AssetRecord, consent: Consent) -> None:
        """That something is allowed or forbidden of a recording."""
        influence = {"prov:influencee": f"sha256:{asset.sha256}"}
        self._relate("wasInfluencedBy", {**influence, "prov:influencer": self._consent(consent)})

    def _consent(self, consent: Consent) -> str:
        name = f"consent:{consent.number}"
        facts = {
            "prov:label": consent.words,
            "prov:type": _term("Consent"),
            "rt:production": consent.project,
            "rt:speaker": consent.speaker,
            "rt:subject": consent.mark.subject,
            "rt:allowed": consent.allowed,
            "rt:note": consent.note,
            "rt:since": consent.since.isoformat(),
            "rt:until": None if consent.ended is None else consent.ended.isoformat(),
        }
        self._put("entity", name, facts)
        if consent.by:
            person = self._agent(consent.by, "prov:Person")
            self._relate("wasAttributedTo", {"prov:entity": name, "prov:agent": person})
        return name

    def _model(self, activity: str, card: Mapping[str, JSON]) -> None:
        weights = str(card.get("weights_sha256") or "")
        named = f"{card.get('name', '')} {card.get('version', '')}".strip()
        name = f"sha256:{weights}" if weights else f"model:{_safe(named)}"
        facts = {f"rt:{key}": value for key, value in card.items() if key != "stand_in"}
        label = {"prov:label": named, "prov:type": _term("Model")}
        self._put("entity", name, {**facts, **label})
        self._relate("used", {"prov:activity": activity, "prov:entity": name, "prov:role": "model"})

    def _decision(self, activity: str, told: Mapping[str, JSON], role: str, what: str) -> None:
        by, words = str(told.get("by") or ""), str(told.get("decided", ""))
        meant = str(told.get(what, ""))
        name = f"decision:{_safe(' '.join((by, words, meant)))}"
        plan = {"prov:type": _name("prov:Plan"), "prov:label": words, f"rt:{what}": meant}
        self._put("entity", name, plan)
        self._relate("used", {"prov:activity": activity, "prov:entity": name, "prov:role": role})
        if by:
            person = self._agent(by, "prov:Person")
            self._relate("wasAttributedTo", {"prov:entity": name, "prov:agent": person})

    def _agent(self, label: str, kind: str) -> str:
        name = f"agent:{_safe(label)}"
        self._put("agent", name, {"prov:type": _name(kind), "prov:label": label})
        return name

    def _put(self, kind: str, name: str, facts: Mapping[str, Any]) -> None:
        kept = {key: value for key, value in facts.items() if value not in (None, "")}
        self.content.setdefault(kind, {})[name] = kept

    def _relate(self, kind: str, facts: Mapping[str, Any]) -> None:
        kept = {key: value for key, value in facts.items() if value is not None}
        key = (kind, json.dumps(kept, sort_keys=True))
        if key not in self._relations:
            self._relations[key] = f"_:{kind}{len(self._relations) + 1}"
            self.content.setdefault(kind, {})[self._relations[key]] = kept


def _samples(use: Use) -> dict[str, Any]:
    made = use.made or (None, None)
    return {
        "rt:start_sample": use.start,
        "rt:end_sample": use.end,
        "rt:made_start_sample": made[0],
        "rt:made_end_sample": made[1],
        "rt:channels": " ".join(str(channel + 1) for channel in use.channels) or None,
        "rt:event": use.event or None,
    }


def _activity(activity: ActivityRecord) -> str:
    try:
        return f"activity:{UUID(activity.id)}"
    except ValueError:
        return f"activity:{_safe(activity.id)}"


def _name(text: str) -> dict[str, str]:
    return {"$": text, "type": "prov:QUALIFIED_NAME"}


def _term(word: str) -> dict[str, str]:
    return _name(f"rt:{word}")


def _safe(text: str) -> str:
    """Text as the local part of a name, which PROV-N lets have letters, digits and escapes."""
    return quote(text, safe="")


def _simple(value: JSON) -> bool:
    return value is None or isinstance(value, str | int | float)
