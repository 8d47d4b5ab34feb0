"""XML from outside: parsed without entities, and never deeper or larger than a timeline is.

Entities are what an XML bomb and a peek at other files are made of, so they are refused; a
plain `<!DOCTYPE xmeml>` passes. Depth and counts are checked while the file is read, before
anything could recurse over what came in.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder

from core.errors import InputError

MAX_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 200
MAX_ELEMENTS = 3_000_000
"""Premiere writes up to 80 a clip: this is a feature of 40,000. They take some 400 MB."""

MAX_TEXT = 64 * 1024 * 1024
"""Characters of text, names and attributes, white space between elements not counted."""

MAX_NAMESPACE = 256
"""Characters of a namespace. The parser puts it before every name of an element or attribute, so
that a long one and some thousand short names fill the memory. Real ones have up to a hundred."""

_CHUNK = 1 << 16
_OVERLAP = 1024
"""Bytes: more than `_LONG_NAMESPACE` ever matches."""

_LONG_NAMESPACE = re.compile(
    rb"""\sxmlns(?::[^\s<>="':]{201}|(?::[^\s<>="':]{1,200}+)?\s{0,200}+"""
    rb"""(?:=\s{0,200}+(?:"[^"]{%d}|'[^']{%d}|\s)|\s))""" % (MAX_NAMESPACE + 1, MAX_NAMESPACE + 1)
)
_MAX_TOKEN = 4 * 1024 * 1024


class _TooMuchError(Exception):
    """The file passes a limit; the words complete "it …"."""


class _Bounded:
    """A parser's target: builds the tree, keeps count, drops white space between elements."""

    def __init__(self, spaced: str, most_elements: int) -> None:
        self._builder = TreeBuilder()
        self._spaced = spaced
        self._most_elements = most_elements
        self._inside = 0
        self._depth = 0
        self._elements = 0
        self._text = 0
        self.seen = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.seen += 1
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise _TooMuchError(f"is nested more than {MAX_DEPTH} levels deep")
        if self._elements > self._most_elements:
            raise _TooMuchError(f"has more than {self._most_elements} elements")
        self._count(len(tag) + sum(len(name) + len(value) for name, value in attributes.items()))
        self._builder.start(tag, attributes)
        self._inside += tag == self._spaced

    def end(self, tag: str) -> None:
        self.seen += 1
        self._depth -= 1
        self._builder.end(tag)
        self._inside -= tag == self._spaced

    def data(self, text: str) -> None:
        self.seen += 1
        if self._inside or not text.isspace():
            self._count(len(text))
            self._builder.data(text)

    def close(self) -> Element:
        return self._builder.close()

    def _count(self, characters: int) -> None:
        self._text += characters
        if self._text > MAX_TEXT:
            raise _TooMuchError(f"holds more than {MAX_TEXT} characters of text")


def parse(
    path: Path,
    root_name: str,
    what: str,
    remedy: str = "export a single sequence",
    spaced: str = "",
    any_namespace: bool = False,
    most_elements: int = 0,
) -> Element:
    """The root element of an XML file; white space between elements is left out.

    root_name: the tag that the root must have; any_namespace: in whichever namespace.
    what: the format, for people (`FCP7 XML`). remedy: what to do where the file is too much.
    spaced: the tag inside which white space counts. most_elements: 0 for those of a timeline.
    Raises InputError with one sentence where the file can't be read, is no XML, has another
    root, declares entities, or passes a limit of this module.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    try:
        if path.stat().st_size > MAX_BYTES:
            raise _TooMuchError(f"is over {MAX_BYTES >> 20} MB")
        target = _Bounded(spaced, most_elements or MAX_ELEMENTS)
        parser = DefusedXMLParser(target=target, forbid_entities=True, forbid_external=True)
        root = _fed(parser, target, path)
    except OSError as fault:
        raise InputError(
            f"{path} can't be read ({fault.strerror or 'it is no file'}); check the path."
        ) from fault
    except _TooMuchError as fault:
        raise InputError(f"{path} can't be read as {what}: it {fault}; {remedy}.") from fault
    except DefusedXmlException as fault:
        raise InputError(
            f"{path} declares XML entities, which are refused; export it again as {what}."
        ) from fault
    except (SyntaxError, ValueError, LookupError) as fault:
        _refuse(path, what, fault)
    tag = root.tag.rpartition("}")[2] if any_namespace else root.tag
    if tag != root_name:
        raise InputError(
            f"{path} is no {what}: its root is <{root.tag[:40]}>, not <{root_name}>; "
            f"export it again as {what}."
        )
    return root


def has_long_namespace(data: bytes) -> bool:
    """Whether XML declares a namespace that would fill the memory by being part of every name."""
    return _LONG_NAMESPACE.search(data) is not None


def _fed(parser: Any, target: _Bounded, path: Path) -> Element:
    # Expat may read an unfinished tag from its start again with every chunk: quadratic time.
    pending, last = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            last += chunk.replace(b"\0", b"")  # UTF-16 as it would be in UTF-8
            if has_long_namespace(last):
                raise _TooMuchError(f"declares a namespace of more than {MAX_NAMESPACE} characters")
            last = last[-_OVERLAP:]
            before = target.seen
            parser.feed(chunk)
            pending = pending + len(chunk) if target.seen == before else 0
            if pending > _MAX_TOKEN:
                raise _TooMuchError(f"holds a tag or comment of more than {_MAX_TOKEN >> 20} MB")
    root: Element = parser.close()
    return root


def _refuse(path: Path, what: str, fault: Exception) -> NoReturn:
    words = " ".join(str(fault).split())[:120]
    raise InputError(
        f"{path} can't be read as {what} ({words or 'broken XML'}); export it again."
    ) from fault
