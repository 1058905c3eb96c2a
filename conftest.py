"""Nothing but what all tests need."""

from hypothesis import settings

pytest_plugins = ["pytester"]

# a busy machine is no failure: what a test claims has no time in it
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
