"""An owner lives as long as its process holds its lock."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from freezegun import freeze_time

from pytest_llmeval.core.errors import StateError
from pytest_llmeval.state.filelock import locked
from pytest_llmeval.state.sqlite.owners import Owner, Owners

HOLD = """
import sys
from pathlib import Path
from pytest_llmeval.state.sqlite.owners import Owner
owner = Owner.enter(Path(sys.argv[1]))
print(owner.id, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def elsewhere(tmp_path):
    """An owner in another process."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    yield process, process.stdout.readline().strip()
    process.stdin.close()
    process.wait()
    process.stdout.close()


def test_this_process_s_own_are_alive_until_closed(tmp_path):
    """A lock never refuses its own process, so they are known by name."""
    owner, other = Owner.enter(tmp_path), Owner.enter(tmp_path)
    owners = Owners(tmp_path)

    assert owners.alive(owner.id, 0)
    assert owners.alive(other.id, 0)
    owner.close()
    owner.close()

    assert not owners.alive(owner.id, 0)
    assert owners.alive(other.id, 0)
    other.close()


def test_looking_at_others_leaves_this_process_s_locks_alone(tmp_path, elsewhere):
    owner = Owner.enter(tmp_path)
    owners = Owners(tmp_path)
    owners.clear()
    owners.alive(owner.id, 0)
    code = (
        "import sys; from pathlib import Path; from pytest_llmeval.state.sqlite.owners import Owners;"
        "sys.exit(Owners(Path(sys.argv[1])).alive(sys.argv[2], 0))"
    )

    seen = subprocess.run([sys.executable, "-c", code, str(tmp_path), owner.id], check=False)

    assert seen.returncode == 1
    owner.close()


def test_another_process_s_owner_is_dead_when_it_is_killed(tmp_path, elsewhere):
    process, id_ = elsewhere
    owners = Owners(tmp_path)
    assert owners.alive(id_, 0)

    process.kill()
    # not waited for: it stays a zombie
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT) if hasattr(os, "waitid") else process.wait()

    # believed for 50 ms after it was seen alive
    assert owners.alive(id_, 49_000_000)
    assert not owners.alive(id_, 51_000_000)


def test_only_the_files_of_the_dead_are_cleared_away(tmp_path, elsewhere):
    _, id_ = elsewhere
    owner = Owner.enter(tmp_path)
    (tmp_path / "0123456789abcdef").touch()

    Owners(tmp_path).clear()

    assert {path.name for path in tmp_path.iterdir()} == {id_, owner.id}
    owner.close()


def test_one_that_never_was_is_dead(tmp_path):
    assert not Owners(tmp_path / "nowhere").alive("0123456789abcdef", 0)
    Owners(tmp_path / "nowhere").clear()


def test_what_cannot_be_looked_at_is_not_robbed(tmp_path):
    (tmp_path / "odd").mkdir()

    assert Owners(tmp_path).alive("odd", 0)


def test_an_owner_whose_file_was_cleared_away_while_it_was_made_takes_another(tmp_path, monkeypatch):
    from pytest_llmeval.state.sqlite import owners

    names = iter(["first", "second"])
    monkeypatch.setattr(owners.secrets, "token_hex", lambda _: next(names))
    real = owners.try_lock
    taken = []

    def cleared(file):
        if not taken:
            taken.append((tmp_path / "first").unlink())
        return real(file)

    monkeypatch.setattr(owners, "try_lock", cleared)
    owner = Owner.enter(tmp_path)

    assert owner.id == "second"
    assert not Owners(tmp_path).alive("first", 0)
    owner.close()


def test_a_place_without_locks_is_told(tmp_path, monkeypatch):
    from pytest_llmeval.state.sqlite import owners

    monkeypatch.setattr(owners, "try_lock", lambda _: False)

    with pytest.raises(StateError, match="no file of this process can be locked"):
        Owner.enter(tmp_path)


def test_a_lock_is_held_by_one_thread_at_a_time(tmp_path):
    inside = []
    most = []

    def work():
        with locked(tmp_path / "lock"):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 8


def test_a_lock_that_nobody_gives_back_is_named(tmp_path):
    code = """
import sys
from pathlib import Path
from pytest_llmeval.state.filelock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
    path = tmp_path / "lock"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()

    # under a frozen clock too: a user's session may have frozen it
    with (
        freeze_time("2020-01-01"),
        pytest.raises(StateError, match="another process has been holding this lock"),
        locked(path, patience=0.05),
    ):
        pass
    process.stdin.close()
    process.wait()
    process.stdout.close()
    with locked(path, patience=0.05):
        pass
