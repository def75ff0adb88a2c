"""What the experiments health and camera share: train networks for several seeds, evaluate, save."""

import argparse
import json
import pathlib
import subprocess
import time

import fog_data

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent


def parser(description, seeds, epochs):
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("--seeds", type=int, default=seeds, help=f"how many (default {seeds})")
    result.add_argument("--epochs", type=int, default=epochs, help=f"default {epochs}")
    result.add_argument(
        "--martlet", type=pathlib.Path, default=ROOT / ".build/release/martlet",
        help="the executable, built with swift build -c release --product martlet")
    result.add_argument("--work", type=pathlib.Path, required=True,
                        help="folder for data and trained networks, kept for the next run")
    result.add_argument("--results", type=pathlib.Path, default=HERE / "results",
                        help="where NAME.json and NAME.svg go")
    return result


def run(name, options, load, names, standardise, variants, training):
    """Trains each variant for each seed, on that seed's split, and evaluates them together.

    `variants` maps a label to options of `martlet fog train`; `training` are common ones.
    """
    topology = HERE / "topologies" / f"{name}.json"
    work = options.work / name
    work.mkdir(parents=True, exist_ok=True)
    seeds = range(1, options.seeds + 1)
    counts = {}
    missing = [seed for seed in seeds if not (work / f"data-{seed}" / "counts.json").exists()]
    if missing:
        samples, classes, groups = load()
        for seed in missing:
            folder = work / f"data-{seed}"
            counts = fog_data.write(folder, samples, classes, groups, names, seed, standardise)
            (folder / "counts.json").write_text(json.dumps(counts))
    counts = json.loads((work / "data-1" / "counts.json").read_text())
    series, seconds = [], []
    for label, extra in variants.items():
        files = []
        for seed in seeds:
            file = work / f"{label}-{seed}.fog"
            if not file.exists():
                print(f"{name}: {label}, seed {seed}", flush=True)
                report = json.loads(subprocess.run(
                    [options.martlet, "fog", "train", topology, "--data", work / f"data-{seed}",
                     "-o", file, "--seed", str(seed), "--epochs", str(options.epochs), "--json",
                     *training, *extra],
                    check=True, stdout=subprocess.PIPE, text=True).stdout)
                seconds.append(report.get("seconds_per_epoch"))
            files.append(file)
        series.append(f"{label}={','.join(map(str, files))}")
    options.results.mkdir(parents=True, exist_ok=True)
    command = [options.martlet, "fog", "evaluate", *series, "--data", work / "data-{seed}"]
    started = time.monotonic()
    found = json.loads(subprocess.run(
        [*command, "--json", "--svg", options.results / f"{name}.svg", "--force"],
        check=True, stdout=subprocess.PIPE, text=True).stdout)
    elapsed = time.monotonic() - started
    save(name, options, found, counts, training, variants)
    for one in found["series"]:
        cells = [f"{s['setting']} {100 * s['mean']:.2f} +- {100 * s['deviation']:.2f}"
                 for s in one["summary"]]
        print(f"{one['label']}: " + ", ".join(cells))
    print(f"evaluated in {elapsed:.1f} s; saved in {options.results}")


def save(name, options, found, counts, training, variants):
    """The figures without the table of combinations, which is large and follows from the same seed."""
    for one in found["series"]:
        for model in one["models"]:
            model["file"] = pathlib.Path(model["file"]).name
            combinations = model.pop("combinations")
            model["combinations"] = len(combinations)
    document = {
        "experiment": name, "samples": counts, "epochs": options.epochs,
        "training": training, "variants": variants, "series": found["series"],
    }
    (options.results / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
