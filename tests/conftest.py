"""Settings of all tests."""

import os

from hypothesis import settings

# A merge must not depend on luck: there the examples are the same in every run. Elsewhere they are new
# ones each time, and what they find is to be mended.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# Tests that start JAX, whose threads do not go together with the forks of tests of files.
LAST = ("tests/emg/test_learn.py", "tests/docs/")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.nodeid.startswith(LAST))
