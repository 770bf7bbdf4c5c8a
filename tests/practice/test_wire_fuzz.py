"""Mutated messages: each ends in an answer or a closed connection, never in an error of the practice server."""

import random
import socket
import struct
import unittest

from wire.testing import PASSWORD, LocalServer, RawClient, login7_pack, packets, prelogin

HEADERS = struct.pack("<IIHQI", 22, 18, 2, 0, 1)
PRELOGIN = prelogin.options_pack([(prelogin.VERSION, bytes(6)), (prelogin.ENCRYPTION, b"\2"),
                                  (prelogin.MARS, b"\1")])
LOGIN = login7_pack(new_password="x", features=b"\x0A\x01\0\0\0\x01\xFF")
# sp_executesql by number with a parameter of each shape that a value can have.
PARAMETERS = (
    b"\xE7\x08\0" + bytes(5) + b"\x04\0a\0b\0",
    b"\x26\x04\x04\x01\0\0\0",
    b"\x6A\x05\x09\x02\x05\x01\x01\0\0\0",
    b"\x2A\x07\x08" + bytes(8),
    b"\xA7\xFF\xFF" + bytes(5) + struct.pack("<QI", 0xFFFFFFFFFFFFFFFE, 2) + b"ab\0\0\0\0",
    b"\x6F\x08\x08" + bytes(8),
    b"\x28\x03\x01\0\0",
    b"\x24\x10\x10" + bytes(16))
RPC = HEADERS + struct.pack("<HHH", 0xFFFF, 10, 0) + b"".join(b"\0\0" + p for p in PARAMETERS)
SEEDS = ((packets.PRELOGIN, PRELOGIN), (packets.LOGIN7, LOGIN), (packets.RPC, RPC),
         (packets.BATCH, HEADERS + "a".encode("utf-16-le")),
         (packets.TRANSACTION, HEADERS + b"\5\0\0\0"))
ROUNDS = 400


def mutated(data, source):
    data = bytearray(data)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        match source.randrange(4):
            case 0 if at < len(data):
                data[at] = source.choice((0, 255, 254, 127, 128, source.randrange(256)))
            case 1:
                del data[at:at + source.randint(1, 8)]
            case 2:
                data[at:at] = source.randbytes(source.randint(1, 8))
            case _:
                del data[at:]
    return bytes(data)


class Fuzz(unittest.TestCase):
    def test_mutated_messages(self):
        server = LocalServer()
        self.addCleanup(server.stop)
        server.scripts.update({"a": [], "rpc sp_executesql": []})
        source = random.Random(20261123)
        for index in range(ROUNDS):
            kind, seed = SEEDS[index % len(SEEDS)]
            server.engine.passwords["sa"] = PASSWORD
            client = RawClient(server.port)
            message = mutated(seed, source)
            with self.subTest(index=index, kind=kind, message=message.hex()):
                if kind not in (packets.PRELOGIN, packets.LOGIN7):
                    client.login()
                client.transport.send_packets(kind, message)
                client.socket.shutdown(socket.SHUT_WR)
                with self.assertRaisesRegex(packets.Closed, "end of stream$|reset"):
                    while True:
                        client.transport.read_message()
            client.close()
        server.record_wait("disconnect", ROUNDS)
        self.assertEqual(server.record("own-fault"), [])
        self.assertGreater(len(server.record("malformed")), ROUNDS // 4)


if __name__ == "__main__":
    unittest.main()
