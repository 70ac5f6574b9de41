"""Starts real proxies with the configuration that docs/gateway.md prints, and the gateway beside them."""

import os
import pathlib
import re
import socket
import subprocess
import sys
import time

from falconer_server import BIN, PATIENCE, clean_environment, held_port

REPOSITORY = pathlib.Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/gateway.md").read_text()
PROGRAMS = pathlib.Path(sys.executable).parent
TITLES = {"nginx": "nginx", "traefik": "Traefik", "caddy": "Caddy", "envoy": "Envoy", "envoy-grpc": "Envoy", "haproxy": "HAProxy"}
# Beside each of them, and by the gateway itself.
PLACES = [*TITLES, "upstream"]
HTTP2 = "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {}}}}"


def snippet(proxy):
    """The block of the page, as it is printed; Envoy has two."""
    section = PAGE.split(f"### {TITLES[proxy]}\n", 1)[1].split("\n### ", 1)[0]
    return re.findall(r"```\w+\n(.*?)```", section, re.S)[1 if proxy == "envoy-grpc" else 0]


def started(arguments, log, environment=None):
    return subprocess.Popen(arguments, stdout=log.open("ab"), stderr=subprocess.STDOUT, env=environment or os.environ.copy())


def wait_for(host, port, process, log):
    """Until somebody listens there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host.strip("[]"), port), timeout=5).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nothing listens on {host}:{port}:\n{log.read_text()[-3000:]}") from None
            # Not a wait for a result: whoever has no port yet can't be waited for in another way.
            time.sleep(0.02)


def raw(origin, request):
    """Sends bytes, and gives what came until the other side closed."""
    host, port = origin.split("://")[1].rsplit(":", 1)
    with socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE) as connection:
        connection.sendall(request)
        received = b""
        while more := connection.recv(65536):
            received += more
    return received.decode(errors="replace")


def indented(text, by):
    return "".join(" " * by + line for line in text.splitlines(keepends=True))


def configuration(proxy, folder, host, port, text):
    """The command that starts a proxy on a port. `text` is the block of the page, with the addresses of this run."""
    address = f"{host}:{port}"
    if proxy == "nginx":
        (folder / "nginx.conf").write_text(
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr;\nevents {{}}\nhttp {{\naccess_log {folder}/access.log;\n"
            + "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"server {{\nlisten {address};\n{text}}}\n}}\n"
        )
        return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    if proxy == "traefik":
        (folder / "dynamic.yml").write_text(text)
        (folder / "traefik.yml").write_text(
            f'entryPoints: {{web: {{address: "{address}"}}}}\nproviders: {{file: {{filename: {folder}/dynamic.yml}}}}\nglobal: {{checkNewVersion: false, sendAnonymousUsage: false}}\n'
        )
        return [str(PROGRAMS / "traefik"), f"--configfile={folder}/traefik.yml"]
    if proxy == "caddy":
        (folder / "Caddyfile").write_text(f"{{\nadmin off\nauto_https off\npersist_config off\n}}\nhttp://:{port} {{\nbind {host.strip('[]')}\n{text}}}\n")
        return [str(PROGRAMS / "caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    if proxy == "haproxy":
        lua = (REPOSITORY / "docs/examples/falconer.lua").read_text()
        (folder / "falconer.lua").write_text(lua.replace("127.0.0.1:4180", GATEWAY_OF[str(folder)]))
        (folder / "haproxy.cfg").write_text(
            f"global\n  lua-load {folder}/falconer.lua\ndefaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 5s\n"
            f"frontend web\n  bind {address.replace('[', '').replace(']', '') if ':' not in host else 'ipv6@' + address}\n  {text}  default_backend behind\nbackend behind\n  server behind {BEHIND_OF[str(folder)]}\n"
        )
        return ["haproxy", "-db", "-f", str(folder / "haproxy.cfg")]
    assert proxy in ("envoy", "envoy-grpc")
    gateway_host, gateway_port = GATEWAY_OF[str(folder)].rsplit(":", 1)
    behind_host, behind_port = BEHIND_OF[str(folder)].rsplit(":", 1)

    def cluster(name, at, number, more=""):
        return f"""  - name: {name}
    type: STATIC
{more}    load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: {at}, port_value: {number}}}}}}}}}]}}]}}
"""

    (folder / "envoy.yaml").write_text(
        f"""static_resources:
  listeners:
  - address: {{socket_address: {{address: "{host.strip('[]')}", port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          route_config: {{virtual_hosts: [{{name: all, domains: ["*"], routes: [{{match: {{prefix: /}}, route: {{cluster: behind}}}}]}}]}}
          http_filters:
{indented(text, 10)}          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
{cluster("falconer", gateway_host, gateway_port, f"    {HTTP2}" + chr(10) if proxy == "envoy-grpc" else "")}{cluster("behind", behind_host, behind_port)}"""
    )
    return [str(PROGRAMS / "envoy"), "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"]


# Where the gateway and the service of a run listen, by its folder.
GATEWAY_OF, BEHIND_OF = {}, {}


class Protected:
    """A service behind a proxy and the gateway, or behind the gateway alone (`proxy` is "upstream"). `more` are lines of the rules file."""

    def __init__(self, proxy, folder, root_url, behind, host="127.0.0.1", head="", rules=""):
        folder.mkdir(parents=True)
        self.folder, self.log, port = folder, folder / "log", held_port(host)
        self.origin, self.port = f"http://{host}:{port}", port
        place = f'upstream = "http://127.0.0.1:{behind.port}"' if proxy == "upstream" else f'proxy = "{proxy.removesuffix("-grpc")}"'
        rules_file = folder / "gateway.toml"
        rules_file.write_text(f'falconer = "{root_url}"\norigin = "{self.origin}"\n{place}\n{head}\n{rules}')
        listen = f"{host}:{port}" if proxy == "upstream" else f"127.0.0.1:{held_port()}"
        self.gateway = listen
        self.processes = [started([BIN, "gateway", "run", str(rules_file), "--listen", listen], self.log, clean_environment())]
        wait_for(*listen.rsplit(":", 1), self.processes[0], self.log)
        self.caller_key = (folder / "gateway-caller.key").read_text().strip()
        if proxy == "upstream":
            return
        GATEWAY_OF[str(folder)], BEHIND_OF[str(folder)] = listen, f"127.0.0.1:{behind.port}"
        text = snippet(proxy).replace("127.0.0.1:4180", listen).replace("127.0.0.1:8080", f"127.0.0.1:{behind.port}")
        self.processes.append(started(configuration(proxy, folder, host, port, text), self.log))
        wait_for(host, port, self.processes[1], self.log)
        if proxy == "traefik":
            self.wait_for_routes()

    def wait_for_routes(self):
        """Traefik listens before it has read its routes, and has a page of its own until then."""
        deadline = time.monotonic() + PATIENCE
        while "404 page not found" in raw(self.origin, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.02)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
