"""A process of its own with a state: reads commands as JSON lines, answers each with one."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pytest_llmeval.core.admission import Answered, Granted, Skipped, Wait, Wanted
from pytest_llmeval.core.budget import Budget, Use
from pytest_llmeval.core.endpoint import Breaker, Limits, Rate
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.state.sqlite import SqliteStore

stores: dict[str, SqliteStore] = {}


def wanted(key, *, calls=None, concurrency=1000):
    rate = None if calls is None else Rate(calls)
    return Wanted(key, "small", "bucket", Limits(concurrency, calls=rate), 0, {"messages": key})


def enter(path, run, mode="use", budget=None):
    store = stores[path] = SqliteStore.open(Path(path), run, mode=mode, budget=budget and Budget(**budget))
    store.begin(RunInfo(run, time.time())).result()
    return {"new": store.new, "temporary": store.temporary, "notes": store.notes, "path": str(store.path)}


def leave(path):
    stores.pop(path).close()


def hold(path, keys):
    """Claim these and keep the claims."""
    return [type(decision).__name__ for decision in admitted(path, keys)]


def admitted(path, keys):
    """What is said of each; those that are only paced are asked for again."""
    decisions = {}
    while len(decisions) < len(keys):
        left = [key for key in keys if key not in decisions]
        told = zip(left, stores[path].admit([wanted(key) for key in left]).result(), strict=True)
        decisions |= {key: one for key, one in told if not (isinstance(one, Wait) and one.why == "pace")}
    return [decisions[key] for key in keys]


def decide(path, key):
    """Why it must wait; empty where it need not."""
    (decision,) = stores[path].admit([wanted(key)]).result()
    return decision.why if isinstance(decision, Wait) else ""


def answer(path, key, text):
    (claim,) = admitted(path, [key])
    stores[path].answer(claim, Response(text)).result()


def ask_all(path, keys, seconds, calls=None, concurrency=1000):
    """Have the answers of all keys, asking (which takes so many seconds) what nobody else asks; who asked what when."""
    store = stores[path]
    asked, answers, waits = [], {}, 0
    left = list(keys)
    while left:
        batch = [wanted(key, calls=calls, concurrency=concurrency) for key in left[:16]]
        granted = []
        pause = 0.02
        for one, decision in zip(batch, store.admit(batch).result(), strict=True):
            if isinstance(decision, Granted):
                granted.append(decision)
                asked.append((one.key, decision.sent_ns))
            elif isinstance(decision, Answered):
                answers[one.key] = decision.response.text
            elif isinstance(decision, Wait):
                waits += 1
                pause = min(pause, decision.seconds)
        if granted:
            time.sleep(seconds)
            for future in [store.answer(claim, Response(f"to {claim.wanted.key}")) for claim in granted]:
                future.result()
        else:
            time.sleep(pause)
        left = [key for key in left if key not in answers]
        left = left[16:] + left[:16]
    return {"asked": asked, "answers": answers, "waits": waits}


def spend_all(path, keys, tokens, used):
    """Ask these, each of which may take ``tokens`` and takes ``used``, as far as the budget reaches."""
    store = stores[path]
    asked, skipped = [], []
    left = [Wanted(key, "small", "bucket", Limits(1000), 0, {}, reserve=Use(1, tokens)) for key in keys]
    while left:
        batch, left = left[:8], left[8:]
        for one, decision in zip(batch, store.admit(batch).result(), strict=True):
            if isinstance(decision, Granted):
                asked.append(one.key)
                store.answer(decision, Response("ok", output_tokens=used))
            elif isinstance(decision, Skipped):
                skipped.append(one.key)
            elif isinstance(decision, Wait):
                left.append(one)
    return {"asked": asked, "skipped": skipped}


def probe(path, key):
    """Claim this at an endpoint whose breaker is open, and say whether as its probe."""
    wanted = Wanted(key, "small", "bucket", Limits(1000), 0, {}, breaker=Breaker(1, 0.001))
    (decision,) = stores[path].admit([wanted]).result()
    return isinstance(decision, Granted) and decision.probe


def take_many(path, count, calls):
    """Ask for ``count`` different things at a rate; the times at which they might go."""
    store = stores[path]
    times = []
    number = 0
    while len(times) < count:
        (decision,) = store.admit([wanted(f"{path}-{id(store)}-{time.time_ns()}-{number}", calls=calls)]).result()
        number += 1
        if isinstance(decision, Granted):
            times.append(decision.sent_ns)
        else:
            time.sleep(min(decision.seconds, 0.05))
    return times


def once(path, name, value=None):
    return stores[path].once(name, value).result()


def stop(path, reason):
    stores[path].stop_run(reason).result()


def main():
    for line in sys.stdin:
        command = json.loads(line)
        try:
            reply = {"value": globals()[command.pop("do")](**command)}
        except Exception as error:  # noqa: BLE001 - told to the test
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)  # noqa: T201 - the way to the test


if __name__ == "__main__":
    main()
