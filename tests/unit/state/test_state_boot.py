"""Monotonic times mean nothing in another boot, so each has a name where the system gives one."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from pytest_llmeval.core.admission import Granted, Wait
from pytest_llmeval.core.endpoint import Limits, Rate
from pytest_llmeval.state.boot import boot_id


@pytest.fixture(autouse=True)
def asked_anew():
    boot_id.cache_clear()
    yield
    boot_id.cache_clear()


@pytest.mark.skipif(platform.system() not in {"Linux", "Darwin"}, reason="this system names no boots")
def test_two_looks_see_one_boot():
    first = boot_id()
    boot_id.cache_clear()

    assert first
    assert boot_id() == first


def test_macos_is_asked_by_its_own_command(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 0, "A-B\n", ""))

    assert boot_id() == "A-B"


def test_a_system_without_names_for_its_boots_has_none(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Windows")

    assert boot_id() == ""


def test_a_name_that_cannot_be_read_is_none(monkeypatch):
    def refused(*_, **__):
        raise PermissionError

    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(Path, "read_text", refused)

    assert boot_id() == ""


def test_a_rate_of_another_boot_counts_as_empty_though_its_time_lies_behind(world, monkeypatch):
    from pytest_llmeval.state.sqlite import rates

    store = world.enter()
    limits = Limits(100, calls=Rate(0.001))
    (first,) = store.admit([world.wanted("a", limits=limits)]).result()
    (second,) = store.admit([world.wanted("b", limits=limits)]).result()
    monkeypatch.setattr(rates, "boot_id", lambda: "another")
    (third,) = store.admit([world.wanted("b", limits=limits)]).result()

    assert [type(first), type(second), type(third)] == [Granted, Wait, Granted]
