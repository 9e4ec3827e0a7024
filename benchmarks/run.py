"""All measurements that need no clean clone, one after the other; `make bench` calls this."""

from __future__ import annotations

import os
import subprocess
import sys

EVERYWHERE = ("benchmarks.latency", "benchmarks.encoders")
ON_REAL_DATA = ("benchmarks.quality", "benchmarks.honesty", "benchmarks.calibration")


def main() -> None:
    """Run them; those on real data only where KENNISMATCH_EVALUATION_DATA names a folder."""
    chosen = list(EVERYWHERE)
    if os.environ.get("KENNISMATCH_EVALUATION_DATA"):
        chosen += ON_REAL_DATA
    else:
        print("KENNISMATCH_EVALUATION_DATA names no folder: only what needs no real data is measured.")
    for module in chosen:
        print(f"\n== python -m {module}", flush=True)
        subprocess.run([sys.executable, "-m", module], check=True)


if __name__ == "__main__":
    main()
