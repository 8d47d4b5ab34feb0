"""What roomtone needs may be passed on with it, and who says otherwise is named."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.licenses import canonicalize_license_expression

from core.licences import Terms, expression_from, named_in, terms_of
from flows.licences import licences

# Required packages whose licence asks something for the package itself alone. A new name here is
# a decision.
ASKS_FOR_ITSELF = {"certifi", "orjson", "pathspec", "soxr", "tqdm", "psycopg", "psycopg-binary"}


@pytest.mark.parametrize(
    ("expression", "terms"),
    [
        ("MIT", Terms.PERMISSIVE),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", Terms.PERMISSIVE),
        ("Apache-2.0 WITH LLVM-exception AND MIT", Terms.PERMISSIVE),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", Terms.LIBRARY_COPYLEFT),
        ("LGPL-2.1-or-later", Terms.LIBRARY_COPYLEFT),
        ("Artistic-1.0 OR GPL-2.0-or-later", Terms.PERMISSIVE),
        ("MIT AND GPL-3.0-only", Terms.COPYLEFT),
        ("AGPL-3.0-only", Terms.COPYLEFT),
        ("CC-BY-NC-4.0", Terms.RESTRICTED),
        ("CC-BY-4.0", Terms.PERMISSIVE),
        ("", Terms.UNKNOWN),
        ("(MIT", Terms.UNKNOWN),
        ("MIT MIT", Terms.UNKNOWN),
        ("MIT AND", Terms.UNKNOWN),
        ("Some Company Licence", Terms.UNKNOWN),
    ],
)
def test_an_expression_is_read_as_spdx_means_it(expression: str, terms: Terms) -> None:
    assert terms_of(expression) is terms


def test_licence_texts_are_recognised() -> None:
    assert named_in("Permission is hereby granted, free of charge, to any person") == "MIT"
    assert named_in("GNU LESSER GENERAL PUBLIC LICENSE Version 2.1") == "LGPL-2.1-or-later"
    assert named_in("GNU GENERAL PUBLIC LICENSE Version 3") == "GPL-3.0-or-later"
    assert expression_from("", "", ("MIT License", "Apache Software License"), "") == (
        "MIT OR Apache-2.0"
    )
    assert expression_from("", "UNKNOWN", (), "All rights reserved.") == ""


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="MITGPLANDOR() -30.", max_size=40))
def test_any_text_has_terms_and_a_joined_licence_never_asks_less(text: str) -> None:
    assert terms_of(f"({text}) AND GPL-3.0-only") >= Terms.COPYLEFT
    assert terms_of(text) in Terms


def test_every_needed_package_may_be_passed_on_with_an_mit_program() -> None:
    found = licences()
    packages = [item for item in found if item.what == "package"]
    assert len(packages) > 50, "the packages of this environment were not found"
    asking = {
        item.name: item.expression
        for item in packages
        if item.needed and item.terms is not Terms.PERMISSIVE and item.name not in ASKS_FOR_ITSELF
    }
    assert asking == {}
    kept = [item for item in packages if item.name in ASKS_FOR_ITSELF]
    assert all(item.terms is Terms.LIBRARY_COPYLEFT for item in kept)


def test_what_packages_carry_and_the_weights_are_listed_too() -> None:
    found = licences()
    carried = {item.name: item for item in found if item.what == "carried"}
    # FFmpeg's program says itself that it is built with GPL parts.
    assert carried["ffmpeg"].terms is Terms.COPYLEFT
    weights = [item for item in found if item.what == "weights"]
    assert weights
    assert all(item.expression and item.because for item in weights)
    for item in weights:
        assert canonicalize_license_expression(item.expression)
