"""The loopback server as a process of its own: ``python -m pytest_llmeval.testing --delay 0.05`` prints its address."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from .behaviours import Behaviour, limited
from .server import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted or, with ``--until-eof``, until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m pytest_llmeval.testing", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--answer", default="ok", help="the text of every answer")
    parser.add_argument("--delay", type=float, default=0.0, metavar="S", help="seconds before an answer (default 0)")
    parser.add_argument("--rate", type=float, metavar="N", help="requests a second; a 429 to what comes faster")
    parser.add_argument("--burst", type=int, default=1, metavar="N", help="requests at once under --rate (default 1)")
    parser.add_argument("--retry-after", type=float, metavar="S", help="seconds named in each 429 (default: none)")
    parser.add_argument("--tell-limits", action="store_true", help="say in each reply what is left under --rate")
    parser.add_argument("--until-eof", action="store_true", help="end with standard input")
    options = parser.parse_args(arguments)
    behaviours: list[Behaviour] = []
    if options.rate:
        told = {"retry_after": options.retry_after, "headers": options.tell_limits}
        behaviours.append(limited(options.rate, burst=options.burst, **told))
    serving = serve(*behaviours, answer=options.answer, delay=options.delay, port=options.port, record=False)
    with suppress(KeyboardInterrupt), serving as server:
        print(server.url, flush=True)  # noqa: T201 - a program's output
        if options.until_eof:
            sys.stdin.read()
        else:
            threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
