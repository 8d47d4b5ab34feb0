"""Pages made from the templates beside the flows: everything escaped, nothing left out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


def filled(
    name: str, filters: tuple[tuple[str, Callable[..., Any]], ...] = (), /, **page: Any
) -> str:
    """A template (`report.html`) with what it speaks of put in.

    filters: what the template may call them, and functions that stay the same. Anything that the
    template asks for and does not get is a fault of the program.
    """
    return _template(name, filters).render(page)


@cache
def _template(name: str, filters: tuple[tuple[str, Callable[..., Any]], ...]) -> Template:
    # Read and translated once a process, as a night fills many.
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(filters)
    source = files("flows").joinpath("templates", name).read_text(encoding="utf-8")
    return environment.from_string(source)
