"""The booted machine as a gateway: people on one side, a SQL Server on the other, Curfew on it.

    jane (allowed)  ─┐
                     ├─ booted ─ sql01
    other (anybody) ─┘
"""

import datetime
import json
import os
import re
import subprocess

import booted_machine
import net
from agent import allowed_elements, libconfig
from practice import Certificates, PracticeServer

JANE, OTHER, SERVER = "203.0.113.7", "198.51.100.66", "192.0.2.17"
LINKS = {"jane": (JANE, 24), "other": (OTHER, 24), "sql01": (SERVER, 24)}
PORT = 1433
LOGIN = "acme.jane.doe"
PASSWORD = "Agent-Passw0rd-of-the-lab"
CONFIG = "/etc/curfew/curfew.conf"
CLIENT = "/etc/curfew/clients.d/acme.conf"
CREDENTIAL = "/etc/curfew/credentials/sql01"
UNITS = ("curfew-boot.service", "curfew.service")


def gateway(address):
    return address.rpartition(".")[0] + ".1"


def network_file(wire):
    """As an operator's machine has it: systemd-networkd, which waits for network-pre.target."""
    address, length = LINKS[wire]
    return (f"[Match]\nName={wire}\n"
            f"[Network]\nAddress={gateway(address)}/{length}\nIPForward=ipv4\n"
            "LinkLocalAddressing=no\nIPv6AcceptRA=no\nConfigureWithoutCarrier=yes\n")


def moment(**ahead):
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(**ahead)


