"""A copied file is what its manifest says, or is named; no manifest leads out of its folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.manifests.checksums import read_checksums
from adapters.manifests.find import find_manifests
from adapters.manifests.manifest import Listed
from adapters.manifests.mhl import read_history, read_mhl
from adapters.manifests.verify import c4_id, disagreement
from adapters.reports.report import find_reports
from core.errors import InputError

# XXH64 and XXH3 of nothing and XXH32 of nothing (seed 0), as xxHash's own test vectors have them.
XXH64_EMPTY, XXH3_EMPTY, XXH32_EMPTY = "ef46db3751d8e999", "2d06800538d394c2", "02cc5d05"
XXH128_EMPTY = "99aa06d3014798d86001c324468d497f"
MD5_ABC = "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321
SHA1_ABC = "a9993e364706816aba3e25717850c26c9cd0d89d"  # FIPS 180
V1 = """<?xml version="1.0" encoding="UTF-8"?>
<hashlist version="1.1"><creatorinfo><tool>any</tool></creatorinfo>{}</hashlist>"""
ASC = """<?xml version="1.0" encoding="UTF-8"?>
<hashlist version="2.0" xmlns="urn:ASC:MHL:v2.0"><hashes>{}
<directoryhash><path>SOUND</path><content><md5>{}</md5></content></directoryhash>
</hashes></hashlist>"""


def asc(*hashes: str) -> str:
    return ASC.format("".join(hashes), MD5_ABC)


def listed(name: str, *digests: tuple[str, str], size: int | None = None) -> Listed:
    return Listed(PurePosixPath(name), size, digests)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    (tmp_path / "SOUND").mkdir()
    (tmp_path / "SOUND" / "1.wav").write_bytes(b"abc")
    (tmp_path / "empty.wav").write_bytes(b"")
    return tmp_path


def test_an_mhl_is_read_with_all_its_ways_to_write_a_hash(card: Path) -> None:
    turned = bytes.fromhex(XXH64_EMPTY)[::-1].hex()
    path = card / "CARD_2026.mhl"
    path.write_text(
        V1.format(
            f"<hash><file>SOUND/1.wav</file><size>3</size><md5>{MD5_ABC.upper()}</md5></hash>"
            f"<hash><file>SOUND\\2.wav</file><sha1>{SHA1_ABC}</sha1><hashdate>x</hashdate></hash>"
            f"<hash><file>empty.wav</file><size>0</size><xxhash64be>{XXH64_EMPTY}</xxhash64be>"
            f"<xxhash64>{turned}</xxhash64><xxhash>{int(XXH32_EMPTY, 16)}</xxhash></hash>"
            "<hash><file>null.wav</file><size>7</size><null/></hash>"
        )
    )
    found = read_mhl(path)
    assert found.folder == card
    assert found.files == (
        listed("SOUND/1.wav", ("md5", MD5_ABC), size=3),
        listed("SOUND/2.wav", ("sha1", SHA1_ABC)),
        listed(
            "empty.wav",
            ("xxh64", XXH64_EMPTY),
            ("xxh64", XXH64_EMPTY),
            ("xxh32", XXH32_EMPTY),
            size=0,
        ),
        listed("null.wav", size=7),
    )
    files = {item.path.name: [(path, item)] for item in found.files}
    assert disagreement(card / "SOUND" / "1.wav", files["1.wav"]) == ""
    assert disagreement(card / "empty.wav", files["empty.wav"]) == ""


def test_the_generations_of_an_asc_mhl_are_one_history(card: Path) -> None:
    folder = card / "ascmhl"
    folder.mkdir()
    (folder / "0001_CARD_2026.mhl").write_text(
        asc(
            f'<hash><path size="3">SOUND/1.wav</path><md5 action="original">{MD5_ABC}</md5></hash>',
            f'<hash><path size="0">old.wav</path><xxh64 action="original">{XXH64_EMPTY}</xxh64>'
            "</hash>",
        )
    )
    (folder / "0002_CARD_2026.mhl").write_text(
        asc(
            f'<hash><path size="9">SOUND/1.wav</path><md5 action="failed">{"0" * 32}</md5></hash>',
            f'<hash><path size="0">empty.wav</path><xxh3 action="original">{XXH3_EMPTY}</xxh3>'
            f"<xxh128>{XXH128_EMPTY}</xxh128><previousPath>old.wav</previousPath></hash>",
        )
    )
    (folder / "ascmhl_chain.xml").write_text("<ascmhldirectory/>")
    (found,), faults = find_manifests([card])
    assert (found.folder, faults) == (card.resolve(), ())
    one, renamed = found.files
    assert one == listed("SOUND/1.wav", ("md5", MD5_ABC), size=3)
    assert renamed.path.name == "empty.wav"
    assert dict(renamed.digests) == {
        "xxh64": XXH64_EMPTY, "xxh3": XXH3_EMPTY, "xxh128": XXH128_EMPTY
    }  # fmt: skip
    assert disagreement(card / "empty.wav", [(found.path, renamed)]) == ""


def test_a_c4_id_is_that_of_the_standard() -> None:
    # The ID of nothing, as the reference implementation of SMPTE ST 2114 gives it.
    assert c4_id(hashlib.sha512(b"").digest()) == (
        "c459dsjfscH38cYeXXYogktxf4Cd9ibshE3BHUo6a58hBXmRQdZrAkZzsWcbWtDg5oQstpDuni4Hirj75GEmTc1sFT"
    )


@pytest.mark.parametrize(
    "line",
    [
        f"{MD5_ABC}  SOUND/1.wav",
        f"{MD5_ABC} *SOUND/1.wav",
        f"\\{MD5_ABC}  SOUND\\\\1.wav",
        f"MD5 (SOUND/1.wav) = {MD5_ABC}",
        f"# made by hand\r\n{MD5_ABC.upper()}\tSOUND/1.wav\r\n",
    ],
)
def test_a_checksum_list_is_read_as_each_tool_writes_it(card: Path, line: str) -> None:
    (card / "list.md5").write_text(line, newline="")
    found = read_checksums(card / "list.md5")
    assert found.files == (listed("SOUND/1.wav", ("md5", MD5_ABC)),)


def test_a_hash_alone_is_about_the_file_that_its_list_is_named_after(card: Path) -> None:
    for name in ("1.wav.md5", "1.md5"):
        (card / "SOUND" / name).write_text(MD5_ABC)
        assert read_checksums(card / "SOUND" / name).files == (listed("1.wav", ("md5", MD5_ABC)),)


def test_a_file_that_is_another_is_named_with_its_manifest(card: Path) -> None:
    path = card / "SOUND" / "1.wav"
    wrong = [(card / "a.mhl", listed("SOUND/1.wav", ("md5", MD5_ABC), ("sha1", "0" * 40)))]
    said = disagreement(path, wrong)
    assert str(path) in said
    assert "a.mhl" in said
    assert SHA1_ABC in said
    longer = [(card / "a.mhl", listed("SOUND/1.wav", size=4))]
    assert "has 3 bytes, and a.mhl says 4" in disagreement(path, longer)


def test_no_manifest_leads_out_of_its_folder(card: Path) -> None:
    (card / "out.mhl").write_text(
        V1.format(
            "".join(
                f"<hash><file>{path}</file><md5>{MD5_ABC}</md5></hash>"
                for path in ("../x.wav", "/etc/passwd", "C:\\x.wav", "a/../../x.wav", "", "ok.wav")
            )
        )
    )
    found = read_mhl(card / "out.mhl")
    assert [str(item.path) for item in found.files] == ["ok.wav"]
    assert "lists 5 files outside its folder" in found.warnings[0]


def test_what_is_no_manifest_is_told_and_the_others_are_read(card: Path) -> None:
    (card / "bomb.mhl").write_text('<!DOCTYPE a [<!ENTITY b "c">]><hashlist>&b;</hashlist>')
    (card / "other.mhl").write_text("<xmeml/>")
    (card / "words.md5").write_text("no hash at all\n")
    (card / "good.md5").write_text(f"{MD5_ABC}  SOUND/1.wav\nnot a line\n")
    found, faults = find_manifests([card])
    assert [item.path.name for item in found] == ["good.md5"]
    assert "1 of 2 lines" in found[0].warnings[0]
    assert len(faults) == 3
    assert all("nothing is checked against it" in fault for fault in faults)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_manifest_or_a_sentence(tmp_path: Path, data: bytes) -> None:
    for name, read in (
        ("a.mhl", read_mhl),
        ("a.md5", read_checksums),
        ("b.mhl", lambda path: read_history([path])),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        try:
            read(path)
        except InputError as fault:
            told = str(fault)
        else:
            told = str(path)
        assert str(path) in told


def test_a_list_of_too_many_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "take.md5"
    path.write_bytes(b"\n" * 2_000_000)
    with pytest.raises(InputError, match=r"take\.md5 has over 500,000 lines"):
        read_checksums(path)


def test_the_folder_of_hashes_without_names_is_looked_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "take.md5"
    path.write_text(f"{MD5_ABC}\n" * 1000)
    looked: list[str] = []
    monkeypatch.setattr(
        "adapters.manifests.checksums._literal", lambda name: looked.append(name) or name
    )
    assert len(read_checksums(path).files) == 1000
    assert looked == ["take"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_that_never_ends_is_no_manifest_and_no_report(tmp_path: Path) -> None:
    for name in ("card.md5", "card.mhl", "report.csv", "report.ale"):
        os.mkfifo(tmp_path / name)
    assert find_manifests([tmp_path]) == ((), ())
    assert find_reports([tmp_path]) == ()
