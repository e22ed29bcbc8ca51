#!/usr/bin/env python3
"""Exports a FERSNet weight file and single ConvFLU pairs to ONNX, for the benches of www/bench.html.

    python tools/export_onnx.py [--weights FILE] [--out FOLDER]

Needs torch==2.9.0, onnx==1.23.2, onnxruntime==1.32.0, safetensors==0.8.0 and numpy==2.4.6. The
networks are those of golden.py beside it: what PyTorch computes there is what each graph has to
compute here, and a graph that differs by more than TOLERANCE is not kept.

- `recognise.onnx`: face [1, k, 96, 96] -> logits [1, E];
- `redraw.onnx`: face, target [E, E or K] (one row for each expression) -> logits, faces [E, k, 96, 96];
  the encoder runs once for all rows;
- `pair-EDITION-cCHANNELS-sSIZE.onnx`: x, y [1, C, S, S] -> the new x and y; its random weights lie
  beside it as `.bin`: f32, W_r, W_z, U, W into x, then the same into y;
- `manifest.json`: every file with its hash and its difference to PyTorch, and the versions.
"""

import argparse
import copy
import hashlib
import json
import math
import os
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors import safe_open
from torch import nn

import golden

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("FERSNET_HOME") or pathlib.Path.home() / ".cache/fersnet")
# The first with GridSample is 16; the last that this exporter writes is 20.
OPSET = 17
# Values of about 1, summed over up to 3000 products in another order.
TOLERANCE = 1e-4
# The shipped width, and four times it.
WIDTHS = (12, 48)
SIZES = (24, 12, 6)


class Recognise(nn.Module):
    """Face -> logits."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, face):
        return self.net.encode(face)[0][0]


class Redraw(nn.Module):
    """Face and targets -> logits and redrawn faces."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, face, target):
        (logits, _), features, _ = self.net.encode(face)
        drawn = golden.draw(self.net.case["head"], face, self.net.decode(face, features, target))
        return logits, drawn["face"]


class Pair(nn.Module):
    """Both directions of a ConvFLU pair of one edition."""

    def __init__(self, edition, channels):
        super().__init__()
        kernel, self.z_takes_candidate = {"2020": (3, True), "2021": (1, False)}[edition]
        names = ("w_r", "w_z", "u", "w")
        self.to_x = golden.ConvFlu(channels, kernel, names)
        self.to_y = golden.ConvFlu(channels, kernel, names)
        for name, weight in self.named_parameters():
            # Gates away from 0 and 1: half the inputs of each sum are of the other branch.
            scale = math.sqrt(3 / (2 * channels * kernel * kernel))
            weight.copy_(scale * golden.pattern(name, tuple(weight.shape), channels))

    def forward(self, x, y):
        new_x = self.to_x(x, y, self.z_takes_candidate)[0]
        return new_x, self.to_y(y, x, self.z_takes_candidate)[0]

    def weights(self):
        """All weights in the order of `MeasuredPair` in src/web/measure.rs."""
        parameters = [*self.to_x.parameters(), *self.to_y.parameters()]
        return np.concatenate([p.numpy().ravel() for p in parameters]).astype("<f4")


def tensors(path):
    """A file's configuration, where it has one, and its tensors as floats; bytes times their scales."""
    with safe_open(path, "pt") as file:
        case = json.loads((file.metadata() or {}).get("fersnet", "null"))
        stored = {name: file.get_tensor(name) for name in file.keys()}
    scales = {name: stored.pop(f"{name}.scale") for name in list(stored) if f"{name}.scale" in stored}
    values = {name: tensor.float() for name, tensor in stored.items()}
    for name, scale in scales.items():
        values[name] *= scale.float().view(-1, *[1] * (values[name].dim() - 1))
    return case, values


