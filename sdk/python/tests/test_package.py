"""The package as it is built and installed: pip needs the repository alone, and users' type checkers see the types."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest
from conftest import REPOSITORY

PACKAGE = REPOSITORY / "sdk/python"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, PACKAGE)
    assert sorted(path.suffix for path in folder.iterdir()) == [".gz", ".whl"]
    (built,) = folder.glob("*.whl")
    return built


def run(*command, **environment):
    ended = subprocess.run([str(word) for word in command], env={**os.environ, **environment}, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_what_the_package_holds(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "falconer/py.typed" in names and "falconer/_verifying/question.py" in names
    assert not [name for name in names if "test" in name or name.endswith(".pyc")]


def test_installed_from_the_repository(wheel, tmp_path):
    place = tmp_path / "installed"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", place, wheel)
    # Without any framework: only what httpx brings.
    code = "import sys, falconer; assert falconer.__file__.startswith(sys.argv[1]), falconer.__file__; assert not {'fastapi', 'flask', 'starlette', 'requests'} & set(sys.modules)"
    run(sys.executable, "-c", code, place, PYTHONPATH=str(place))


def test_pip_installs_both_into_an_empty_environment(wheel, tmp_path):
    """What pip is given is the repository's folder, the wheel, or the source package; what it needs besides comes from the environment of the tests."""
    place = tmp_path / "empty"
    run(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin/python"
    here = run(sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (source,) = wheel.parent.glob("*.tar.gz")
    code = (
        "import sys; sys.path.append(sys.argv[1]); import falconer, falconer.asgi, falconer.wsgi, falconer.httpx\n"
        "assert falconer.__file__.startswith(sys.prefix), falconer.__file__\n"
        "decision = falconer.Verifier('http://127.0.0.1:1', 'https://b').check(falconer.SignedRequest('GET', '/'), 'a', body=b'')\n"
        "assert decision.reason == 'unavailable', decision"
    )
    for package in (PACKAGE, wheel, source):
        run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed", "-q", package, PYTHONPATH=here)
        run(python, "-I", "-c", code, here)


def test_users_see_the_types(wheel, tmp_path):
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", tmp_path / "installed", wheel)
    user = tmp_path / "user.py"
    user.write_text(
        "from falconer import Caller, SignedRequest, Verifier\n"
        'verifier = Verifier("https://a", "https://b", body_limit=5)\n'
        'decision = verifier.check(SignedRequest("GET", "/"), {"AnyOf": ["a", {"AllOf": ["b"]}]}, body=b"")\n'
        'fine: bool = isinstance(decision, Caller) and decision.has("b")\n'
        'wrong: int = Verifier("https://a", "https://b", body_limit="5")\n'
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir=/dev/null", str(user)],
        env={**os.environ, "MYPYPATH": "", "PYTHONPATH": ""}, cwd=tmp_path, capture_output=True, text=True, timeout=600,
    )
    errors = [line for line in checked.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 2 and all(":5: error:" in line for line in errors), checked.stdout
