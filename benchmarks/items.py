"""What a sample costs as an item: trivial pytest items against ours, cold and warm, whole processes, as ratios.

    python benchmarks/items.py [SAMPLES]

The server is a process of its own on loopback (its CPU is not counted as ours, but shares the machine). anyio's pytest
plugin, which comes with httpx and costs every run of such an environment 0.14 s, is left out of all rows. Byte code is
written, as on users' machines, by a first run that does not count.

The last row is what a suite without recipes pays for this plugin: an empty suite with it against one without
(`-p no:llmeval`), in milliseconds.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
CONCURRENCY = 32
#: pytest's exit code of a suite without tests
NO_TESTS = 5
BARE = ["-q", "-p", "no:anyio", "-p", "no:pytest_httpx", "-p", "no:respx", "-p", "no:cacheprovider"]


EMPTY_ROUNDS = 11
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", "CI"}}


def timed(folder: Path, *arguments: str) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *BARE, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    if done.returncode not in {0, NO_TESTS}:
        sys.exit(f"the run failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started


def project(folder: Path, samples: int) -> None:
    (folder / "recipes" / "endpoints").mkdir(parents=True)
    rows = (json.dumps({"id": f"s{n}", "input": f"Say ok, {n}.", "target": "ok"}) for n in range(samples))
    (folder / "recipes" / "rows.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    recipe = "recipe: Many\ndatasets: ./rows.jsonl\nmetrics: [exact_match]\nthresholds: [exact_match >= 0.5]\n"
    (folder / "recipes" / "many.yaml").write_text(recipe, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nllmeval_endpoints = server\n", "utf-8")
    test = f"import pytest\n@pytest.mark.parametrize('n', range({samples}))\ndef test_it(n): pass\n"
    (folder / "test_trivial.py").write_text(test, "utf-8")


def row(name: str, seconds: list[float], against: float) -> None:
    found = statistics.median(seconds)
    print(f"{name:<34} {found:7.2f} s   {found / against:5.2f} x")


def main() -> None:
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project(folder, samples)
        timed(folder, "test_trivial.py")
        trivial = [timed(folder, "test_trivial.py") for _ in range(ROUNDS)]
        base = statistics.median(trivial)
        print(f"{samples:,} samples, {CONCURRENCY} at once; medians of {ROUNDS}; x: against the row's own measure")
        row("trivial items", trivial, base)
        for delay in (0.0, 0.05):
            server = subprocess.Popen(
                [sys.executable, "-m", "pytest_llmeval.testing", "--delay", str(delay)],
                stdout=subprocess.PIPE,
                text=True,
            )
            try:
                assert server.stdout is not None
                url = server.stdout.readline().split()[-1]
                text = f"endpoint: S\nconnector: openai\nmodel: m\nbase_url: {url}\nmax_concurrency: {CONCURRENCY}\n"
                (folder / "recipes" / "endpoints" / "server.yaml").write_text(text, "utf-8")
                timed(folder, "recipes")
                cold, warm = [], []
                for _ in range(ROUNDS):
                    shutil.rmtree(folder / ".llmeval", ignore_errors=True)
                    cold.append(timed(folder, "recipes"))
                    warm.append(timed(folder, "recipes"))
            finally:
                server.terminate()
                server.wait()
            ideal = delay * samples / CONCURRENCY + base
            row(f"cold, {delay * 1000:.0f} ms (latency + trivial)", cold, ideal)
            row("warm (trivial)", warm, base)
        (folder / "empty").mkdir()
        with_plugin, without = [], []
        for _ in range(EMPTY_ROUNDS):
            with_plugin.append(timed(folder, "empty"))
            without.append(timed(folder, "empty", "-p", "no:llmeval"))
    cost = statistics.median(one - other for one, other in zip(with_plugin, without, strict=True))
    whole = statistics.median(without)
    print(f"{'an empty suite pays':<34} {cost * 1000:7.1f} ms, beside {whole * 1000:.0f} ms without the plugin")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of the largest process: {peak:.0f} MB")


if __name__ == "__main__":
    main()
