"""The gateway behind real proxies: what all tests share."""

import importlib.util
import pathlib
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]
for folder in ("sdk/python/src", "sdk/python/tests", "e2e/support"):
    sys.path.insert(0, str(REPOSITORY / folder))

# The Python package's tests have a server and clients of it already; under a name of its own, because both files are called alike.
_spec = importlib.util.spec_from_file_location("kit_conftest", REPOSITORY / "sdk/python/tests/conftest.py")
_kit = importlib.util.module_from_spec(_spec)
sys.modules["kit_conftest"] = _kit
_spec.loader.exec_module(_kit)

from behind import Behind  # noqa: E402
from proxies import PLACES, Protected  # noqa: E402
from scenarios import elsewhere  # noqa: E402

vectors, server = _kit.vectors, _kit.server
__all__ = ["elsewhere", "server", "vectors"]


@pytest.fixture(scope="module")
def behind():
    service = Behind([])
    yield service
    service.stop()


@pytest.fixture(scope="module", params=PLACES)
def service(request, server, behind, tmp_path_factory):
    """What `HEAD` and `RULES` of a test file protect, beside each proxy and by the gateway itself."""
    folder = tmp_path_factory.mktemp(request.param) / "run"
    running = Protected(request.param, folder, server.root_url, behind, head=request.module.HEAD, rules=request.module.RULES)
    running.place = request.param
    yield running
    running.stop()
