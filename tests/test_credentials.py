"""Signed files validate with C2PA's own reader, sound as before, and tell of every change."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
import soundfile as sf
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from production import Delivered, Home, stems

from adapters.media.bwf import read_block
from adapters.media.credentials import Signing, read_credentials
from adapters.media.write import WaveWriter
from config.settings import Settings
from core.errors import InputError
from core.media import SoundNotes
from flows.signing import actions
from flows.verify import Verdict, Verified, verify

RATE = 48_000


def _certificate(subject: str, issuer: str, own: Any, signer: Any, authority: bool) -> bytes:
    now = datetime.datetime.now(datetime.UTC)

    def named(text: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, text),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Studio"),
            ]
        )

    made = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        made = made.add_extension(usage, critical=False)
    return made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    """A studio's certificate under an authority of its own."""
    folder = tmp_path_factory.mktemp("certificates")
    root, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = _certificate("Mixer", "Root", own, root, False)
    chain += _certificate("Root", "Root", root, root, True)
    (folder / "chain.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Signing(folder / "chain.pem", folder / "key.pem")


@pytest.fixture(scope="module")
def signed(signing: Signing, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file as it was written, and signed."""
    folder = tmp_path_factory.mktemp("signed")
    notes = SoundNotes(description="a stem", originator="roomtone", time_reference=RATE)
    grid = np.random.default_rng(1).integers(-(2**20), 2**20, (RATE // 8, 1))
    paths = folder / "plain.wav", folder / "signed.wav"
    for path in paths:
        with WaveWriter(path, RATE, 1, "PCM_24", notes, {"ROLE": "DX"}) as writer:
            writer.write(grid)
    signing.sign(paths[1], "signed.wav", actions([]), {"activity": "key:signed.wav"})
    return paths


def test_a_signed_file_validates_and_sounds_the_same(signed: tuple[Path, Path]) -> None:
    plain, path = signed
    assert path.read_bytes() != plain.read_bytes()
    np.testing.assert_array_equal(sf.read(path, dtype="int32")[0], sf.read(plain, dtype="int32")[0])
    assert read_block(path) == read_block(plain)
    reader = c2pa.Reader(str(path))
    assert reader.get_validation_state() == "Valid"
    manifest = json.loads(reader.json())
    active = manifest["manifests"][manifest["active_manifest"]]
    assert active["signature_info"]["common_name"] == "Mixer"
    labels = {item["label"]: item["data"] for item in active["assertions"]}
    assert labels["roomtone.record"] == {"activity": "key:signed.wav"}
    found = read_credentials(path)
    assert found is not None
    assert (found.holds, found.trusted, found.signer, found.reasons) == (True, False, "Mixer", ())
    assert read_credentials(plain) is None


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_every_changed_byte_before_the_signature_is_found(
    signed: tuple[Path, Path], tmp_path: Path, data: st.DataObject
) -> None:
    whole = bytearray(signed[1].read_bytes())
    place = data.draw(st.integers(12, whole.index(b"C2PA") - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    other = tmp_path / "changed.wav"
    other.write_bytes(whole)
    try:
        found = read_credentials(other)
    except InputError:
        return  # a chunk's size was hit, so that nothing can be read
    assert found is None or not found.holds


def verified(home: Path, path: Path) -> Verified:
    (found,) = verify(Settings(home=home), [path])
    return found


def test_verify_says_in_its_line_who_signed_and_that_it_holds(
    signed: tuple[Path, Path], tmp_path: Path
) -> None:
    plain, path = signed
    found = verified(tmp_path, path)
    assert (found.verdict, found.signed, found.signer) == (Verdict.UNKNOWN, True, "Mixer")
    assert found.said.endswith("; content credentials hold, signed by Mixer")
    assert not found.holds  # nobody vouches for the certificate, and no record has the file
    unsigned = verified(tmp_path, plain)
    assert (unsigned.signed, unsigned.signer) == (None, "")
    assert "credentials" not in unsigned.said


@pytest.mark.parametrize("chunk", [b"data", b"bext"])
def test_verify_finds_a_changed_sample_and_a_changed_bext(
    signed: tuple[Path, Path], tmp_path: Path, chunk: bytes
) -> None:
    whole = bytearray(signed[1].read_bytes())
    whole[whole.index(chunk) + 8 + 40] ^= 1
    other = tmp_path / "changed.wav"
    other.write_bytes(whole)
    found = verified(tmp_path, other)
    assert found.signed is False
    assert "content credentials do not hold (assertion.dataHash.mismatch)" in found.said


def test_verify_says_where_credentials_are_broken(
    signed: tuple[Path, Path], tmp_path: Path
) -> None:
    whole = bytearray(signed[1].read_bytes())
    at = whole.index(b"C2PA") + 8
    whole[at : at + 64] = bytes(64)
    other = tmp_path / "broken.wav"
    other.write_bytes(whole)
    found = verified(tmp_path, other)
    assert found.signed is False
    assert found.said.endswith("; content credentials are there, but broken")


def test_verify_without_the_library_says_so_and_finds_no_fault_in_it(
    signed: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    found = verified(tmp_path, signed[1])
    assert found.signed is None
    assert 'are not read without `pip install "roomtone[c2pa]"`' in found.said


def test_a_key_that_does_not_fit_is_told_in_a_sentence(signing: Signing, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for wrong in (Signing(empty, signing.key), Signing(signing.certificate, empty)):
        with pytest.raises(InputError, match=r"empty\.pem"):
            wrong.check()
    with pytest.raises(InputError, match="can't be read"):
        Signing(tmp_path / "missing.pem", signing.key).check()
    with pytest.raises(InputError, match="no private key"):
        Signing(signing.certificate, signing.certificate).check()


def test_a_delivery_is_signed_whole(
    own_home: Home, delivered: Delivered, signing: Signing, tmp_path: Path
) -> None:
    environment = {
        "ROOMTONE_C2PA_CERTIFICATE": str(signing.certificate),
        "ROOMTONE_C2PA_KEY": str(signing.key),
    }
    home, out = Home(own_home.folder, environment), tmp_path / "out"
    words = ("clean", delivered.film / "v1.otio", "--out", out, "--direct")
    ran = home.run(*words)
    assert ran.code == 0, ran.err
    for name, path in stems(out).items():
        assert c2pa.Reader(str(path)).get_validation_state() == "Valid", name
        before = stems(delivered.out)[name]
        np.testing.assert_array_equal(sf.read(path)[0], sf.read(before)[0])
    held = home.run("verify", stems(out)["DX"])
    assert held.code == 0, held.err
    assert held.out.strip().endswith("content credentials hold, signed by Mixer")
    told = home.run("trace", stems(out)["DX"])
    assert told.code == 0, told.err
    assert "Content credentials: signed by Mixer, and nothing was changed since." in told.out
    manifest = json.loads(c2pa.Reader(str(stems(out)["DX"])).json())
    active = manifest["manifests"][manifest["active_manifest"]]
    (edits,) = [item["data"] for item in active["assertions"] if "actions" in item["label"]]
    agents = [item.get("softwareAgent") for item in edits["actions"]]
    assert [agent["name"] for agent in agents] == ["roomtone", "RNNoise"]
    before = stems(out)["DX"].read_bytes()
    assert home.run(*words).code == 0
    assert stems(out)["DX"].read_bytes() == before
    half = Home(own_home.folder, {"ROOMTONE_C2PA_KEY": str(signing.key)})
    ran = half.run("clean", delivered.film / "v1.otio", "--out", tmp_path / "half", "--direct")
    assert ran.code == 2
    assert "c2pa_certificate and c2pa_key" in ran.err
    assert not (tmp_path / "half").exists()
