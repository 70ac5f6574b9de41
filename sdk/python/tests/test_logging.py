"""What the page says to switch on shows refusals. It had httpx write each URL that is called, with the signatures in them."""

from __future__ import annotations

import re
import subprocess
import sys

from conftest import REPOSITORY

PROGRAM = """
import logging
import httpx
{lines}
logging.getLogger("falconer").info("refused: 403")
with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as client:
    client.get("https://notes.example.com/x?bewit=secret")
"""


def test_the_log_of_the_page_has_refusals_and_no_urls():
    lines = re.findall(r"`(logging\.[^`]+)`", (REPOSITORY / "docs/python.md").read_text())
    assert len(lines) == 2
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(lines="\n".join(lines))], capture_output=True, text=True, check=True, timeout=120)
    assert "refused: 403" in done.stderr and "notes.example.com" not in done.stderr
