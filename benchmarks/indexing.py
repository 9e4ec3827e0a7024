"""Import and index the 667 reference teams on an empty data folder, then again: time and throughput.

python -m benchmarks.indexing --data FOLDER     # FOLDER is made, and kept: run again to see the second time
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.reference import evaluation_data


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", default=None)
    options = parser.parse_args()
    program = [str(Path(sys.executable).with_name("kennismatch")), "--data", str(options.data)]
    if options.encoder:
        program += ["--encoder", options.encoder]
    collection = evaluation_data() / "ref-teams-dev"
    for label, rebuild in (
        ("first time", []),
        ("second time", []),
        ("all anew, vectors from the cache", ["--rebuild"]),
    ):
        started = time.perf_counter()
        subprocess.run([*program, "import", str(collection)], check=True)
        imported = time.perf_counter()
        subprocess.run([*program, "index", *rebuild], check=True)
        ended = time.perf_counter()
        print(
            f"{label}: import {imported - started:.1f} s, index {ended - imported:.1f} s, together {ended - started:.1f} s"
        )


if __name__ == "__main__":
    main()
