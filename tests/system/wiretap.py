"""Everything that went over the wire in a namespace, searched for secrets in every form that TDS gives them."""

import subprocess


def disguises(secret):
    """As text, as UTF-16, and as LOGIN7 hides it: nibbles swapped, then xor 0xA5."""
    wide = secret.encode("utf-16-le")
    return {"plain": secret.encode(), "UTF-16": wide,
            "LOGIN7": bytes((((b << 4) | (b >> 4)) & 0xFF) ^ 0xA5 for b in wide)}


class Wiretap:
    def __init__(self, space, path):
        self._path = path
        # -Z root: in a user namespace there is nobody else to become.
        self._tcpdump = space.start("tcpdump", "-i", "any", "-Z", "root", "-U", "-s", "0",
                                    "--immediate-mode", "-w", path, "tcp",
                                    stderr=subprocess.PIPE, text=True)
        line = self._tcpdump.stderr.readline()
        while "listening on" not in line:
            if not line:
                raise AssertionError("tcpdump did not start")
            line = self._tcpdump.stderr.readline()

    def stop(self):
        """What was heard."""
        self._tcpdump.terminate()
        self._tcpdump.wait(10)
        with open(self._path, "rb") as file:
            return file.read()


def heard(content, secret):
    """The forms in which a secret, or its beginning, was heard."""
    return [form for form, text in disguises(secret[:10]).items() if text in content]
