"""A fresh server of the real binary for each module of tests in Python."""

import pytest
from falconer_server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("falconer"))
    yield running
    running.stop()