def local(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%S")


class Lab:
    def __init__(self, program, base, folder):
        self.program, self.folder = program, folder
        self.tls = os.path.join(folder, "tls")
        self.net = net.Net()
        self.machine = self.practice = None
        for name in LINKS:
            self.net.add(name)
        self.certificates = Certificates(self.tls, SERVER)
        self.machine = booted_machine.Machine(base, os.path.join(folder, "root"), list(LINKS),
                                              os.path.join(folder, "console.log"))
        self._install()
        self.practice = PracticeServer(self.net.namespaces["sql01"], os.path.join(folder, "sql01"),
                                       self.certificates, port=PORT, databases=("AcmeTest", "AcmeProd"))

    def _install(self):
        """As README says, and what an operator adds: configuration, the password, the CA, two people."""
        machine = self.machine
        done = subprocess.run(
            ["make", "--no-print-directory", "-C", booted_machine.ROOT, "install", f"DESTDIR={machine.root}",
             "prefix=/usr", f"BUILD={os.path.dirname(self.program)}", f"BIN={self.program}",
             f"-o{self.program}"],
            check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError(f"make install:\n{done.stdout}")
        machine.chroot("systemd-sysusers")
        self.config_write()
        self.client_write()
        machine.write(CREDENTIAL, PASSWORD + "\n", 0o600)
        with open(self.certificates.ca, encoding="utf-8") as file:
            machine.write("/etc/curfew/tls/sql-ca.pem", file.read())
        machine.chroot("systemd-tmpfiles", "--create", "curfew.conf")
        machine.chroot("useradd", "--groups", "curfew", "olga")
        machine.chroot("useradd", "stranger")
        for wire in LINKS:
            machine.write(f"/etc/systemd/network/{wire}.network", network_file(wire))
        machine.chroot("systemctl", "enable", "--quiet", "systemd-networkd.service", *UNITS)

    def config_write(self, **settings):
        settings = {"firewall": {"hooks": ["forward"], "log": False}, "limits": {"interval": 3600},
                    **settings}
        servers = [{"name": "sql01", "host": SERVER, "port": PORT,
                    # Nobody has an IPv6 address here.
                    "known_listeners": [f"[::]:{PORT}"],
                    "ca_file": "/etc/curfew/tls/sql-ca.pem"}]
        self.machine.write(CONFIG, "".join(f"{key} = {libconfig(value)};\n" for key, value in
                                           {**settings, "servers": servers}.items()), 0o640)

    def client_write(self, **more):
        """Testing since ten days ago unless told otherwise; an instant is given as such."""
        now = moment()
        client = {"name": "acme", "ticket": "CS-1", "approved_by": "account-lead@host.example",
                  "approved_on": (now - datetime.timedelta(days=60)).strftime("%Y-%m-%d"), "timezone": "UTC",
                  "starts": (now - datetime.timedelta(days=50)).strftime("%Y-%m-%d"),
                  "databases": [{"role": "staging", "server": "sql01", "name": "AcmeTest"},
                                {"role": "production", "server": "sql01", "name": "AcmeProd"}],
                  "users": [{"first": "Jane", "last": "Doe", "email": "jane.doe@acme.example",
                             "sources": [JANE]}],
                  **{key: local(value) if isinstance(value, datetime.datetime) else value
                     for key, value in more.items()}}
        self.machine.write(CLIENT, f"client = {libconfig(client)};\n", 0o640)

    # ---- boots ----

    def boot(self):
        """Boots it and puts the far ends of its wires where they belong; returns systemd's verdict."""
        self.machine.boot()
        for name, (address, length) in LINKS.items():
            space = self.net.namespaces[name]
            subprocess.run(["ip", "link", "set", name, "netns",
                            f"/proc/{os.getpid()}/fd/{space.descriptor}"], check=True,
                           pass_fds=(space.descriptor,))
            space.run("ip", "addr", "add", f"{address}/{length}", "dev", name)
            space.run("ip", "link", "set", name, "up")
            space.run("ip", "route", "add", "default", "via", gateway(address))
        return self.machine.wait_up()

    def reboot(self):
        self.machine.run("systemctl", "reboot", check=False)
        code = self.machine.wait_end()
        if code != 133:
            raise AssertionError(f"systemd-nspawn ended with {code} instead of 133 at a reboot")
        return self.boot()

    # ---- what is there ----

    def reach(self, who):
        """Whether a TCP connection to the SQL Server can be made from there, through the gateway."""
        code = ("import socket,sys\n"
                f"try: socket.create_connection(({SERVER!r}, {PORT}), 1).close()\n"
                "except OSError as e: sys.exit(str(e))\n")
        return self.net.namespaces[who].run("/usr/bin/python3", "-c", code, check=False).returncode == 0

    def elements(self):
        """{source: seconds left} of the allowlist, as the machine's kernel shows it."""
        listing = self.machine.run("nft", "-j", "list", "table", "inet", "curfew", check=False)
        if listing.code != 0:
            return {}
        return {source: left for source, _, left in allowed_elements(json.loads(listing.out)["nftables"])}

    def guarded(self):
        done = self.machine.run("nft", "list", "map", "inet", "curfew", "server4", check=False)
        return done.code == 0 and SERVER in done.out

    def log(self, *matches):
        """Entries of the machine's journal."""
        text = self.machine.run("journalctl", "-o", "json", "--no-pager", "-q", *matches).out
        return [json.loads(line) for line in text.splitlines()]

    def service_pid(self, unit="curfew.service"):
        return int(self.machine.property(unit, "MainPID"))

    def processes(self):
        """{pid: (unit, /proc/PID/status as a dict)} of everything in the units' control groups."""
        found = {}
        text = self.machine.run("sh", "-c", "for u in curfew curfew-firewall curfew-boot; do "
                                "for p in $(cat /sys/fs/cgroup/system.slice/$u.service/cgroup.procs "
                                "2>/dev/null); do echo \"$p $u\"; done; done").out
        for line in text.splitlines():
            pid, unit = line.split()
            status = self.machine.run("cat", f"/proc/{pid}/status", check=False).out
            if status:
                found[int(pid)] = unit, dict(re.findall(r"^(\w+):\s*(.*)$", status, re.M))
        return found

    def close(self):
        """Everything ends; returns what went wrong inside the practice server."""
        faults = self.practice.stop() if self.practice else []
        if self.machine:
            self.machine.close()
        self.net.close()
        return faults
