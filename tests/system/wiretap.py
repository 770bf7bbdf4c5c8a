#!/usr/bin/python3
"""Records all traffic in a namespace, and searches it for secrets in every form that TDS gives them.

As a program: records until its standard input ends and writes to the file that it is given. (tcpdump does not run in a user
namespace, because there is no user to whom it could drop its privileges.)
"""

import os
import select
import socket
import subprocess
import sys

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_STATISTICS = 6
SO_RCVBUFFORCE = 33
ROOM = 1 << 18
BUFFER = 8 << 20


def disguises(secret):
    """As text, as UTF-16, and as LOGIN7 hides it: nibbles swapped, then xor 0xA5."""
    wide = secret.encode("utf-16-le")
    return {"plain": secret.encode(), "UTF-16": wide,
            "LOGIN7": bytes((((b << 4) | (b >> 4)) & 0xFF) ^ 0xA5 for b in wide)}


def heard(content, secret):
    """The forms in which a secret, or its beginning, was heard."""
    return [form for form, text in disguises(secret[:10]).items() if text in content]


class Wiretap:
    def __init__(self, space, path):
        self._path = path
        self._ear = space.start("/usr/bin/python3", os.path.abspath(__file__), path,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self._ear.stdout.readline() != "listening\n":
            raise AssertionError("the wiretap did not start")

    def stop(self):
        """What was heard, to the last packet."""
        self._ear.stdin.close()
        dropped = self._ear.stdout.read()
        if self._ear.wait(120) != 0 or dropped:
            raise AssertionError(f"the wiretap has missed something: {dropped}")
        with open(self._path, "rb") as file:
            return file.read()


def listen(path):
    ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    try:
        ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    except PermissionError:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    ear.setblocking(False)
    print("listening", flush=True)
    with open(path, "wb") as file:
        open_ended = True
        while open_ended:
            ready, _, _ = select.select([ear, sys.stdin], [], [])
            open_ended = sys.stdin not in ready
            try:
                while True:
                    file.write(ear.recv(ROOM))
            except BlockingIOError:
                pass
    # struct tpacket_stats: packets, of these dropped for want of room.
    stats = ear.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
    dropped = int.from_bytes(stats[4:], sys.byteorder)
    if dropped:
        print(f"{dropped} packets dropped")


if __name__ == "__main__":
    listen(sys.argv[1])
