"""Network namespaces of the test process.

They have no names, so other processes cannot see them and none is left behind: a namespace lives as long as a descriptor
of this process, and every child is killed with its parent.
"""

import ctypes
import os
import signal
import subprocess

CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _unshare(flags):
    if _libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _setns(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


_apart = None


def process_set_apart():
    """Moves this process into a network namespace of its own, as root or as "root" of a user namespace.

    Returns None, or why the kernel does not permit it. The first call decides.
    """
    global _apart
    if _apart is None:
        _apart = (_process_set_apart(),)
    return _apart[0]


def _process_set_apart():
    uid, gid = os.geteuid(), os.getegid()
    try:
        _unshare(CLONE_NEWNET)
    except OSError:
        try:
            _unshare(CLONE_NEWUSER | CLONE_NEWNET)
            for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"),
                               ("gid_map", f"0 {gid} 1")):
                with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                    file.write(text)
        except OSError as error:
            return f"neither root nor a user namespace: {error.strerror}"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return None


class Namespace:
    """A machine of the test: its own interfaces, addresses, routes and packet filter."""

    def __init__(self, name):
        self.name = name
        here = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _unshare(CLONE_NEWNET)
            self.descriptor = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            _setns(here)
        finally:
            os.close(here)
        self._children = []
        self.run("ip", "link", "set", "lo", "up")

    def _enter(self):
        _setns(self.descriptor)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def run(self, *command, check=True, **more):
        """Runs a command in here to its end; its output comes as text."""
        more.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(command, preexec_fn=self._enter, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {' '.join(command)}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def start(self, *command, **more):
        """Starts a command in here; it ends with close() at the latest."""
        child = subprocess.Popen(command, preexec_fn=self._enter, **more)
        self._children.append(child)
        return child

    def close(self):
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout, child.stderr):
                if stream is not None:
                    stream.close()
        self._children.clear()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Net:
    """Namespaces and the wires between them."""

    def __init__(self):
        self._wires = 0
        self.namespaces = {}

    def add(self, name, forwards=False):
        space = self.namespaces[name] = Namespace(name)
        if forwards:
            space.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        return space

    def connect(self, leaf, hub, addresses):
        """A wire from `leaf`, which gets these addresses and sends everything to `hub`."""
        self._wires += 1
        number, near, far = self._wires, "up0", f"to-{leaf.name}"
        leaf.run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns",
                 f"/proc/{os.getpid()}/fd/{hub.descriptor}", pass_fds=())
        link = {4: (f"198.18.{number}.1", f"198.18.{number}.2/30", f"198.18.{number}.1/30"),
                6: (f"2001:db8:ffff:{number}::1", f"2001:db8:ffff:{number}::2/64",
                    f"2001:db8:ffff:{number}::1/64")}
        leaf.run("ip", "link", "set", near, "up")
        hub.run("ip", "link", "set", far, "up")
        for family, (gateway, leaf_side, hub_side) in link.items():
            nodad = ["nodad"] if family == 6 else []
            leaf.run("ip", "addr", "add", leaf_side, "dev", near, *nodad)
            hub.run("ip", "addr", "add", hub_side, "dev", far, *nodad)
            own = [a for a in addresses if (":" in a) == (family == 6)]
            for address in own:
                host = f"{address}/{128 if family == 6 else 32}"
                leaf.run("ip", "addr", "add", host, "dev", near, *nodad)
                hub.run("ip", f"-{family}", "route", "add", host, "via",
                        leaf_side.partition("/")[0], "dev", far)
            leaf.run("ip", f"-{family}", "route", "add", "default", "via", gateway, "dev", near,
                     *(["src", own[0]] if own else []))

    def close(self):
        for space in self.namespaces.values():
            space.close()
        self.namespaces.clear()
