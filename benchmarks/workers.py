"""What xdist workers cost and gain: 400 questions that two recipes share, 50 ms each, 32 at once, whole processes.

    python benchmarks/workers.py [QUESTIONS]

Each row has a number of workers: seconds of ours and of as many trivial items with the same number (medians of three),
their difference, and the requests that the server counted, which must be one a question.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_llmeval.testing import serve

ROUNDS = 3
CONCURRENCY = 32
DELAY = 0.05
BARE = ["-q", "-p", "no:anyio", "-p", "no:pytest_httpx", "-p", "no:respx", "-p", "no:cacheprovider"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", "CI"}}


def timed(folder: Path, *arguments: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "pytest", *BARE, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    if done.returncode:
        sys.exit(f"the run failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started


def project(folder: Path, questions: int, url: str) -> None:
    (folder / "recipes" / "endpoints").mkdir(parents=True)
    rows = (json.dumps({"id": f"s{n}", "input": f"Say ok, {n}.", "target": "ok"}) for n in range(questions))
    (folder / "recipes" / "rows.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    for name in ("one", "two"):
        recipe = f"recipe: {name}\ndatasets: ./rows.jsonl\nmetrics: [exact_match]\nendpoints: server\n"
        (folder / "recipes" / f"{name}.yaml").write_text(recipe, "utf-8")
    text = f"endpoint: S\nconnector: openai\nmodel: m\nbase_url: {url}\nmax_concurrency: {CONCURRENCY}\n"
    (folder / "recipes" / "endpoints" / "server.yaml").write_text(text, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    test = f"import pytest\n@pytest.mark.parametrize('n', range({2 * questions}))\ndef test_it(n): pass\n"
    (folder / "test_trivial.py").write_text(test, "utf-8")


def main() -> None:
    questions = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print(f"{questions:,} questions in {2 * questions:,} items, {DELAY * 1000:.0f} ms, {CONCURRENCY} at once")
    for workers in (0, 1, 2, 4):
        ours, trivial = [], []
        for _ in range(ROUNDS):
            with serve(answer="ok", delay=DELAY) as server, tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                project(folder, questions, server.url)
                ours.append(timed(folder, "recipes", "-n", str(workers)))
                asked = server.count
                trivial.append(timed(folder, "test_trivial.py", "-n", str(workers)))
                shutil.rmtree(folder / ".llmeval")
            if asked != questions:
                sys.exit(f"-n {workers}: {asked:,} requests for {questions:,} questions")
        found, base = statistics.median(ours), statistics.median(trivial)
        print(f"-n {workers}  {found:6.2f} s  trivial {base:6.2f} s  over it {found - base:6.2f} s  {asked:,} requests")


if __name__ == "__main__":
    main()
