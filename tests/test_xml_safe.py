"""XML from outside is read without entities, and never deeper or larger than a timeline is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from adapters.timelines import xml_safe
from core.errors import InputError


def refused(folder: Path, data: bytes) -> str:
    path = folder / "cut.xml"
    path.write_bytes(data)
    with pytest.raises(InputError) as fault:
        xml_safe.parse(path, "xmeml", "FCP7 XML")
    told = str(fault.value)
    assert str(path) in told
    assert "\n" not in told
    return told


def test_a_plain_doctype_passes_and_text_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE xmeml>\n'
        "<xmeml version='5'>\n  <name> Åsa &amp; Bo </name>\n  <name/>\n</xmeml>\n",
        encoding="utf-8",
    )
    root = xml_safe.parse(path, "xmeml", "FCP7 XML")
    assert root.get("version") == "5"
    assert [element.text for element in root] == [" Åsa & Bo ", None]


def test_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_text('<?xml version="1.0" encoding="UTF-16"?><xmeml>ü</xmeml>', encoding="utf-16")
    assert xml_safe.parse(path, "xmeml", "FCP7 XML").text == "ü"


def test_entities_are_refused_before_they_expand(tmp_path: Path) -> None:
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<!DOCTYPE xmeml [<!ENTITY e0 "ha">{levels}]><xmeml>&e11;</xmeml>'
    assert "entities" in refused(tmp_path, bomb.encode())


def test_no_other_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    document = f'<!DOCTYPE xmeml [<!ENTITY s SYSTEM "{secret.as_uri()}">]><xmeml>&s;</xmeml>'
    assert "entities" in refused(tmp_path, document.encode())


def test_depth_is_bounded_while_reading(tmp_path: Path) -> None:
    assert "200 levels" in refused(tmp_path, b"<xmeml>" + b"<a>" * 100_000)
    path = tmp_path / "cut.xml"
    path.write_bytes(b"<xmeml>" + b"<a>" * 199 + b"</a>" * 199 + b"</xmeml>")
    assert xml_safe.parse(path, "xmeml", "FCP7 XML").tag == "xmeml"


def test_counts_and_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_safe, "MAX_ELEMENTS", 100)
    assert "100 elements" in refused(tmp_path, b"<xmeml>" + b"<a/>" * 100 + b"</xmeml>")
    monkeypatch.setattr(xml_safe, "MAX_TEXT", 1000)
    assert "1000 characters" in refused(tmp_path, b"<xmeml>" + b"x" * 1001 + b"</xmeml>")
    assert "1000 characters" in refused(tmp_path, b'<xmeml a="' + b"x" * 1001 + b'"/>')
    monkeypatch.setattr(xml_safe, "MAX_BYTES", 1 << 20)
    assert "over 1 MB" in refused(tmp_path, b"<xmeml>" + b" " * (1 << 20) + b"</xmeml>")


def test_one_endless_tag_takes_no_quadratic_time(tmp_path: Path) -> None:
    started = time.process_time()
    assert "4 MB" in refused(tmp_path, b"<xmeml " + b"x" * 20_000_000 + b'="1"/>')
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<xmeml>",
        b"<fcpxml/>",
        b"TITLE: AN EDL",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="nonsense"?><xmeml/>',
        b'<?xml version="1.0" encoding="hex"?><xmeml/>',
        b"<xmeml>\xff\xff</xmeml>",
        b"<xmeml>&undefined;</xmeml>",
    ],
)
def test_what_is_no_timeline_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path, data)


def test_a_missing_file_and_a_folder_are_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.xml", tmp_path):
        with pytest.raises(InputError, match="can't be read"):
            xml_safe.parse(path, "xmeml", "FCP7 XML")


@pytest.mark.parametrize("space", [b"", b" " * 300])
@pytest.mark.parametrize("prefix", [b"", b":p", b":" + b"p" * 300])
def test_a_namespace_that_would_be_part_of_every_name_is_short(
    tmp_path: Path, prefix: bytes, space: bytes
) -> None:
    declared = b"\n" * 65_000 + b" xmlns" + prefix + space + b"=" + space + b"'" + b"u" * 500_000
    document = b"<xmeml" + declared + b"'>" + b"".join(b"<a%d/>" % i for i in range(500))
    assert "namespace" in refused(tmp_path, document + b"</xmeml>")
    assert "namespace" in refused(tmp_path, (document + b"</xmeml>").decode().encode("utf-16"))


def test_a_usual_namespace_is_read_and_text_about_them_too(tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    text = f"<xmeml xmlns:p = '{'u' * 256}'><p:a/> xmlns:q = is a word, and xmlns another</xmeml>"
    path.write_text(text)
    assert len(xml_safe.parse(path, "xmeml", "FCP7 XML")) == 1
