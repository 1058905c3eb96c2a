"""Which boot of the machine this is: monotonic times of one boot mean nothing in another."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path


@cache
def boot_id() -> str:
    """The system's name for its present boot; empty where it has none (then times that lie ahead tell)."""
    system = platform.system()
    try:
        if system == "Linux":
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        if system == "Darwin":
            command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - fixed
            return done.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
    return ""
