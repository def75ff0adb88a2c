#!/usr/bin/env python3
"""Makes small PNG files of every kind, and what PIL reads from them, for Tests/ImagingTests.

Kinds of samples (grey, colours, palette, with and without alpha; 1 to 16 bits), transparent colours
(tRNS), interlacing, and the chunks that PIL leaves alone: gAMA, cHRM, sRGB and iCCP. Needs Pillow and
NumPy. Deterministic; run it from the root of the repository:

    python3 tools/golden/make-png-goldens.py
"""
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

FOLDER = pathlib.Path("Tests/ImagingTests/Goldens/png")
HEIGHT, WIDTH = 9, 11
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# Start and step of columns and rows in the seven passes of interlacing.
PASSES = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(samples, bits):
    """Rows of samples as bytes, each behind the filter 0."""
    rows = b""
    for row in samples.reshape(samples.shape[0], -1):
        if bits == 16:
            rows += b"\0" + row.astype(">u2").tobytes()
        else:
            digits = ((row[:, None] >> np.arange(bits)[::-1]) & 1).astype(np.uint8)
            rows += b"\0" + np.packbits(digits.ravel()).tobytes()
    return rows


def png(samples, bits, kind, chunks=b"", interlaced=False):
    if interlaced:
        parts = [samples[r::rs, c::cs] for c, cs, r, rs in PASSES]
        data = b"".join(packed(part, bits) for part in parts if part.size)
    else:
        data = packed(samples, bits)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunks + chunk(b"IDAT", zlib.compress(data))
            + chunk(b"IEND", b""))


def gamma(value):
    return chunk(b"gAMA", struct.pack(">I", round(value * 100000)))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)

    def samples(bits, kind):
        return random.integers(0, 1 << bits, (HEIGHT, WIDTH, CHANNELS[kind])).astype(np.uint32)

    def colours(bits):
        return chunk(b"PLTE", random.integers(0, 256, 3 << bits).astype(np.uint8).tobytes())

    profile = chunk(
        b"iCCP", b"odd\0\0" + zlib.compress(
            ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()))
    chromaticities = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 70000, 20000, 10000, 80000, 5000, 1000))
    files = {}
    for bits in (1, 2, 4, 8):
        files[f"grey{bits}"] = png(samples(bits, GREY), bits, GREY, interlaced=bits == 2)
        files[f"palette{bits}"] = png(
            samples(bits, PALETTE), bits, PALETTE, colours(bits), interlaced=bits == 4)
    files["palette-transparent"] = png(
        samples(4, PALETTE), 4, PALETTE, gamma(0.7) + colours(4) + chunk(b"tRNS", bytes(range(0, 240, 20))))
    for bits in (8, 16):
        for name, kind in (("rgb", RGB), ("rgba", RGBA), ("grey-alpha", GREY_ALPHA)):
            files[f"{name}{bits}"] = png(samples(bits, kind), bits, kind)
            files[f"{name}{bits}-interlaced-gamma"] = png(
                samples(bits, kind), bits, kind, gamma(1.0), interlaced=True)
    grey, colour = samples(8, GREY), samples(8, RGB)
    files["grey8-transparent"] = png(
        grey, 8, GREY, gamma(0.3) + chunk(b"tRNS", struct.pack(">H", int(grey[0, 0, 0]))))
    files["rgb8-transparent"] = png(
        colour, 8, RGB, chunk(b"tRNS", struct.pack(">3H", *map(int, colour[3, 3]))))
    files["grey8-gamma-linear"] = png(samples(8, GREY), 8, GREY, gamma(1.0))
    files["grey8-gamma-usual"] = png(samples(8, GREY), 8, GREY, gamma(0.45455))
    files["rgb8-gamma-steep"] = png(samples(8, RGB), 8, RGB, chromaticities + gamma(0.25))
    files["rgb8-srgb"] = png(samples(8, RGB), 8, RGB, chunk(b"sRGB", b"\0") + gamma(0.45455))
    files["rgb8-profile"] = png(samples(8, RGB), 8, RGB, profile)
    files["rgb8-damaged-text"] = png(samples(8, RGB), 8, RGB, chunk(b"zTXt", b"a\0\0nothing"))

    pixels = []
    for name in sorted(files, key=lambda name: f"{name}.png"):
        path = FOLDER / f"{name}.png"
        path.write_bytes(files[name])
        pixels.append(np.asarray(Image.open(path).convert("RGB")))
    # In the order of the files' names.
    np.save(FOLDER / "pixels.npy", np.stack(pixels))


if __name__ == "__main__":
    main()
