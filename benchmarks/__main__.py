"""`python -m benchmarks [scan_rate] [load] [memory] [scrape]`: measure and print; all of them without a name."""

import sys

from benchmarks import load, memory, scan_rate, scrape

_ALL = {"load": load.measure, "memory": memory.measure, "scan_rate": scan_rate.measure, "scrape": scrape.measure}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    for name in sys.argv[1:] or _ALL:
        for outcome in _ALL[name]():
            sys.stdout.write(outcome.line() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
