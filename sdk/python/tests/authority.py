"""Something in Falconer's place that says what a test wants."""

import threading

from services import bound

ALLOWED = (200, b'{"status": "allowed", "expires": "2099-01-01T00:00:00.000Z"}')


class Authority:
    """Something in Falconer's place that can be told what to answer, and counts how often it is asked over how many connections."""

    def __init__(self):
        self.listener, self.root_url = bound("127.0.0.1")
        self.listener.listen(64)
        self.asked, self.connections, self.answer, self.traces = 0, 0, None, []
        self.hang_up_after = None
        # The only method that it has, where it has not all.
        self.only = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        answered = 0
        with connection, connection.makefile("rb") as lines:
            while True:
                length, trace, line = 0, None, lines.readline()
                if not line:
                    return
                method = line.split()[1].rsplit(b"/", 1)[-1].decode()
                while (line := lines.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    if line.lower().startswith(b"traceparent:"):
                        trace = line.split(b":")[1].strip().decode()
                lines.read(length)
                if answered == self.hang_up_after:
                    return
                answered += 1
                self.asked += 1
                self.traces.append(trace)
                status, body = self.answer if self.only in (None, method) else (404, b"{}")
                connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def stop(self):
        self.listener.close()
