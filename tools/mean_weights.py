#!/usr/bin/env python3
"""The weighted mean of two weight files of one network, as the painter of run 11's weights was made.

    git show 325ec26:weights/fersnet-painter.safetensors > painter-4.safetensors
    python tools/mean_weights.py weights/fersnet/painter-6/painter.safetensors painter-4.safetensors \\
        --part 0.65 -o painter.safetensors

`--part` is the second file's. Names, types and metadata are those of the first. Needs numpy.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np

TYPES = {"F16": "<f2", "F32": "<f4"}


def read(path: Path) -> tuple[bytes, dict, bytes]:
    """Length and header as they lie in the file, the header, the tensors' bytes."""
    content = path.read_bytes()
    start = 8 + struct.unpack_from("<Q", content)[0]
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    return content[:start], header, content[start:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--part", type=float, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    (head, header, first), (_, other, second) = read(arguments.first), read(arguments.second)
    mean = bytearray(first)
    for name, tensor in header.items():
        if name not in other or any(tensor[key] != other[name][key] for key in ("dtype", "shape")):
            raise SystemExit(f"{name}: the files are not of one network")
        kind = TYPES[tensor["dtype"]]

        def values(data: bytes, place: list[int]) -> np.ndarray:
            return np.frombuffer(data[slice(*place)], kind).astype("<f4")

        place = tensor["data_offsets"]
        a, b = values(first, place), values(second, other[name]["data_offsets"])
        mean[slice(*place)] = ((1 - arguments.part) * a + arguments.part * b).astype(kind).tobytes()
    arguments.output.write_bytes(head + bytes(mean))


if __name__ == "__main__":
    main()
