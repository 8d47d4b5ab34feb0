"""A history as a picture tells every stretch, and can be read at any length."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from production import V1, Delivered

from db.memory import AssetRecord
from db.provenance import ActivityRecord, Use
from db.tracing import Node, Source
from flows.trace_picture import WIDTH, trace_svg

SVG = "{http://www.w3.org/2000/svg}"


def texts(root: ElementTree.Element) -> list[str]:
    return [item.text or "" for item in root.iter(f"{SVG}text")]


def test_a_stem_is_drawn_with_every_event_and_each_step(
    delivered: Delivered, tmp_path: Path
) -> None:
    out = tmp_path / "dx.svg"
    ran = delivered.home.run("trace", delivered.out / "stems" / "v1.DX.wav", "--svg", out)
    assert (ran.code, ran.out.strip()) == (0, f"Drawn: {out}")
    root = ElementTree.fromstring(out.read_text("utf-8"))
    said = texts(root)
    assert "v1.DX.wav" in said
    assert {"1-T01.wav", "1-T02.wav"} <= set(said)
    assert any("model RNNoise" in text for text in said)
    # A bar for each event of the cut, told with its samples.
    bars = [item.findtext(f"{SVG}title") or "" for item in root.iter(f"{SVG}g")]
    assert len(bars) == len(V1)
    assert sum("1-T01.wav" in bar for bar in bars) == 3
    assert all("samples" in bar for bar in bars)
    assert not [*root.iter(f"{SVG}script")]
    for box in root.iter(f"{SVG}rect"):
        assert float(box.get("x", "0")) + float(box.get("width", "0")) <= WIDTH
    own = tmp_path / "notes.txt"
    own.write_text("mine")
    stem = delivered.out / "stems" / "v1.DX.wav"
    assert delivered.home.run("trace", stem, "--svg", own).code == 6
    assert own.read_text() == "mine"


def test_hundreds_of_takes_made_alike_are_one_box() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)

    def made(kind: str, name: str, source: Node | None, start: int) -> Node:
        asset = AssetRecord(f"{name:0>64}", kind, f"{name}.wav", 4, sample_rate=48_000, frames=100)  # type: ignore[arg-type]
        if source is None:
            return Node(asset, (), None, ())
        work = ActivityRecord(name, "clean", name, "roomtone clean", None, {}, "1", at, at, "", "")
        return Node(
            asset, (), work, (Source(Use(source.asset.sha256, "original", 0, 100), source),)
        )

    cleaned = [made("clean", f"c{k}", made("original", f"o{k}", None, k), k) for k in range(300)]
    asset = AssetRecord("d" * 64, "stem", "DX.wav", 4, sample_rate=48_000, frames=30_000)
    work = ActivityRecord("r", "render", "r", "roomtone render", None, {}, "1", at, at, "", "")
    used = tuple(
        Source(Use(item.asset.sha256, "clean", 0, 100, (100 * k, 100 * k + 100), f"A1/{k}"), item)
        for k, item in enumerate(cleaned)
    )
    root = ElementTree.fromstring(trace_svg(Node(asset, (), work, used)))
    said = texts(root)
    assert "300 originals" in said
    assert "300 cleaned takes" in said
    boxes = [item for item in root.iter(f"{SVG}rect") if item.get("class") == "box"]
    assert len(boxes) == 3
