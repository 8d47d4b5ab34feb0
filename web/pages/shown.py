"""How pages are shown: what all of them carry, and the small words of the templates."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from web.access import Person, Role
from web.site import TEMPLATES, Site

_COLOURS = 8


def page(
    request: Request, at: Site, who: Person | None, template: str, told: dict[str, Any]
) -> HTMLResponse:
    """A page, with who asks and the proof that its changes need."""
    common = {
        "who": who,
        "may_edit": who is not None and who.role >= Role.EDITOR,
        "open_to_all": at.access.open_to_all,
        "csrf": at.access.proof(who.session) if who is not None and who.session else "",
        "nonce": request.state.nonce,
        "project": at.work.settings.project,
    }
    return TEMPLATES.TemplateResponse(request, template, common | told)


def voice(name: str) -> str:
    """The class that colours a speaker, always the same for a name."""
    if not name:
        return "voice-none"
    return f"voice-{zlib.crc32(name.encode()) % _COLOURS}"


def moment(at: datetime) -> str:
    """A moment as a clock on this machine's wall shows it: `Fri 27 Nov 22:14`."""
    return at.astimezone().strftime("%a %d %b %H:%M")


def lasted(seconds: float) -> str:
    """A stretch of time: `1:02:03`, `2:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


TEMPLATES.env.filters |= {"voice": voice, "moment": moment, "lasted": lasted}
