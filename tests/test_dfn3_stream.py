"""The streaming engine gives what the graphs of DeepFilterNet3 give, in blocks of any size."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import EngineError
from models.denoise import dfn3, dfn3_network, dfn3_stream
from models.denoise.onnx_weights import read_weights

Samples = NDArray[np.float32]
Arrays = dict[str, list[Samples]]

SEPARABLE = ((64, 1, 1, 3),), ((64, 64, 1, 1), (64,))
RECURRENT = (1, 768, 256), (1, 768, 256), (1, 1536)
LEVEL = (64, 1, 1, 1), (64,)
SHAPES: dict[str, dict[str, tuple[tuple[int, ...], ...]]] = {
    "enc.onnx": {
        "/erb_conv0/1/Conv": ((64, 1, 3, 3), (64,)),
        "/erb_conv1/0/Conv": SEPARABLE[0],
        "/erb_conv1/1/Conv": SEPARABLE[1],
        "/erb_conv2/Conv": SEPARABLE[0],
        "/erb_conv2/Conv_1": SEPARABLE[1],
        "/erb_conv3/0/Conv": SEPARABLE[0],
        "/erb_conv3/1/Conv": SEPARABLE[1],
        "/df_conv0/1/Conv": ((64, 1, 3, 3),),
        "/df_conv0/2/Conv": SEPARABLE[1],
        "/df_conv1/Conv": SEPARABLE[0],
        "/df_conv1/Conv_1": SEPARABLE[1],
        "/df_fc_emb/0/Einsum": ((32, 96, 16),),
        "/emb_gru/linear_in/0/Einsum": ((16, 32, 16),),
        "/emb_gru/GRU": RECURRENT,
        "/emb_gru/linear_out/0/Einsum": ((16, 16, 32),),
    },
    "erb_dec.onnx": {
        "/emb_gru/linear_in/Einsum": ((16, 32, 16),),
        "/emb_gru/GRU": RECURRENT,
        "/emb_gru/GRU_1": RECURRENT,
        "/emb_gru/linear_out/Einsum": ((16, 16, 32),),
        "/conv3p/0/Conv": LEVEL,
        "/convt3/Conv": SEPARABLE[0],
        "/convt3/Conv_1": SEPARABLE[1],
        "/conv2p/Conv": LEVEL,
        "/convt2/0/ConvTranspose": SEPARABLE[0],
        "/convt2/1/Conv": SEPARABLE[1],
        "/conv1p/Conv": LEVEL,
        "/convt1/ConvTranspose": SEPARABLE[0],
        "/convt1/Conv": SEPARABLE[1],
        "/conv0p/Conv": LEVEL,
        "/conv0_out/0/Conv": ((1, 64, 1, 3), (1,)),
    },
    "df_dec.onnx": {
        "/df_gru/linear_in/linear_in.0/Einsum": ((8, 64, 32),),
        "/df_gru/gru/GRU": RECURRENT,
        "/df_gru/gru/GRU_1": RECURRENT,
        "/df_skip/Einsum": ((16, 32, 16),),
        "/df_convp/df_convp.1/Conv": ((10, 32, 5, 1),),
        "/df_convp/df_convp.2/Conv": ((10, 10, 1, 1), (10,)),
        "/df_out/df_out.0/Einsum": ((16, 16, 60),),
    },
}
"""The shapes of the tensors that the nodes of the published graphs take."""


def field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protocol-buffer message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def tensor(values: Samples, name: str = "") -> bytes:
    dims = b"".join(field(1, size) for size in values.shape)
    return dims + field(2, 1) + field(9, values.tobytes()) + (field(8, name) if name else b"")


def graph(nodes: Arrays) -> bytes:
    """An ONNX file of nodes and what they take: weights as constants, biases as initialisers."""
    parts = []
    for name, arrays in nodes.items():
        inputs = b"".join(field(1, f"{name}.{index}") for index in range(len(arrays)))
        for index, values in enumerate(arrays):
            label = f"{name}.{index}"
            if values.ndim == 1:
                parts.append(field(5, tensor(values, label)))
            else:
                value = field(1, "value") + field(5, tensor(values)) + field(20, 4)
                constant = field(2, label) + field(4, "Constant") + field(5, value)
                parts.append(field(1, constant))
        parts.append(field(1, field(1, "x") + inputs + field(3, name) + field(4, "Conv")))
    return field(1, 8) + field(2, "test") + field(7, b"".join(parts)) + field(8, field(2, 12))


def folder_of(folder: Path, weights: dict[str, Arrays]) -> Path:
    for name, nodes in weights.items():
        (folder / name).write_bytes(graph(nodes))
    return folder


def random_weights() -> dict[str, Arrays]:
    """Weights that keep the sound going through all layers, neither dying out nor blowing up."""
    random = np.random.default_rng(1)
    return {
        name: {
            node: [
                (random.standard_normal(shape) / max(1, np.prod(shape[1:])) ** 0.5).astype("f4")
                for shape in shapes
            ]
            for node, shapes in nodes.items()
        }
        for name, nodes in SHAPES.items()
    }


def fixed_weights(tap: int) -> dict[str, Arrays]:
    """Weights that leave the spectrum as it is, below 4.8 kHz by one of the five taps."""
    weights = {
        name: {node: [np.zeros(s, np.float32) for s in shapes] for node, shapes in nodes.items()}
        for name, nodes in SHAPES.items()
    }
    weights["erb_dec.onnx"]["/conv0_out/0/Conv"][1][:] = 40.0
    weights["df_dec.onnx"]["/df_convp/df_convp.2/Conv"][1][2 * tap] = 1.0
    return weights


def network_of(weights: dict[str, Arrays]) -> dfn3_network.Network:
    return dfn3_network.Network(
        *({node: tuple(found) for node, found in nodes.items()} for nodes in weights.values())
    )


def noise(length: int, seed: int = 0) -> Samples:
    return (np.random.default_rng(seed).standard_normal(length) * 0.05).astype(np.float32)


def streamed(engine: dfn3_stream.DeepFilterNet3, blocks: Iterable[Samples]) -> Samples:
    stream = engine.stream()
    return np.concatenate([*[stream.push(block) for block in blocks], stream.finish()])


def peak_dbfs(sound: NDArray[np.floating]) -> float:
    return float(20 * np.log10(np.max(np.abs(sound)) + 1e-30))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> dfn3_stream.DeepFilterNet3:
    return dfn3_stream.load(folder_of(tmp_path_factory.mktemp("random"), random_weights()), "")


@pytest.fixture(scope="module")
def real(shared: Path) -> dfn3_stream.DeepFilterNet3:
    return dfn3_stream.load(shared / "weights" / "deepfilternet3", "")


@pytest.fixture(scope="module")
def yardstick(shared: Path) -> dfn3.DeepFilterNet3:
    return dfn3.load(shared / "weights" / "deepfilternet3", "", threads=1)


@pytest.fixture(scope="module")
def whole(engine: dfn3_stream.DeepFilterNet3) -> Samples:
    return engine.denoise(noise(200_000))


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 200_000), max_size=12))
def test_the_blocks_change_no_sample(
    engine: dfn3_stream.DeepFilterNet3, whole: Samples, cuts: list[int]
) -> None:
    assert np.array_equal(streamed(engine, np.split(noise(200_000), sorted(cuts))), whole)


def test_a_sample_at_a_time_is_the_same(engine: dfn3_stream.DeepFilterNet3) -> None:
    sound = noise(2_000)
    assert np.array_equal(streamed(engine, np.split(sound, 2_000)), engine.denoise(sound))


@pytest.mark.parametrize("batch", [7, 64, 1_000])
def test_the_state_goes_on_from_batch_to_batch(
    engine: dfn3_stream.DeepFilterNet3,
    whole: Samples,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    monkeypatch.setattr(dfn3_stream, "BATCH", batch)
    assert peak_dbfs(engine.denoise(noise(200_000)) - whole) < -120


def test_the_far_past_is_heard(engine: dfn3_stream.DeepFilterNet3, whole: Samples) -> None:
    # 30 frames lie between the change and the next batch: only recurrent state reaches so far.
    other = noise(200_000)
    other[: (dfn3_stream.BATCH - 30) * 480] *= 3
    late = slice((dfn3_stream.BATCH + 5) * 480, None)
    assert peak_dbfs((engine.denoise(other) - whole)[late]) > -100


@pytest.mark.parametrize("length", [0, 1, 479, 480, 481, 959, 960, 961, 96_000, 96_480, 97_000])
def test_the_length_is_kept_and_nothing_lags(tmp_path: Path, length: int) -> None:
    engine = dfn3_stream.load(folder_of(tmp_path, fixed_weights(tap=2)), "")
    sound = noise(length)
    out = engine.denoise(sound)
    assert out.shape == (length,)
    assert out.dtype == np.float32
    assert length == 0 or np.max(np.abs(out - sound)) < 1e-6


@pytest.mark.parametrize("tap", range(5))
def test_each_tap_reaches_its_own_frame(tmp_path: Path, tap: int) -> None:
    engine = dfn3_stream.load(folder_of(tmp_path, fixed_weights(tap)), "")
    # 1 kHz has 10 whole periods a hop, so that a frame early or late is the same tone: its
    # envelope alone moves. 10 kHz lies above the filter and stays.
    time = np.arange(96_000) / 48_000
    low, high = (0.1 * np.sin(2 * np.pi * hz * time) for hz in (1_000, 10_000))
    burst = (np.arange(96_000) // 480 == 100).astype(float)
    out = engine.denoise(((low + high) * burst).astype(np.float32)).astype(float)
    spectrum = np.fft.rfft(out)
    hz = np.fft.rfftfreq(96_000, 1 / 48_000)
    for part, late in ((hz < 4_000, (2 - tap) * 480), (hz > 6_000, 0)):
        power = np.fft.irfft(np.where(part, spectrum, 0)) ** 2
        centre = float(np.sum(power * np.arange(96_000)) / np.sum(power))
        assert centre == pytest.approx(100 * 480 + 240 + late, abs=40)


def test_what_waits_inside_does_not_grow(engine: dfn3_stream.DeepFilterNet3) -> None:
    stream = engine.stream()
    pushed = given_back = 0
    block = noise(24_000)
    for _ in range(16):
        pushed += len(block)
        given_back += len(stream.push(block))
        assert pushed - given_back <= (dfn3_stream.BATCH + 4) * 480
    assert given_back + len(stream.finish()) == pushed


def test_streams_run_side_by_side(engine: dfn3_stream.DeepFilterNet3) -> None:
    sounds = [noise(120_000, seed) for seed in (1, 2)]
    streams = [engine.stream() for _ in sounds]
    outs: list[list[Samples]] = [[], []]
    for start in range(0, 120_000, 50_000):
        for stream, sound, out in zip(streams, sounds, outs, strict=True):
            out.append(stream.push(sound[start : start + 50_000]))
    for stream, sound, out in zip(streams, sounds, outs, strict=True):
        assert np.array_equal(np.concatenate([*out, stream.finish()]), engine.denoise(sound))


def test_silence_stays_silence(engine: dfn3_stream.DeepFilterNet3) -> None:
    assert not np.any(engine.denoise(np.zeros(150_000, np.float32)))


def test_threads_change_no_sample_and_are_left_as_they_were(
    engine: dfn3_stream.DeepFilterNet3, whole: Samples
) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with ThreadPoolExecutor(2) as pool:
            for out in pool.map(engine.denoise, [noise(200_000)] * 2):
                assert np.array_equal(out, whole)
        engine.denoise(noise(1_000))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_convolutions_are_those_of_the_graphs_operators() -> None:
    import torch
    from torch.nn.functional import conv2d, conv_transpose2d, pad

    weights = random_weights()
    depth, mix, bias = (
        weights["enc.onnx"]["/erb_conv1/0/Conv"] + weights["enc.onnx"]["/erb_conv1/1/Conv"]
    )
    kernel, point, offset = (torch.from_numpy(item) for item in (depth, mix, bias))
    sound = torch.randn(6, 32, 64, generator=torch.Generator().manual_seed(1))
    image = sound.permute(2, 0, 1)[None]
    with torch.inference_mode():
        for step in (1, 2):
            near = conv2d(image, kernel, stride=(1, step), padding=(0, 1), groups=64)
            expected = torch.relu(conv2d(near, point, offset))[0].permute(1, 2, 0)
            found = dfn3_network.Separable((depth,), (mix, bias), step)(sound)
            assert torch.allclose(found, expected, atol=1e-5)
        wide = conv_transpose2d(
            image, kernel, stride=(1, 2), padding=(0, 1), output_padding=(0, 1), groups=64
        )
        expected = torch.relu(conv2d(wide, point, offset))[0].permute(1, 2, 0)
        found = dfn3_network.Doubled((depth,), (mix, bias))(sound)
        assert torch.allclose(found, expected, atol=1e-5)

        encoder = network_of(weights).encoder
        bins = torch.randn(10, 96, 2, generator=torch.Generator().manual_seed(2))
        low = encoder(torch.zeros(10, 32), bins, torch.zeros(1, 256))[1]
        kernels = [torch.from_numpy(item) for item in weights["enc.onnx"]["/df_conv0/1/Conv"]]
        point, offset = (torch.from_numpy(i) for i in weights["enc.onnx"]["/df_conv0/2/Conv"])
        near = conv2d(bins.permute(2, 0, 1)[None], kernels[0], padding=(0, 1), groups=2)
        expected = torch.relu(conv2d(near, point, offset))[0].permute(1, 2, 0)
        assert torch.allclose(low, expected, atol=1e-5)

        for item in weights["df_dec.onnx"]["/df_out/df_out.0/Einsum"]:
            item[:] = 0
        state = dfn3_network.fresh(torch.device("cpu"))
        taps = network_of(weights).taps(low, torch.zeros(8, 512), state.path, state.taps)[0]
        path = torch.from_numpy(weights["df_dec.onnx"]["/df_convp/df_convp.1/Conv"][0])
        point, offset = (
            torch.from_numpy(i) for i in weights["df_dec.onnx"]["/df_convp/df_convp.2/Conv"]
        )
        near = conv2d(pad(low.permute(2, 0, 1)[None], (0, 0, 4, 0)), path, groups=2)
        expected = torch.relu(conv2d(near, point, offset))[0].permute(1, 2, 0)
        assert torch.allclose(taps.flatten(2), expected, atol=1e-5)


def test_the_recurrent_units_follow_the_definition_of_onnx() -> None:
    import torch

    weights = random_weights()
    inputs, recurrence, biases = weights["enc.onnx"]["/emb_gru/GRU"]
    sound = np.random.default_rng(3).standard_normal((20, 256)).astype(np.float32)
    # onnx.ai/onnx/operators/onnx__GRU.html, linear_before_reset = 1, gates in the order z, r, h.
    w_z, w_r, w_h = np.split(inputs[0].astype(float), 3)
    r_z, r_r, r_h = np.split(recurrence[0].astype(float), 3)
    wb_z, wb_r, wb_h, rb_z, rb_r, rb_h = np.split(biases[0].astype(float), 6)
    held = np.zeros(256)
    expected = []
    for x in sound.astype(float):
        z = 1 / (1 + np.exp(-(w_z @ x + r_z @ held + wb_z + rb_z)))
        r = 1 / (1 + np.exp(-(w_r @ x + r_r @ held + wb_r + rb_r)))
        h = np.tanh(w_h @ x + r * (r_h @ held + rb_h) + wb_h)
        held = (1 - z) * h + z * held
        expected.append(held)
    with torch.inference_mode():
        found, last = network_of(weights).encoder.unit(torch.from_numpy(sound), torch.zeros(1, 256))
    assert np.allclose(found.numpy(), expected, atol=1e-5)
    assert np.allclose(last.numpy()[0], held, atol=1e-5)


def test_the_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    weights = random_weights()["df_dec.onnx"]
    path = tmp_path / "df_dec.onnx"
    path.write_bytes(graph(weights))
    found = read_weights(path)
    assert found.keys() == weights.keys()
    for node, arrays in weights.items():
        for expected, values in zip(arrays, found[node], strict=True):
            assert np.array_equal(expected, values)


def test_a_folder_without_the_graphs_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"enc\.onnx can't be loaded.*models fetch"):
        dfn3_stream.load(tmp_path, "")
    weights = random_weights()
    folder_of(tmp_path, weights)
    whole = (tmp_path / "df_dec.onnx").read_bytes()
    for damaged in (b"", b"no graph", whole[: len(whole) // 2], b"\xff" * 64):
        (tmp_path / "df_dec.onnx").write_bytes(damaged)
        with pytest.raises(EngineError, match=r"df_dec\.onnx can't be loaded"):
            dfn3_stream.load(tmp_path, "")


def test_another_networks_graphs_are_refused(tmp_path: Path) -> None:
    weights = random_weights()
    folder_of(tmp_path, {**weights, "df_dec.onnx": weights["enc.onnx"]})
    with pytest.raises(EngineError, match="are not those of DeepFilterNet3"):
        dfn3_stream.load(tmp_path, "")
    weights["enc.onnx"]["/erb_conv1/0/Conv"][0] = np.zeros((32, 1, 1, 3), np.float32)
    folder_of(tmp_path, weights)
    with pytest.raises(EngineError, match="are not those of DeepFilterNet3"):
        dfn3_stream.load(tmp_path, "")


def test_a_device_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineError, match="can't use the device 'cuda'"):
        dfn3_stream.load(folder_of(tmp_path, random_weights()), "", "cuda")


@pytest.mark.shared
def test_a_whole_take_is_what_the_graphs_make_of_it(
    harbour: Path, real: dfn3_stream.DeepFilterNet3, yardstick: dfn3.DeepFilterNet3
) -> None:
    sound, _ = soundfile.read(harbour / "sound" / "12A-T01.wav", dtype="float32")
    boom = np.ascontiguousarray(sound[:, 1])
    assert peak_dbfs(real.denoise(boom) - yardstick.denoise(boom)) < -100


@pytest.mark.shared
@pytest.mark.parametrize("length", [1, 480, 959, 960, 961, 96_000, 96_480, 96_959, 96_960])
def test_the_end_of_a_passage_is_what_the_graphs_make_of_it(
    harbour: Path,
    real: dfn3_stream.DeepFilterNet3,
    yardstick: dfn3.DeepFilterNet3,
    length: int,
) -> None:
    start = 300_000
    sound, _ = soundfile.read(
        harbour / "sound" / "12A-T01.wav", start=start, stop=start + length, dtype="float32"
    )
    boom = np.ascontiguousarray(sound[:, 1])
    assert peak_dbfs(real.denoise(boom) - yardstick.denoise(boom)) < -100
