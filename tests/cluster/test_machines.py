"""Two network namespaces as two machines: each reaches the database and the sites its own way."""

import shutil
import socket
import subprocess
import threading
from contextlib import ExitStack, suppress

import pytest

from tools.cluster_soak import Crew
from tools.living import wait_for
from tools.made_up_sina import made_up, publish
from tools.running import Site, feed


class Relay:
    """Passes what comes to a port of an address on to the same port of loopback."""

    def __init__(self, address: str, port: int) -> None:
        self._port = port
        self._server = socket.create_server((address, port))
        self._sockets: list[socket.socket] = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in self._sockets:
            # Whoever waits in it is woken by this, not by close().
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        # Also after a reset, which is what the kernel sends for a process that was killed before
        # it had read everything: else its transaction would live on.
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture
def machines():
    """Give two namespaces by name, each with the address at which it finds this one."""
    if not shutil.which("ip"):
        pytest.skip("there is no ip (iproute2) here")
    with ExitStack() as stack:
        found = {}
        for number in (1, 2):
            name, here = f"ingest-test-{number}", f"10.213.{number}.1"
            try:
                run("ip", "netns", "add", name)
                stack.callback(run, "ip", "netns", "del", name)
                link = ("ip", "link", "add", f"ingest{number}", "type", "veth")
                run(*link, "peer", "name", "eth0", "netns", name)
                run("ip", "addr", "add", f"{here}/24", "dev", f"ingest{number}")
                run("ip", "link", "set", f"ingest{number}", "up")
                inside = ("ip", "-n", name)
                run(*inside, "addr", "add", f"10.213.{number}.2/24", "dev", "eth0")
                run(*inside, "link", "set", "eth0", "up")
                run("ip", "netns", "exec", name, "unshare", "--uts", "true")
            except subprocess.CalledProcessError as error:
                pytest.skip(f"no namespaces here: {error.stderr.strip()}")
            found[name] = here
        yield found


def test_workers_on_two_machines_share_an_archive(tmp_path, net, postgresql_url, machines):
    """One of them is killed in the middle; the other one does what it had begun."""
    number = 64
    publish(net, [made_up(one) for one in range(1, number + 1)])
    ports = [
        int(url.rpartition(":")[2].partition("/")[0]) for url in (postgresql_url, net.proxy_url)
    ]
    archive = tmp_path / "shared"
    home = Site(tmp_path, net, store=postgresql_url)
    with ExitStack() as stack:
        crew = stack.enter_context(Crew(home, ("--concurrency", "1")))
        for name, here in machines.items():
            for port in ports:
                stack.callback(Relay(here, port).close)
            folder = tmp_path / name
            folder.mkdir()
            machine = Site(folder, net, store=postgresql_url.replace("127.0.0.1", here))
            machine.configure(
                feed(more='every = "2s"'),
                fetch=f'proxy = "{net.proxy_url.replace("127.0.0.1", here)}"',
                archive=f'dir = "{archive}/files"\nraw_dir = "{archive}/warc"',
                schedule='jitter = "0s"\nrecheck = []',
                cluster='stalled_after = "3s"',
            )
            named = ("unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh")
            crew.prefix = ("ip", "netns", "exec", name, *named)
            crew.start(folder=folder)
        alive = "SELECT count(*) FROM procrastinate_workers"
        there = "SELECT to_regclass('procrastinate_workers') IS NOT NULL"
        wait_for(lambda: home.query(there)[0][0] and home.query(alive) == [(2,)])
        home.configure(feed(more='every = "2s"'), cluster='stalled_after = "3s"')
        assert all(f" on {name}" in home.run("status").stdout for name in machines)
        done = "SELECT count(*) FROM entries WHERE state = 'done'"
        wait_for(lambda: home.query(done)[0][0] > 0)
        crew.kill(crew.workers[0])
        wait_for(lambda: home.query(done) == [(number,)])
        wait_for(lambda: len(list(archive.rglob("*.md"))) == number)
        assert crew.stop() == [0]
    assert home.query("SELECT count(*), count(DISTINCT url) FROM articles") == [(number, number)]
