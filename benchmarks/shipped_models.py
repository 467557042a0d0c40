"""Claim: networks that packages ship for their own use are measured as they are, within minutes and a memory budget.

Voice, text, pictures and sound, each an .onnx file inside a package on the index, on rows of its kind made here
(rendered text, tones with overtones, bytes of text). Time is of processors, memory the growth of the resident set.
`shipped_models.py NAME …` runs some of them and leaves the others recorded; packages that are absent are left as well.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from PIL import Image, ImageDraw

from _environment import RESULTS, keep
from isthmus import measure
from isthmus.errors import IsthmusError
from isthmus.formats import load

MEMORY = 1 << 31
TEXT = "How many numbers does a map really pass through? Give it data or a trained network, and it answers. "


@dataclass(frozen=True)
class Shipped:
    """A model in a package: what it does, its rows, and between which tensors it is measured."""

    package: str
    path: str
    does: str
    rows: Callable[[], np.ndarray]
    points: int = 8
    leading: int | None = None
    input: str | None = None
    output: str | None = None
    held: dict[str, np.ndarray] = field(default_factory=dict)


def pictures(height: int, width: int, channels: int = 3, count: int = 24) -> np.ndarray:
    """Rendered words, one a picture, dark on light, in [-1, 1]."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        image = Image.new("RGB", (width, height), (255, 255, 255))
        text = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz0123456789"), 8))
        ImageDraw.Draw(image).text((3, height // 5), text, fill=(0, 0, 0), font_size=height // 2)
        made.append(np.asarray(image, dtype=np.float32)[:, :, :channels] / 127.5 - 1.0)
    return np.ascontiguousarray(np.stack(made).transpose(0, 3, 1, 2))


def tones(length: int, count: int = 24) -> np.ndarray:
    """Voice-like sound at 16 kHz: a gliding pitch with overtones, and some noise."""
    rng, t = np.random.default_rng(0), np.arange(length) / 16000.0
    made = []
    for _ in range(count):
        pitch = rng.uniform(90, 250) * (1 + 0.2 * np.sin(2 * np.pi * rng.uniform(1, 4) * t))
        phase = 2 * np.pi * np.cumsum(pitch) / 16000.0
        made.append(sum(np.sin(k * phase) / k for k in range(1, 6)) * 0.1 + 0.01 * rng.standard_normal(length))
    return np.stack(made).astype(np.float32)


def spectrogram(frames: int, bands: int, count: int = 24) -> np.ndarray:
    sound = tones(frames * 160 + 400, count)
    windows = np.stack([sound[:, 160 * i : 160 * i + 400] for i in range(frames)], 1) * np.hanning(400)
    power = np.abs(np.fft.rfft(windows))[:, :, :bands]
    return np.log10(np.maximum(power**2, 1e-6)).astype(np.float32)


def placed(package: str, path: str) -> Path:
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / path


def tokens() -> np.ndarray:
    """Bytes of text, `(24, 2048)`."""
    kept = [(TEXT[i:] + TEXT[:i]) * 30 for i in range(24)]
    return np.stack([np.frombuffer(each.encode()[:2048], np.uint8) for each in kept]).astype(np.int32)


def embedded_bytes(package: str, path: str, tensor: str) -> np.ndarray:
    """Bytes of text behind the embedding of a model, by the runtime."""
    model = onnx.load(placed(package, path))
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(tensor))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run([tensor], {session.get_inputs()[0].name: tokens()})[0]


EMBEDDED = "jax2tf_get_logits_/pjit_get_logits_/MagikaV2/Dense_0/AddV2:0"
OCR, VOICE, SPEECH = "rapidocr_onnxruntime", "silero_vad", "speechmos"
MODELS = {
    "direction of text": Shipped(
        OCR, "models/ch_ppocr_mobile_v2.0_cls_infer.onnx", "picture", lambda: pictures(48, 192)
    ),
    "detection of text": Shipped(
        OCR, "models/ch_PP-OCRv4_det_infer.onnx", "picture", lambda: pictures(64, 64), points=4, leading=8
    ),
    "recognition of text": Shipped(
        OCR, "models/ch_PP-OCRv4_rec_infer.onnx", "picture, text", lambda: pictures(48, 64), points=4, leading=8
    ),
    "voice activity": Shipped(
        VOICE,
        "data/silero_vad_openvino_16k.onnx",
        "voice",
        lambda: tones(576),
        input="input",
        output="F0::If_0_then_branch__Inline_0__/decoder/decoder/1/Relu_output_0",
        held={"state": np.zeros((2, 1, 128), np.float32)},
    ),
    "quality of speech": Shipped(
        SPEECH, "dnsmos_models/sig_bak_ovr.onnx", "voice", lambda: tones(144160, 12), points=2
    ),
    "quality of speech, from a spectrogram": Shipped(
        SPEECH, "dnsmos_models/model_v8.onnx", "sound", lambda: spectrogram(900, 120, 12), points=4
    ),
    "notes in music": Shipped(
        "basic_pitch",
        "saved_models/icassp_2022/nmp.onnx",
        "sound",
        lambda: tones(43844, 8)[:, :, None],
        points=2,
        leading=6,
        output="StatefulPartitionedCall:1",
    ),
    "detection of bodies": Shipped("nudenet", "320n.onnx", "picture", lambda: pictures(64, 64), points=4, leading=8),
    "kind of a file": Shipped(
        "magika",
        "models/standard_v3_3/model.onnx",
        "text",
        lambda: embedded_bytes("magika", "models/standard_v3_3/model.onnx", EMBEDDED),
        points=4,
        leading=8,
        input=EMBEDDED,  # behind the bytes, which the refusal of its input names; they only say which are padding
        held={"bytes": tokens()[:1]},
    ),
}


def resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name)))


def told(shipped: Shipped) -> dict[str, Any]:
    path = placed(shipped.package, shipped.path)
    x = shipped.rows()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, begin = resident("VmRSS"), time.process_time()
    try:
        model = load(path, input=shipped.input, output=shipped.output, held=shipped.held)
        profile = measure(model, x, points=shipped.points, leading=shipped.leading, memory=MEMORY)
    except IsthmusError as refused:
        return {"kind": shipped.does, "refused": str(refused)}
    return {
        "kind": shipped.does,
        "file": f"{shipped.package}/{shipped.path}",
        "megabytes of the file": round(path.stat().st_size / 1e6, 1),
        "rows": list(x.shape),
        "between": [shipped.input or "its input", shipped.output or "its output"],
        "method": profile.method,
        "jacobian_rank": [profile.jacobian_rank.lower, profile.jacobian_rank.upper],
        "bottleneck_rank": [profile.bottleneck_rank.lower, profile.bottleneck_rank.upper],
        "layers": len(profile.layers),
        "compared": profile.notes[0],
        "processor seconds": round(time.process_time() - begin, 1),
        "megabytes": round((resident("VmHWM") - before) / 1e3),
    }


def main(names: list[str]) -> None:
    recorded = RESULTS / "shipped_models.json"
    figures: dict[str, Any] = json.loads(recorded.read_text())["figures"] if recorded.is_file() else {}
    for name, shipped in MODELS.items():
        if (names and name not in names) or find_spec(shipped.package) is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figures[name] = told(shipped)
        print(name, figures[name], flush=True)
        keep("shipped_models", str(__doc__).partition("\n")[0].removeprefix("Claim: "), figures)


if __name__ == "__main__":
    main(sys.argv[1:])
