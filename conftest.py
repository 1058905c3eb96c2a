"""Nothing but what tests of a pytest plugin need from pytest."""

pytest_plugins = ["pytester"]
