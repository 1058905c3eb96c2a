"""llama.cpp's server as child processes: the weights, the child's program, starting and using them."""

from __future__ import annotations
