"""Who may do what at the page: tokens, roles, signed sessions, and proof against forged requests.

On the loopback address nobody has to log in. Elsewhere a person enters a token once and gets a
signed cookie. Tokens are random (256 bits), so their sha256 is all that is kept of them.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import BaseModel, ValidationError

from adapters.media.whole import whole_file
from core.errors import InputError, OutputError, UsageError

FILE_NAME = "access.json"
SESSION_DAYS = 14
_TRIES, _TRIES_S = 5, 60.0
_MOST_ADDRESSES = 1000


class Role(IntEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3


@dataclass(frozen=True)
class Person:
    """Somebody at the page. session: names their browser's session, empty with a bare token."""

    name: str
    role: Role
    session: str


@dataclass(frozen=True)
class Token:
    """A token as it is kept. sha256: of what the person enters. created: seconds of the epoch."""

    name: str
    role: Role
    sha256: str
    created: int


class _Kept(BaseModel):
    secret: str
    tokens: list[dict[str, Any]]


class Access:
    """The tokens of a home, and the sessions signed with its secret.

    open_to_all: nobody has to log in; who comes is an admin under the name of the account.
    """

    def __init__(self, home: Path, *, open_to_all: bool) -> None:
        """Read the home's access file. Raises InputError where it is not one of ours."""
        self.open_to_all = open_to_all
        self._path = home / FILE_NAME
        self._secret, self._tokens = _read(self._path)
        if not self._secret:
            self._secret = secrets.token_hex(32)
            _write(self._path, self._secret, self._tokens)
        self._sessions = URLSafeTimedSerializer(self._secret, salt="session")
        self._seen_ns = self._mtime()
        self.tries = Tries()

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens, as they are kept; read again where the file has changed."""
        if self._mtime() != self._seen_ns:
            self._seen_ns = self._mtime()
            self._tokens = _read(self._path)[1]
        return self._tokens

    def by_token(self, token: str) -> Person | None:
        """Whose token it is."""
        asked = _sha256(token.strip())
        found = None
        for known in self.tokens:
            if hmac.compare_digest(known.sha256, asked):
                found = Person(known.name, known.role, "")
        return found

    def by_cookie(self, cookie: str) -> Person | None:
        """Whose session it is, while their token is still there."""
        try:
            told = self._sessions.loads(cookie, max_age=SESSION_DAYS * 86_400)
            name, mark, session = (str(part) for part in told)
        except (BadSignature, TypeError, ValueError):
            return None
        if self.open_to_all and not mark:
            return Person(getpass.getuser(), Role.ADMIN, session)
        for known in self.tokens:
            if known.name == name and hmac.compare_digest(known.sha256[:16], mark):
                return Person(known.name, known.role, session)
        return None

    def anybody(self) -> Person | None:
        """Who comes without a token, where nobody needs one."""
        if not self.open_to_all:
            return None
        return Person(getpass.getuser(), Role.ADMIN, secrets.token_urlsafe(16))

    def signed_in(self, person: Person) -> tuple[Person, str]:
        """A new session for somebody, and the cookie that stands for it."""
        fresh = replace(person, session=secrets.token_urlsafe(16))
        return fresh, self.cookie(fresh)

    def cookie(self, person: Person) -> str:
        """The signed cookie of a session."""
        mark = next((t.sha256[:16] for t in self.tokens if t.name == person.name), "")
        if self.open_to_all:
            mark = ""
        return str(self._sessions.dumps([person.name, mark, person.session]))

    def proof(self, session: str) -> str:
        """What a page of this session sends along with every change (against forged requests)."""
        return hmac.new(self._secret.encode(), f"csrf {session}".encode(), "sha256").hexdigest()

    def proves(self, session: str, proof: str) -> bool:
        """Whether a change comes from a page of this session."""
        return bool(session) and hmac.compare_digest(self.proof(session), proof)

    def _mtime(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0


class Tries:
    """How often an address may try a token: five wrong ones a minute."""

    def __init__(self) -> None:
        self._failed: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> int:
        """Seconds until the address may try again; 0: now."""
        with self._lock:
            failed = self._recent(address)
            if len(failed) < _TRIES:
                return 0
            return int(failed[0] + _TRIES_S - time.monotonic()) + 1

    def failed(self, address: str) -> None:
        """Note a wrong token."""
        with self._lock:
            if len(self._failed) >= _MOST_ADDRESSES:
                self._failed.pop(next(iter(self._failed)))
            self._failed.setdefault(address, deque(maxlen=_TRIES)).append(time.monotonic())

    def _recent(self, address: str) -> deque[float]:
        failed = self._failed.get(address, deque())
        while failed and failed[0] < time.monotonic() - _TRIES_S:
            failed.popleft()
        return failed


def add_token(home: Path, name: str, role: Role) -> str:
    """Make a token; gives it, which is the only time that it is seen.

    Raises UsageError for a name that is taken, InputError and OutputError for the access file.
    """
    secret, tokens = _read(home / FILE_NAME)
    if any(token.name == name for token in tokens):
        raise UsageError(f"There is a token for {name!r}; remove that first, or name another.")
    if not name.strip():
        raise UsageError("A token needs the name of whoever it is for.")
    token = secrets.token_urlsafe(32)
    made = Token(name, role, _sha256(token), int(time.time()))
    _write(home / FILE_NAME, secret or secrets.token_hex(32), (*tokens, made))
    return token


def remove_token(home: Path, name: str) -> None:
    """Take a token back; its sessions end. Raises UsageError where there is none of that name."""
    secret, tokens = _read(home / FILE_NAME)
    rest = tuple(token for token in tokens if token.name != name)
    if len(rest) == len(tokens):
        raise UsageError(f"There is no token for {name!r}; `roomtone tokens list` names them.")
    _write(home / FILE_NAME, secret, rest)


def tokens_of(home: Path) -> tuple[Token, ...]:
    """The tokens of a home as they are kept."""
    return _read(home / FILE_NAME)[1]


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read(path: Path) -> tuple[str, tuple[Token, ...]]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return "", ()
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}).") from fault
    try:
        kept = _Kept.model_validate_json(text)
        return kept.secret, tuple(
            Token(str(t["name"]), Role(t["role"]), str(t["sha256"]), int(t["created"]))
            for t in kept.tokens
        )
    except (ValidationError, KeyError, ValueError, TypeError) as fault:
        raise InputError(
            f"{path} is not an access file of roomtone; move it away, and make tokens anew."
        ) from fault


def _write(path: Path, secret: str, tokens: tuple[Token, ...]) -> None:
    """Write the access file, readable by its owner alone."""
    kept = {"secret": secret, "tokens": [{**asdict(t), "role": int(t.role)} for t in tokens]}
    with whole_file(path) as temporary:
        try:
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        except OSError as fault:
            raise OutputError(f"{path} can't be written ({fault.strerror}).") from fault
