"""How the requests that all kits share byte by byte are sent and judged."""

from __future__ import annotations

import re
import socket

from scenarios import host_and_port, request_of

PATIENCE = 120


def bytes_of(text, origin, signed):
    """A text of a case as bytes: each character is one, but for what stands in angle brackets."""
    _, target, headers, _ = signed
    host, port = host_and_port(origin)
    bewit = re.search(r"bewit=.*", target)
    text = text.replace("<host>", f"{host}:{port}").replace("<signature>", headers.get("Authorization", "")).replace("<bewit>", bewit[0] if bewit else "")
    return re.sub(r"<(\d+) bytes>", lambda found: "." * int(found[1]), text).encode("latin-1")


def exchange(origin, given, credentials):
    """What came back until the other side closed."""
    signed = request_of(given, origin, credentials)
    with socket.create_connection(host_and_port(origin), timeout=PATIENCE) as connection:
        said = b""

        def send(text):
            try:
                connection.sendall(bytes_of(text, origin, signed))
            except OSError:
                pass  # it was answered before all of it was read

        def more():
            nonlocal said
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                part = b""
            said += part
            return part

        send(given["send"])
        if given.get("halfClose"):
            connection.shutdown(socket.SHUT_WR)
        if "whenContinued" in given:
            while b"\r\n\r\n" not in said and more():
                pass
            if re.match(rb"HTTP/1\.1 100 ", said):
                send(given["whenContinued"])
        while more():
            pass
    return said.decode("latin-1")


def judge(said, expected, asks_early=False):
    """`asks_early`: this server asks for bodies before anybody can look at the head."""
    assert expected.get("never", "\0") not in re.sub(r'": "', '":"', said), said
    parts = [part for part in re.split(r"(?=HTTP/1\.[01] \d{3} )", said) if part]
    continued = any(re.match(r"HTTP/1\.1 100 ", part) for part in parts)
    if "continues" in expected and not asks_early:
        assert continued == expected["continues"], said
    parts = [part for part in parts if not re.match(r"HTTP/1\.1 100 ", part)]
    for number, answer in enumerate(expected["answers"]):
        if number >= len(parts):
            assert answer.get("optional"), said
            continue
        head, _, body = parts[number].partition("\r\n\r\n")
        status = int(head.split(" ")[1])
        assert status in answer["status"], said
        if status != answer["status"][0]:
            continue
        compact = re.sub(r'": "', '":"', body)
        if "reason" in answer:
            assert f'"reason":"{answer["reason"]}"' in compact, said
        if answer.get("body") == "":
            assert body == "", said
        assert answer.get("body", "") in compact, said
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)}
        for name, value in answer.get("headers", {}).items():
            assert headers.get(name.lower()) == value, (name, said)
    assert len(parts) <= len(expected["answers"]), said
