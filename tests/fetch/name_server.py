"""A name server on loopback that changes its mind, and roads that lead from its addresses."""

import socket
import struct
import threading
from collections.abc import Mapping, Sequence

import httpcore


class NameServer:
    """Answers, over UDP, who a name is (RFC 1035); use it in a ``with`` block.

    ``names`` holds the answers to the first, second … question after a name, each a list of
    addresses; the last is given again and again.
    """

    def __init__(self, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self.asked: list[str] = []
        self._names = {name: list(answers) for name, answers in names.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._answer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def look_up(self, host: str, _port: int) -> list[str]:
        """Ask, as a resolver does; raise ``OSError`` when there is no such name."""
        question = b"".join(bytes([len(one)]) + one.encode() for one in host.split("."))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(
                struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + question + b"\0\0\x01\0\x01",
                self._socket.getsockname(),
            )
            answer = asking.recv(512)
        (count,) = struct.unpack("!H", answer[6:8])
        if not count:
            raise OSError(f"{host}: no such name")
        records = answer[12 + len(question) + 5 :]
        return [socket.inet_ntoa(records[16 * one + 12 : 16 * one + 16]) for one in range(count)]

    def _answer(self) -> None:
        while True:
            packet, client = self._socket.recvfrom(512)
            if not packet:
                return
            question = packet[12:]
            name = _name(question)
            self.asked.append(name)
            answers = self._names.get(name, [[]])
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            header = packet[:2] + struct.pack("!5H", 0x8180, 1, len(found), 0, 0)
            # A pointer to the question's name, type A, class IN, no time to live, four bytes.
            records = b"".join(
                b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04" + socket.inet_aton(one) for one in found
            )
            self._socket.sendto(header + question + records, client)


def _name(question: bytes) -> str:
    labels, place = [], 0
    while question[place]:
        labels.append(question[place + 1 : place + 1 + question[place]].decode())
        place += 1 + question[place]
    return ".".join(labels)


class Roads(httpcore.SyncBackend):
    """Sockets that lead from public addresses to servers on loopback, and elsewhere as usual."""

    def __init__(self, roads: Mapping[str, int]) -> None:
        self.taken: list[str] = []
        self._roads = roads

    def connect_tcp(self, host: str, port: int, *rest: object, **more: object):
        self.taken.append(host)
        if host in self._roads:
            host, port = "127.0.0.1", self._roads[host]
        return super().connect_tcp(host, port, *rest, **more)
