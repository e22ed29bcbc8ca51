"""Rounds the half-precision kernels of a weight file so that it compresses: fewer bytes to download.

    python tools/round_weights.py weights/full.safetensors -o weights/fersnet.safetensors

Only convolution kernels (four dimensions, f16) are rounded, to BITS of their eleven significant
bits, ties to even; names, shapes, types and the configuration stay, so that every reader of the file
reads the new one. An f16 whose last bits are zero is not smaller as it lies on a disk; a server that
compresses (brotli, gzip) sends less. Needs numpy 2.
"""

import argparse
import json
import struct
from pathlib import Path

import numpy as np

# Bits of an f16 fraction that are written down; one more is implied.
FRACTION_BITS = 10


def rounded(halves: np.ndarray, bits: int) -> np.ndarray:
    """The bit patterns of f16 numbers, rounded to `bits` significant ones; a carry moves the exponent."""
    drop = FRACTION_BITS + 1 - bits
    wide = halves.astype(np.uint32)
    even = (wide >> drop) & 1
    return ((wide + (1 << (drop - 1)) - 1 + even) >> drop << drop).astype("<u2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--bits", type=int, default=6, choices=range(2, FRACTION_BITS + 1))
    arguments = parser.parse_args()

    content = bytearray(arguments.file.read_bytes())
    (header_bytes,) = struct.unpack_from("<Q", content)
    data = 8 + header_bytes
    header = json.loads(content[8:data])
    worst = 0.0
    for name, tensor in header.items():
        if name == "__metadata__" or tensor["dtype"] != "F16" or len(tensor["shape"]) != 4:
            continue
        start, end = (data + offset for offset in tensor["data_offsets"])
        before = np.frombuffer(bytes(content[start:end]), dtype="<u2")
        after = rounded(before, arguments.bits)
        numbers, new = (a.view("<f2").astype(np.float32) for a in (before, after))
        if not np.isfinite(new).all():
            raise SystemExit(f"{name}: rounding leaves the range of f16")
        worst = max(worst, float(np.abs(new - numbers).max() / np.abs(numbers).max()))
        content[start:end] = after.tobytes()
    arguments.output.write_bytes(content)
    print(f"largest change: {worst:.2e} of the largest number in its kernel")


if __name__ == "__main__":
    main()
