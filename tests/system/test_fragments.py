#!/usr/bin/python3
"""IPv6 fragments that hide their port, through a gateway that tracks no connections and so puts nothing together."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import LabCase  # noqa: E402
from lab import JANE, OTHER, PORT, days  # noqa: E402

# Sends one packet of a SYN in the given shape, then a datagram that marks the end.
SEND = """
import socket, struct, sys
source, target, port, shape = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
syn = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 5 << 4, 2, 65535, 0, 0)
short = bytes([6, 0, 1, 4, 0, 0, 0, 0])  # destination options, and behind them TCP
cut = bytes([6, 1, 1, 12, 0, 0, 0, 0])   # the same, which go on in the next fragment

def send(header, payload):
    raw.sendto(struct.pack("!IHBB", 6 << 28, len(payload), header, 64) + addresses + payload, (target, 0))

def fragment(header, offset, more, payload):
    send(44, struct.pack("!BBHI", header, 0, offset | more, 0x1234) + payload)

first, header, second = {"whole": (syn[:8], 6, syn[8:]), "hidden": (short, 60, syn), "cut": (cut, 60, bytes(8) + syn)}[shape]
fragment(header, 0, 1, first)
fragment(header, 8, 0, second)
send(17, struct.pack("!HHHH", 9, 9, 8, 0))
"""
# Tells the offset of each fragment that arrives, until the datagram does.
SEE = """
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86dd))
print("ready", flush=True)
while True:
    packet, address = s.recvfrom(2000)
    if address[2] == socket.PACKET_OUTGOING:
        continue
    if packet[20] == 17:
        break
    if packet[20] == 44:
        print(int.from_bytes(packet[56:58], "big") & 0xfff8, flush=True)
"""


def setUpModule():
    lab.require()


class Fragments(LabCase):
    def arrived(self, where, addresses, shape, port=PORT):
        """Offsets of the fragments that the server gets."""
        server = self.found.net.namespaces["sql01"]
        watch = server.start("/usr/bin/python3", "-c", SEE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(watch.stdout.readline(), "ready\n")
        self.found.net.namespaces[where].run("/usr/bin/python3", "-c", SEND, addresses[1], self.found.behind(0)[1],
                                             str(port), shape)
        return [int(line) for line in watch.stdout]

    def test_what_hides_its_port(self):
        self.found = found = self.lab_make(shape="gateway")
        for family in ("ip", "ip6"):
            found.hub.run("nft", "delete", "table", family, "lab")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(9)))
        found.agent.apply()
        self.assertEqual(self.arrived("jane", JANE, "whole"), [0, 8], "who is allowed")
        self.assertEqual(self.arrived("other", OTHER, "whole", port=80), [0, 8], "what is not guarded")
        # The server discards a datagram of which it never gets the first fragment.
        for shape in ("whole", "hidden", "cut"):
            self.assertNotIn(0, self.arrived("other", OTHER, shape), shape)


if __name__ == "__main__":
    unittest.main()
