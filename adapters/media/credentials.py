"""C2PA content credentials of wave files: signed with the studio's certificate, read offline.

After the C2PA technical specification 2.x, by its authors' library (`c2pa-python`, optional).
Nothing is fetched: no timestamp, no revocation list, no remote manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.json_file import parsed
from adapters.media.chunks import read_chunks
from adapters.media.excerpt import same_sound
from adapters.media.whole import output_error, whole_file
from core.errors import EngineError, InputError, OutputError

RECORD = "roomtone.record"
_INSTALL = 'Signing needs c2pa-python; run `pip install "roomtone[c2pa]"`.'
_OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
_MOST_PEM = 1 << 20
_MOST_BYTES = 64 << 20
"""Of content credentials. With pictures and ingredients some have a few megabytes."""
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Signing:
    """A certificate chain (PEM, the signer's own first) and its private key (PEM, no password)."""

    certificate: Path
    key: Path

    @cached_property
    def chain(self) -> bytes:
        """The certificates. Raises InputError where they can't be read."""
        return _pem(self.certificate, "certificate")

    @cached_property
    def digest(self) -> str:
        """sha256 of the certificates, which tells one signer from another."""
        return hashlib.sha256(self.chain).hexdigest()

    def check(self) -> None:
        """Raise EngineError where nothing can sign, InputError for a certificate that can't."""
        self._signer().close()

    def _signer(self) -> Any:
        c2pa = _library()
        info = c2pa.C2paSignerInfo(
            alg=_algorithm(self.key).encode(),
            sign_cert=self.chain,
            private_key=_pem(self.key, "key"),
            ta_url=None,
        )
        try:
            return c2pa.Signer.from_info(info)
        except c2pa.C2paError as fault:
            raise InputError(
                f"{self.certificate} and {self.key} can't sign ({fault}); give a certificate chain "
                "for signing, with its own first, and the key that belongs to it, both as PEM."
            ) from fault

    def sign(
        self,
        path: Path,
        title: str,
        actions: Sequence[Mapping[str, Any]],
        record: Mapping[str, str],
    ) -> None:
        """Sign a wave file in place, whole or not at all; its samples stay as they are.

        title: of the manifest. actions: C2PA's, the first of them `c2pa.created`. record: what else
        is signed, in an assertion of our own. Raises OutputError where it can't be written or does
        not validate.
        """
        c2pa = _library()
        manifest = {
            "claim_generator_info": [{"name": "roomtone"}],
            "title": title,
            "format": "audio/wav",
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": list(actions)}},
                {"label": RECORD, "data": dict(record)},
            ],
        }
        with whole_file(path) as temporary:
            try:
                with (
                    self._signer() as signer,
                    c2pa.Builder(manifest, _context()) as builder,
                    path.open("rb") as source,
                    temporary.open("w+b") as target,
                ):
                    builder.sign(signer, "audio/wav", source, target)
            except OSError as fault:
                raise output_error(path, fault) from fault
            except c2pa.C2paError as fault:
                raise OutputError(
                    f"{path} can't be signed ({fault}); unset c2pa_certificate to go on without."
                ) from fault
            found = read_credentials(temporary)
            if found is None or not found.holds or not same_sound(path, temporary):
                raise OutputError(f"{path} did not validate after signing: run again.")


@dataclass(frozen=True)
class Credentials:
    """What a file's content credentials say. holds: the signature fits, and every byte it covers.

    trusted: whether a certificate on a trust list signed; none is built in. signer: whom the
    certificate names. reasons: what does not hold, by C2PA's codes.
    """

    holds: bool
    trusted: bool
    signer: str
    reasons: tuple[str, ...]

    @property
    def words(self) -> str:
        """A sentence for people."""
        who = self.signer or "somebody"
        if self.holds:
            return f"Content credentials: signed by {who}, and nothing was changed since."
        return (
            f"Content credentials: signed by {who}, but changed since ({', '.join(self.reasons)})."
        )


def read_credentials(path: Path) -> Credentials | None:
    """The content credentials of a wave file; None where it has none.

    Raises EngineError where it has some and the library is not there, InputError where they are
    broken.
    """
    try:
        chunks = read_chunks(path)
    except OSError as fault:
        raise InputError(f"{path} can't be read ({fault.strerror}): check the disk.") from fault
    chunk = None if chunks is None else chunks.find("C2PA")
    if chunk is None:
        return None
    if chunk.size > _MOST_BYTES:
        raise InputError(f"{path} has over {_MOST_BYTES >> 20} MB of content credentials.")
    c2pa = _library()
    try:
        with (
            path.open("rb") as source,
            c2pa.Reader("audio/wav", source, context=_context()) as read,
        ):
            state, told = str(read.get_validation_state()), parsed(read.json())
    except (c2pa.C2paError, OSError, ValueError) as fault:
        raise InputError(f"{path} has content credentials that can't be read ({fault}).") from fault
    active = told.get("manifests", {}).get(told.get("active_manifest"), {})
    info = active.get("signature_info") or {}
    faults = [str(item.get("code", "")) for item in told.get("validation_status") or ()]
    return Credentials(
        holds=state in ("Valid", "Trusted"),
        trusted=state == "Trusted",
        signer=str(info.get("common_name") or info.get("issuer") or ""),
        reasons=tuple(code for code in faults if code != "signingCredential.untrusted"),
    )


def _context() -> Any:
    c2pa = _library()
    return c2pa.Context(c2pa.Settings.from_dict(_OFFLINE))


def _library() -> Any:
    try:
        import c2pa
    except (ImportError, OSError) as fault:
        raise EngineError(_INSTALL) from fault
    return c2pa


def _pem(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as handle:
            found = handle.read(_MOST_PEM)
    except OSError as fault:
        raise InputError(f"The {what} {path} can't be read ({fault.strerror}).") from fault
    if b"-----BEGIN " not in found:
        raise InputError(f"{path} is no {what} as PEM; convert it.")
    return found


def _algorithm(key: Path) -> str:
    """C2PA's name of the algorithm that a private key signs with."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(_pem(key, "key"), None)
    except (ValueError, TypeError) as fault:
        raise InputError(f"{key} is no private key without a password ({fault}).") from fault
    if isinstance(found, ec.EllipticCurvePrivateKey) and found.curve.name in _CURVES:
        return _CURVES[found.curve.name]
    if isinstance(found, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(found, rsa.RSAPrivateKey):
        return "ps256"
    raise InputError(f"{key} is of a kind that C2PA does not sign with; take EC P-256.")
