"""Weights are what their authors published, whole, or they are not loaded."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.errors import EngineError, UsageError
from models.download import download, unpack
from models.weights import KNOWN, KnownFile, KnownWeights, WeightsFolder

BODY = bytes(range(256)) * 4000
SHA = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files`; cuts a connection off after `cut` bytes of a body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cut = 0
        self.ranges: list[str] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/model.bin")
            self.end_headers()
            return
        body = self.server.files.get(self.path[1:])
        if body is None:
            self.send_error(404)
            return
        tag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        if asked and self.headers.get("If-Range", tag) != tag:
            asked = ""
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if asked else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        end = self.server.cut or len(body)
        self.wfile.write(body[start:end])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    thread = threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()


def quiet(done: int, total: int) -> None:
    """A progress nobody looks at."""


def weights(name: str, *files: KnownFile) -> KnownWeights:
    return KnownWeights(name, files, "MIT", "", "https://example.org", "whisper", "1", 1)


def folder(root: Path, *known: KnownWeights) -> WeightsFolder:
    return WeightsFolder(root / "weights", {entry.name: entry for entry in known})


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_a_fetched_set_is_whole_recorded_and_verified(tmp_path: Path, server: Server) -> None:
    server.files["tiny.pt"] = BODY
    store = folder(tmp_path, weights("tiny", KnownFile("tiny.pt", SHA, server.url("tiny.pt"))))
    seen: list[tuple[int, int]] = []
    path = store.fetch("tiny", lambda done, total: seen.append((done, total)))
    assert (path / "tiny.pt").read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert store.path("tiny") == path
    assert store.sha256("tiny") == hashlib.sha256(f"tiny.pt {SHA}\n".encode()).hexdigest()
    assert [(w.name, w.kind, w.size) for w in store.installed()] == [("tiny", "whisper", len(BODY))]


def test_a_fetch_that_broke_off_is_resumed_where_it_stopped(tmp_path: Path, server: Server) -> None:
    server.files["tiny.pt"], server.cut = BODY, 300_000
    store = folder(tmp_path, weights("tiny", KnownFile("tiny.pt", SHA, server.url("tiny.pt"))))
    with pytest.raises(EngineError, match="could not be fetched"):
        store.fetch("tiny", quiet)
    assert store.installed() == ()
    server.cut = 0
    store.fetch("tiny", quiet)
    assert server.ranges == ["", "bytes=300000-"]
    assert (store.path("tiny") / "tiny.pt").read_bytes() == BODY


def test_a_set_of_files_resumes_behind_those_that_are_whole(tmp_path: Path, server: Server) -> None:
    server.files["a.bin"] = BODY
    known = weights(
        "pair",
        KnownFile("a.bin", SHA, server.url("a.bin")),
        KnownFile("b.bin", "", server.url("b.bin")),
    )
    store = folder(tmp_path, known)
    with pytest.raises(EngineError, match="404"):
        store.fetch("pair", quiet)
    server.files["b.bin"] = b"second"
    store.fetch("pair", quiet)
    assert server.ranges == ["", f"bytes={len(BODY)}-", ""]
    assert (store.path("pair") / "b.bin").read_bytes() == b"second"


def test_a_file_published_anew_is_not_joined_to_the_old_one(tmp_path: Path, server: Server) -> None:
    server.files["m.bin"], server.cut = b"old" * 1000, 500
    target = tmp_path / "m.part"
    with pytest.raises(EngineError):
        download(server.url("m.bin"), target, quiet)
    server.files["m.bin"], server.cut = b"new!" * 1000, 0
    download(server.url("m.bin"), target, quiet)
    assert target.read_bytes() == b"new!" * 1000


def test_a_wrong_file_is_refused_and_not_kept(tmp_path: Path, server: Server) -> None:
    server.files["tiny.pt"] = BODY[:-1] + b"x"
    store = folder(tmp_path, weights("tiny", KnownFile("tiny.pt", SHA, server.url("tiny.pt"))))
    with pytest.raises(EngineError, match="sha256 differs"):
        store.fetch("tiny", quiet)
    assert not (store.root / "tiny").exists()
    server.files["tiny.pt"] = BODY
    store.fetch("tiny", quiet)


def test_plain_http_is_refused_also_after_a_redirect(tmp_path: Path, server: Server) -> None:
    with pytest.raises(EngineError, match="https only"):
        download("http://example.invalid/model.bin", tmp_path / "m", quiet)
    with pytest.raises(EngineError, match="https only"):
        download("file:///etc/hostname", tmp_path / "m", quiet)
    with pytest.raises(EngineError, match="https only"):
        download(server.url("away"), tmp_path / "m", quiet)


def test_no_network_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    url = "https://127.0.0.1:9/model.bin"
    with pytest.raises(EngineError, match=r"check the network.*models import DIR"):
        download(url, tmp_path / "m", quiet)


def test_an_archive_gives_only_the_named_files(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.tar.gz",
        ("tmp/export/enc.onnx", b"enc"),
        ("../../escape.txt", b"no"),
        ("/etc/evil", b"no"),
    )
    out = tmp_path / "out"
    out.mkdir()
    unpack(path, ["enc.onnx"], out)
    assert [(p.name, p.read_bytes()) for p in out.iterdir()] == [("enc.onnx", b"enc")]
    assert not (tmp_path / "escape.txt").exists()
    with pytest.raises(EngineError, match=r"does not hold df_dec\.onnx"):
        unpack(path, ["enc.onnx", "df_dec.onnx"], out)
    doubled = archive(tmp_path / "b.tar.gz", ("x/enc.onnx", b"1"), ("y/enc.onnx", b"2"))
    with pytest.raises(EngineError, match="twice"):
        unpack(doubled, ["enc.onnx"], out)
    (tmp_path / "c.tar.gz").write_bytes(path.read_bytes()[:60])
    with pytest.raises(EngineError, match="damaged"):
        unpack(tmp_path / "c.tar.gz", ["enc.onnx"], out)


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("enc.onnx")
        info.type, info.linkname = tarfile.SYMTYPE, str(secret)
        tar.addfile(info)
    with pytest.raises(EngineError, match="does not hold"):
        unpack(tmp_path / "a.tar.gz", ["enc.onnx"], tmp_path)


def test_an_archive_is_fetched_once_for_all_its_files(tmp_path: Path, server: Server) -> None:
    made = archive(tmp_path / "set.tar.gz", ("tmp/a.onnx", b"a"), ("tmp/b.onnx", b"b"))
    server.files["set.tar.gz"] = made.read_bytes()
    url = server.url("set.tar.gz")
    files = [KnownFile(f"{n}.onnx", hashlib.sha256(n.encode()).hexdigest(), url) for n in "ab"]
    store = folder(tmp_path, replace(weights("net", *files), kind="denoise"))
    store.fetch("net", quiet)
    assert server.ranges == [""]
    assert (store.path("net") / "b.onnx").read_bytes() == b"b"
    other = WeightsFolder(tmp_path / "other", store.known)
    assert other.import_from(made) == ("net",)
    assert other.sha256("net") == store.sha256("net")


def test_weights_changed_after_the_import_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(BODY)
    store = folder(tmp_path)
    assert store.import_from(tmp_path / "mine.pt") == ("mine",)
    changed = store.path("mine") / "mine.pt"
    changed.write_bytes(b"\1" + BODY[1:])
    with pytest.raises(EngineError, match="sha256 differs"):
        store.path("mine")


def test_missing_weights_name_both_remedies(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"models fetch tiny`, or `roomtone models import DIR"):
        folder(tmp_path).path("tiny")
    with pytest.raises(EngineError, match="are not in"):
        folder(tmp_path).path("../elsewhere")
    with pytest.raises(UsageError, match="use one of deepfilternet3"):
        WeightsFolder(tmp_path).fetch("nothing", quiet)


def test_a_checkpoint_that_pretends_to_be_a_known_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny.pt").write_bytes(b"not whisper")
    with pytest.raises(EngineError, match=r"named like whisper-tiny but is another file"):
        WeightsFolder(tmp_path / "w").import_from(tmp_path)
    assert WeightsFolder(tmp_path / "w").installed() == ()


def test_a_known_checkpoint_is_recognised_by_hash_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "renamed.pt").write_bytes(BODY)
    store = folder(tmp_path, weights("whisper-x", KnownFile("renamed.pt", SHA, "https://e.org/x")))
    assert store.import_from(tmp_path / "renamed.pt") == ("whisper-x",)


def test_altered_denoiser_files_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    pretend = tmp_path / "dfn"
    pretend.mkdir()
    for file in KNOWN["deepfilternet3"].files:
        (pretend / file.name).write_bytes(b"something else")
    store = WeightsFolder(tmp_path / "w")
    with pytest.raises(EngineError, match="sha256 differs"):
        store.import_from(pretend)
    assert list(store.root.iterdir()) == []


def test_a_folder_of_several_sets_is_imported_at_once(tmp_path: Path) -> None:
    offered = tmp_path / "offered"
    own = offered / "our-finetune"
    own.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (own / name).write_text(name)
    (own / "readme.md").write_text("not weights")
    (offered / "house.pt").write_bytes(BODY)
    store = folder(tmp_path)
    assert store.import_from(offered) == ("house", "our-finetune")
    assert sorted(p.name for p in store.path("our-finetune").iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
        "weights.json",
    ]


def test_a_recogniser_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "model.bin").write_text("m")
    (own / "config.json").write_text("{}")
    with pytest.raises(EngineError, match=r"lacks tokenizer\.json"):
        folder(tmp_path).import_from(own)
    with pytest.raises(EngineError, match="no weights that roomtone can use"):
        folder(tmp_path).import_from(tmp_path / "own" / "config.json")


def test_weights_laid_there_by_hand_are_recorded_at_first_use(tmp_path: Path) -> None:
    store = folder(tmp_path)
    by_hand = store.root / "own"
    by_hand.mkdir(parents=True)
    (by_hand / "own.pt").write_bytes(BODY)
    store.path("own")
    assert (by_hand / "weights.json").is_file()
    (by_hand / "own.pt").write_bytes(BODY + b"x")
    with pytest.raises(EngineError, match="sha256 differs"):
        store.path("own")
    (by_hand / "weights.json").write_text("{")
    with pytest.raises(EngineError, match="damaged"):
        store.path("own")


def test_the_known_whisper_checkpoints_are_those_of_the_installed_package() -> None:
    for size in ("tiny", "base.en", "small", "medium", "large-v3", "turbo"):
        (file,) = KNOWN[f"whisper-{size}"].files
        assert file.url.startswith("https://openaipublic.azureedge.net/main/whisper/models/")
        assert len(file.sha256) == 64
        assert file.sha256 in file.url
    names = [file.name for file in KNOWN["faster-whisper-large-v3"].files]
    assert "preprocessor_config.json" in names
    assert all(file.url.startswith("https://") for k in KNOWN.values() for file in k.files)


@pytest.mark.shared
def test_the_real_denoiser_is_recognised_where_it_lies(shared: Path, tmp_path: Path) -> None:
    read_only = WeightsFolder(shared / "weights")
    assert read_only.path("deepfilternet3").is_dir()
    store = WeightsFolder(tmp_path / "w")
    assert store.import_from(shared / "weights") == ("deepfilternet3",)
    assert store.sha256("deepfilternet3") == read_only.sha256("deepfilternet3")