def load(path):
    """The network of a weight file, with its weights; a decoder of its own file lies beside it."""
    case, weights = tensors(path)
    if case is None:
        sys.exit(f"{path}: no configuration under the key 'fersnet' of its metadata")
    if "decoder_apart" in case:
        weights |= tensors(path.with_name(f"{path.stem}-decoder{path.suffix}"))[1]
    net = golden.build(case).eval()
    missing, unexpected = net.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"{path}: not the weights of its configuration: {missing + unexpected}")
    return net, case


def export(net, inputs, outputs, path):
    """Writes one graph, and tells how far it is from PyTorch; `inputs` are tensors by name."""
    expected = net(*inputs.values())
    expected = expected if isinstance(expected, tuple) else (expected,)
    # A copy: the exporter folds BatchNorm into the very weights that it was given.
    torch.onnx.export(
        copy.deepcopy(net), tuple(inputs.values()), path, dynamo=False, opset_version=OPSET,
        input_names=list(inputs), output_names=outputs, do_constant_folding=True,
    )  # fmt: skip
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(outputs, {name: value.numpy() for name, value in inputs.items()})
    difference = max(float(np.abs(f - e.numpy()).max()) for f, e in zip(found, expected))
    if not difference < TOLERANCE:
        path.unlink()
        sys.exit(f"{path.name} differs from PyTorch by {difference}: not kept")
    print(f"{path.name:32} {path.stat().st_size:9} bytes, {difference:.1e} from PyTorch")
    return {"sha256": sha256(path), "bytes": path.stat().st_size, "difference": difference}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def expressions(case):
    """The target of each class: its preset over the controls, or one-hot where there are none."""
    if not case.get("controls"):
        return torch.eye(len(case["classes"]))
    presets = [case["presets"][name] for name in case["classes"]]
    return torch.tensor([[preset.get(name, 0.0) for name in case["controls"]] for preset in presets])


def export_network(weights, folder):
    net, case = load(weights)
    generator = torch.Generator().manual_seed(1)
    face = golden.picture(1, case["channels"], generator).float() / 255
    files = {"recognise.onnx": export(Recognise(net), {"face": face}, ["logits"], folder / "recognise.onnx")}
    if case["variant"] != "single":
        inputs = {"face": face, "target": expressions(case)}
        files["redraw.onnx"] = export(Redraw(net), inputs, ["logits", "faces"], folder / "redraw.onnx")
    return {"sha256": sha256(weights), "config": case, "files": files}


def export_pairs(folder):
    pairs = []
    for edition, side, factors in (("2020", 3, (2, 2, 2)), ("2021", 1, (2, 4, 8))):
        for width in WIDTHS:
            for factor, size in zip(factors, SIZES):
                channels = factor * width
                name = f"pair-{edition}-c{channels}-s{size}"
                pair = Pair(edition, channels).eval()
                x = 1.7 * golden.pattern("x", (1, channels, size, size), 0)
                y = golden.pattern("y", (1, channels, size, size), 0)
                about = export(pair, {"x": x, "y": y}, ["new_x", "new_y"], folder / f"{name}.onnx")
                pair.weights().tofile(folder / f"{name}.bin")
                pairs.append(
                    {"name": name, "edition": edition, "side": side, "width": width}
                    | {"channels": channels, "size": size, **about}
                )
    return pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=pathlib.Path, default=ROOT / "weights/fersnet.safetensors")
    parser.add_argument("--out", type=pathlib.Path, default=CACHE / "bench/onnx")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    # That this exporter is the older one, and that the graphs are for batches of one size: both meant.
    warnings.simplefilter("ignore")
    folder = arguments.out
    folder.mkdir(parents=True, exist_ok=True)
    for old in (old for kind in ("*.onnx", "*.bin", "manifest.json") for old in folder.glob(kind)):
        old.unlink()
    manifest = {
        "versions": {"torch": torch.__version__, "onnx": onnx.__version__, "opset": OPSET},
        "network": export_network(arguments.weights, folder),
        "pairs": export_pairs(folder),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
