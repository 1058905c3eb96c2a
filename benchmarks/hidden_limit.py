"""How a service's own limit is met: seconds and refusals, whole processes, against a loopback server.

    python benchmarks/hidden_limit.py [ROUNDS]

The server allows 50 requests a second with 10 at once and refuses the rest with a 429 that takes no slot. It tells
nothing, ``Retry-After: 1``, or what is left in headers; ``known`` is the same limit written into the endpoint file.
``ideal`` is the time that the limit alone takes; the table's seconds are those of pytest as a whole, with its start.
The last rows ask a server without limits: 256 at once of 500 ms, and 1,000 without latency.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_llmeval.testing import Behaviour, limited, serve

RATE, BURST, CONCURRENCY = 50, 10, 32
BARE = ["-q", "-p", "no:anyio", "-p", "no:pytest_httpx", "-p", "no:respx", "-p", "no:cacheprovider"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", "CI"}}


@contextmanager
def project(samples: int, url: str, **endpoint: object) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "recipes" / "endpoints").mkdir(parents=True)
        rows = (json.dumps({"id": f"s{n}", "input": f"Say ok, {n}.", "target": "ok"}) for n in range(samples))
        (folder / "recipes" / "rows.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
        recipe = "recipe: Many\ndatasets: ./rows.jsonl\nmetrics: [exact_match]\nendpoints: server\n"
        (folder / "recipes" / "many.yaml").write_text(recipe, "utf-8")
        keys = {"endpoint": "S", "connector": "openai", "model": "m", "base_url": url, **endpoint}
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in keys.items())
        (folder / "recipes" / "endpoints" / "server.yaml").write_text(text, "utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
        yield folder


def timed(folder: Path, samples: int, *arguments: str) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *BARE, *arguments, "recipes"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    took = time.perf_counter() - started
    if done.returncode or f"{samples} passed" not in done.stdout:
        sys.exit(f"the run failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return took


def met(name: str, samples: int, behaviour: dict[str, object] | None, *arguments: str, **endpoint: object) -> None:
    """One row: a new state, a new server."""
    behaviours: list[Behaviour] = [] if behaviour is None else [limited(RATE, burst=BURST, **behaviour)]  # type: ignore[arg-type]
    serving = serve(*behaviours, delay=float(endpoint.pop("delay", 0.0)), record=False)  # type: ignore[arg-type]
    with serving as server, project(samples, server.url, **endpoint) as folder:
        seconds = timed(folder, samples, *arguments)
        print(f"{name:<44} {seconds:6.2f} s   {server.count - samples:4} refused", flush=True)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    at_once = {"max_concurrency": CONCURRENCY}
    ideal = (500 - BURST) / RATE
    print(f"{RATE} a second, {BURST} at once; {CONCURRENCY} asked at once; 500 samples: {ideal:.1f} s ideal")
    for _ in range(rounds):
        met("500, tells nothing", 500, {}, **at_once)
        met("500, Retry-After: 1", 500, {"retry_after": 1}, **at_once)
        met("500, Retry-After: 1, -n 2", 500, {"retry_after": 1}, "-n", "2", **at_once)
        met("500, known", 500, {}, **at_once, max_calls_per_second=RATE)
        met(f"300, headers ({(300 - BURST) / RATE:.1f} s ideal)", 300, {"headers": True}, **at_once)
        met("256 of 500 ms at once, no limit", 256, None, max_concurrency=256, delay=0.5)
        met("1,000 of 0 ms, no limit", 1000, None, **at_once)


if __name__ == "__main__":
    main()
