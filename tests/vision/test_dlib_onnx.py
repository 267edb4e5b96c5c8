"""dlib's networks as ONNX files: dlib's own numbers, and no other file taken for one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from celebcollect.vision.dlib_onnx import cache
from celebcollect.vision.dlib_onnx.cache import converted_resnet
from celebcollect.vision.dlib_onnx.detector import detector_to_onnx
from celebcollect.vision.dlib_onnx.resnet import CHIP_PX, resnet_to_onnx
from celebcollect.vision.dlib_onnx.weights import Network, NotANetwork, read_network

dlib = pytest.importorskip("dlib")

RESNET, DETECTOR = "dlib_face_recognition_resnet_model_v1.dat", "mmod_human_face_detector.dat"


def model_file(name: str) -> Path:
    spec = find_spec("face_recognition_models")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "models" / name


@pytest.fixture(scope="module")
def resnet() -> Network:
    return read_network(model_file(RESNET).read_bytes())


@pytest.fixture(scope="module")
def detector() -> Network:
    return read_network(model_file(DETECTOR).read_bytes())


def session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def chips(count: int) -> np.ndarray:
    """Return (count, 150, 150, 3) uint8: noise of several grains, which every layer reacts to."""
    source = np.random.default_rng(7)
    coarse = source.integers(0, 256, (count, 10, 10, 3)).repeat(15, axis=1).repeat(15, axis=2)
    fine = source.integers(-40, 40, coarse.shape)
    picture: np.ndarray = np.clip(coarse + fine, 0, 255).astype(np.uint8)
    return picture


@pytest.mark.slow
def test_the_resnet_gives_the_embeddings_of_dlib(resnet: Network) -> None:
    """At most 1e-5 lies between them, one face at a time and several at once."""
    images = chips(6)
    network = dlib.face_recognition_model_v1(str(model_file(RESNET)))
    data = resnet_to_onnx(resnet)
    run = session(data)
    batch = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)

    expected = np.array([network.compute_face_descriptor(image) for image in images])
    together = run.run(None, {"input": batch})[0]
    alone = np.concatenate([run.run(None, {"input": one[None]})[0] for one in batch])

    onnx.checker.check_model(onnx.load_model_from_string(data))
    assert batch.shape[2:] == (CHIP_PX, CHIP_PX)
    assert np.abs(expected).max() > 0.05
    assert np.abs(together - expected).max() <= 1e-5
    assert np.abs(alone - expected).max() <= 1e-5


@pytest.mark.slow
def test_the_detector_scores_as_dlib_does(detector: Network, shared_data: Path) -> None:
    """On a photograph whose face is found at full size, dlib's score is the graph's highest."""
    from PIL import Image as Pillow

    file = sorted((shared_data / "faces" / "people").glob("*/*.jpg"))[2]
    with Pillow.open(file) as picture:
        picture.thumbnail((640, 640))
        pixels = np.asarray(picture.convert("RGB"))
    run = session(detector_to_onnx(detector))
    own = dlib.cnn_face_detection_model_v1(str(model_file(DETECTOR)))(pixels, 0)

    scores = run.run(None, {"input": pixels.transpose(2, 0, 1)[None].astype(np.float32)})[0]

    assert scores.shape[:2] == (1, 1)
    assert own[0].rect.width() == 80  # the window: dlib found it without scaling the picture
    assert float(scores.max()) == pytest.approx(own[0].confidence, abs=1e-4)


@pytest.mark.parametrize(
    "data",
    [b"", b"not a network", b"\x01\x05con_4", b"\x01\x05con_4\x01\x02" + b"\x01\xff" * 4],
    ids=["empty", "text", "cut off", "impossible"],
)
def test_other_bytes_are_no_network(data: bytes) -> None:
    """A clear error, whatever the file holds."""
    with pytest.raises(NotANetwork):
        read_network(data)


def test_a_file_that_is_cut_off_is_no_network(resnet: Network) -> None:
    """Half a file, wherever it ends, makes no half a network."""
    data = model_file(RESNET).read_bytes()

    for share in (0.01, 0.3, 0.7, 0.99):
        with pytest.raises(NotANetwork):
            resnet_to_onnx(read_network(data[: int(len(data) * share)]))


def test_each_network_is_only_itself(resnet: Network, detector: Network) -> None:
    """The detector's weights make no ResNet, nor the other way round."""
    with pytest.raises(NotANetwork):
        resnet_to_onnx(detector)
    with pytest.raises(NotANetwork):
        detector_to_onnx(resnet)


def test_the_converted_network_is_kept_and_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time nothing is converted; a damaged file is converted anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = model_file(RESNET)
    first = converted_resnet(source)
    (kept,) = tmp_path.rglob("*.onnx")

    monkeypatch.setattr(cache, "read_network", None)
    assert converted_resnet(source) == first
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept.write_bytes(kept.read_bytes()[:-1] + b"!")

    assert converted_resnet(source) == first


def test_a_cache_that_cannot_be_written_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where its folder must be: the network is converted all the same."""
    (tmp_path / "celebcollect").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert len(converted_resnet(model_file(RESNET))) > 20_000_000
