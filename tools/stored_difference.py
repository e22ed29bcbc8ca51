"""How far faces synthesised with one weight file are from those of another, such as one stored in fewer bits:

    git show 8fcd759:weights/fersnet.safetensors >whole.safetensors      # run 16 in 16 bits
    fersnet split whole.safetensors -o parted.safetensors                # parted-decoder.safetensors beside it
    fersnet convert --bits 6 --keep conv3x --keep classifier.pooling --keep conv4xy parted.safetensors -o six.safetensors
    fersnet convert --bits 5 six.safetensors -o stored.safetensors
    fersnet convert --bits 8 parted-decoder.safetensors -o stored-decoder.safetensors
    python tools/stored_difference.py whole.safetensors stored.safetensors --painter weights/fersnet-painter.safetensors PHOTO...

Each photo is synthesised with four expressions by both files; told are the PSNR of the part that differs from the photo by
more than the watermark does, and how much 99.9 % of its values differ at most. $FERSNET_BIN is the program. Needs numpy and Pillow.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

TARGETS = ("happiness", "surprise", "anger", "fear")

# Levels of 255 that the watermark stays below.
WATERMARK = 12


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"), float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--painter", type=Path, required=True)
    parser.add_argument("photos", type=Path, nargs="+")
    arguments = parser.parse_args()
    decibels, largest = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "face.png"
        for photo in arguments.photos:
            for target in TARGETS:
                drawn = []
                for weights in (arguments.weights, arguments.other):
                    command = [os.environ.get("FERSNET_BIN", "fersnet"), "synthesize", "--weights", weights]
                    command += ["--painter", arguments.painter, "--target", target, "-o", out, photo]
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                    drawn.append(pixels(out))
                changed = (np.abs(drawn[0] - pixels(photo)) > WATERMARK).any(axis=2)
                difference = (drawn[0] - drawn[1])[changed]
                decibels.append(10 * np.log10(255**2 / (difference**2).mean()))
                largest.append(np.percentile(np.abs(difference), 99.9))
    print(f"PSNR at least {min(decibels):.1f} dB, median {np.median(decibels):.1f}; 99.9 % differ by {max(largest):.0f} at most")


if __name__ == "__main__":
    main()
