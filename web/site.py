"""What the routes work with: the home, its access, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.templating import Jinja2Templates

from flows.copying import Copying
from flows.workspace import Workspace
from web.access import Access, Person, Role

HERE = Path(__file__).parent
TEMPLATES = Jinja2Templates(directory=HERE / "templates")


@dataclass(frozen=True)
class Site:
    """A home that is served. copying: its listening copies that are being made."""

    work: Workspace
    access: Access
    copying: Copying = field(default_factory=Copying)


def site(request: Request) -> Site:
    """The home that this request is about."""
    found: Site = request.app.state.site
    return found


def person(request: Request) -> Person:
    """Who asks."""
    found: Person | None = request.state.person
    if found is None:
        raise HTTPException(401, "Log in first.")
    return found


def needs(role: Role) -> Callable[[Request], Person]:
    """Who asks, if they may do what this role may."""

    def checked(request: Request) -> Person:
        found = person(request)
        if found.role < role:
            raise HTTPException(
                403, f"This needs the role {role.name.lower()}; {found.name} has another."
            )
        return found

    return checked


AtSite = Annotated[Site, Depends(site)]
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
Editor = Annotated[Person, Depends(needs(Role.EDITOR))]
Admin = Annotated[Person, Depends(needs(Role.ADMIN))]
