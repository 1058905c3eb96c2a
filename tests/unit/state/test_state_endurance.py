"""A disk that is full, a file that may only be read, a clock that is set back: a clear error or a right result."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from damage import answer, fill

from pytest_llmeval.core.admission import Answered, Granted
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.result import Outcome
from pytest_llmeval.state.sqlite import latest, prune

resource = pytest.importorskip("resource", reason="this system limits no file sizes")

#: opens a state and answers until it fails, in a process whose files may be so large
LIMITED = """
import resource, sys, time
from pathlib import Path
from pytest_llmeval.core.admission import Wanted
from pytest_llmeval.core.endpoint import Limits
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.state.sqlite import SqliteStore
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
store = SqliteStore.open(Path(sys.argv[1]), "limited")
print(*store.notes, flush=True)
store.begin(RunInfo("limited", time.time())).result()
done = 0
try:
    while done < 1000:
        wanted = Wanted(f"n{done}", "e", "b", Limits(9), 0, {})
        (claim,) = store.admit([wanted]).result()
        store.answer(claim, Response("x" * 5000)).result()
        done += 1
finally:
    print(done)
"""

READ_ONLY = """
import os, sys, tempfile
from pathlib import Path
from pytest_llmeval.core.admission import Wanted
from pytest_llmeval.core.endpoint import Limits
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.state.sqlite import SqliteStore, discard_temporary
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
tempfile.tempdir = sys.argv[2]
store = SqliteStore.open(Path(sys.argv[1]), "reader")
store.begin(RunInfo("reader", 0.0)).result()
(claim,) = store.admit([Wanted("k0", "e", "b", Limits(9), 0, {})]).result()
store.answer(claim, Response("x")).result()
print(store.temporary, *store.notes)
store.close()
discard_temporary("reader")
"""


def child(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_a_full_disk_is_a_clear_error_and_what_was_answered_before_stays(world):
    world.leave(fill(world, "old", ["k0"]))

    result = child(LIMITED, world.path, 400_000)

    assert result.returncode == 1
    assert f"StateError: {world.path}: " in result.stderr.splitlines()[-1]
    assert result.stderr.rstrip().endswith(
        ("no space is left on that disk", "it cannot be written there; --llmeval-state names another place")
    )
    done = int(result.stdout.split()[-1])
    assert 0 < done < 1000
    store = world.enter("new")
    assert store.notes == []
    decisions = store.admit([world.wanted(f"n{n}") for n in range(done)]).result()
    assert decisions == [Answered(Response("x" * 5000), cached=True)] * done
    assert isinstance(store.admit([world.wanted("k0")]).result()[0], Answered)


def test_a_disk_too_full_to_save_answers_to_leaves_the_corrupt_file_for_later(world):
    world.leave(fill(world, "old", [f"k{n}" for n in range(20)]))
    data = bytes(100) + world.path.read_bytes()[100:]
    world.path.write_bytes(data)

    result = child(LIMITED, world.path, 150_000)

    assert result.returncode == 1
    assert f"StateError: {world.path}: " in result.stderr.splitlines()[-1]
    assert world.path.read_bytes() == data
    left = {path.name for path in world.path.parent.iterdir()}
    assert left == {".gitignore", "state.sqlite3", "state.sqlite3.lock", "state.sqlite3-owners"}
    assert world.enter("new").notes[0].endswith("20 answers in it were saved")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no such rights")
def test_a_state_that_may_only_be_read_is_left_alone_and_said(world):
    world.leave(fill(world, "old", ["k0"]))
    before = world.path.read_bytes()
    # where another user comes to
    folder = Path(tempfile.mkdtemp(prefix="llmeval-test-", dir="/tmp" if Path("/tmp").is_dir() else None))
    try:
        state = folder / "state.sqlite3"
        state.write_bytes(before)
        state.chmod(0o444)
        temporary = folder / "tmp"
        temporary.mkdir()
        temporary.chmod(0o777)
        folder.chmod(0o555)

        result = child(READ_ONLY, state, temporary)

        assert result.returncode == 0, result.stderr
        said, _, why = result.stdout.partition(f" {state} cannot be written ")
        assert said == "True"
        assert why.rstrip().endswith("answers and results are kept for this run only")
        assert state.read_bytes() == before
        assert list(temporary.iterdir()) == []
    finally:
        folder.chmod(0o777)
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()


# --- a clock that is set back ---


def ran(world, run, kind) -> None:
    store = world.enter(run)
    store.plan(world.recipe(), world.units(1)).result()
    store.record([(world.recipe().id, "s0", Outcome(kind, Response("x")))]).result()
    world.clock.step(5)
    world.leave(store)


def test_the_latest_result_stays_the_latest(world):
    ran(world, "first", "missed")
    world.clock.step(100)
    ran(world, "second", "passed")
    world.clock.wall -= 3600

    now = world.clock.now()
    assert latest(world.path, now, now=now) == {"recipes/a.yaml::s0[small]": "passed"}
    ran(world, "third", "missed")
    now = world.clock.now()
    assert latest(world.path, now, now=now) == {"recipes/a.yaml::s0[small]": "missed"}


def test_a_run_that_ended_since_is_not_taken_for_one_of_before(world):
    ran(world, "first", "missed")
    begun = world.clock.now()
    world.clock.step(10)
    ran(world, "second", "passed")

    assert latest(world.path, begun, now=world.clock.now()) == {"recipes/a.yaml::s0[small]": "missed"}


def test_pruning_all_removes_what_is_of_the_future_too(world):
    ran(world, "first", "missed")
    store = world.enter("second")
    answer(world, store, "k", "Paris")
    world.leave(store)
    world.clock.wall -= 3600

    pruned = prune(world.path, world.clock)

    assert (pruned.responses, pruned.runs) == (1, 2)


def test_of_two_answers_the_later_one_is_saved_from_a_corrupt_file(world):
    world.leave(fill(world, "old", ["k"]))
    world.clock.wall -= 3600
    store = world.enter("new", mode="refresh")
    assert isinstance(store.admit([world.wanted("k")]).result()[0], Granted)
    store.close()
    world.opened.remove(store)
    store = world.enter("newer", mode="refresh")
    answer(world, store, "k", "the later one")
    world.leave(store)
    world.path.write_bytes(bytes(100) + world.path.read_bytes()[100:])

    assert world.enter("last").admit([world.wanted("k")]).result() == [Answered(Response("the later one"), cached=True)]
