"""The gateway behind real proxies: what all tests share."""

import importlib.util
import pathlib
import sys

REPOSITORY = pathlib.Path(__file__).parents[2]
for folder in ("sdk/python/src", "sdk/python/tests", "e2e/support"):
    sys.path.insert(0, str(REPOSITORY / folder))

# The Python package's tests have a server and clients of it already; under a name of its own, because both files are called alike.
_spec = importlib.util.spec_from_file_location("kit_conftest", REPOSITORY / "sdk/python/tests/conftest.py")
_kit = importlib.util.module_from_spec(_spec)
sys.modules["kit_conftest"] = _kit
_spec.loader.exec_module(_kit)

from scenarios import elsewhere  # noqa: E402

vectors, server = _kit.vectors, _kit.server
__all__ = ["elsewhere", "server", "vectors"]
