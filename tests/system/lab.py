"""A lab: clients, a gateway or a guarded host, SQL servers, and Curfew. Real packets and real TDS.

Two shapes. "box": the packet filter and the SQL server on one host (hook input). "gateway": users reach
a public address on a gateway, which translates it to servers behind it (hook forward). All addresses are of
the ranges for documentation and benchmarks.
"""

import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import dataclass, field

import net
from agent import Agent
from practice import SLOW, Certificates, PracticeServer

PERSON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "person.py")
JANE = ("203.0.113.7", "2001:db8:7::7")        # the allowed address
OTHER = ("198.51.100.66", "2001:db8:66::66")   # anybody else's
PUBLIC = ("192.0.2.10", "2001:db8:2::10")      # what people connect to
PORT = 1433
CERTIFICATE_NAME = "sql01.example"
# Of what has to answer: a guard against hanging, far beyond what it takes on a machine that is busy.
ANSWER_SECONDS = 60 * SLOW
# No packet comes back from where the network is shut, so nobody can tell but by waiting.
SHUT_SECONDS = 0.5 * SLOW


def require():
    """For setUpModule: an own network, or the reason why not, aloud."""
    why = net.process_set_apart()
    if why:
        print(f"SKIPPED: {why}", file=sys.stderr)
        raise unittest.SkipTest(why)


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def day(instant):
    return instant.strftime("%Y-%m-%d")


def local(instant):
    """As a client file and --at write it, to the second, in UTC."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S")


def days(number):
    return datetime.timedelta(days=number)


def seconds(number):
    return datetime.timedelta(seconds=number)


def wait_past(instant):
    """Until that second is over: the journal counts seconds, and an archive takes what is before one."""
    while now() <= instant:
        time.sleep(0.02)


@dataclass
class Answer:
    ok: bool
    rows: list = field(default_factory=list)
    address: str = ""
    number: int = 0       # SQL Server's error, when it refused
    text: str = ""
    network: str = ""     # why nothing answered

    def __str__(self):
        if self.ok:
            return f"ok {self.rows}"
        return self.network or f"refused: {self.number} {self.text}"


class Person:
    """Somebody with a client program in one of the namespaces."""

    def __init__(self, space, target, port, ca, name):
        self._child = space.start("/usr/bin/python3", PERSON, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.target, self.port, self.ca, self.name = target, port, ca, name

    def _ask(self, **request):
        self._child.stdin.write(json.dumps(request) + "\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        if not line:
            raise AssertionError("the person's client program has died")
        return Answer(**json.loads(line))

    def reach(self, timeout=SHUT_SECONDS):
        return self._ask(op="reach", host=self.target, port=self.port, timeout=timeout)

    def login(self, user, password, database=None, new_password=None, timeout=ANSWER_SECONDS):
        return self._ask(op="login", host=self.target, port=self.port, name=self.name, ca=self.ca,
                         user=user, password=password, database=database,
                         new_password=new_password, timeout=timeout)

    def strange(self, user, password, database, calls_itself, timeout=ANSWER_SECONDS):
        return self._ask(op="strange", host=self.target, port=self.port, ca=self.ca, user=user, password=password,
                         database=database, calls_itself=calls_itself, timeout=timeout)

    def sql(self, text, timeout=ANSWER_SECONDS):
        return self._ask(op="sql", text=text, timeout=timeout)

    def logout(self):
        return self._ask(op="logout")


class Lab:
    def __init__(self, shape="box", servers=None, faults=(), arguments=(), replicas=(), **settings):
        """`servers`: {name: databases}; in a box there is one. `arguments`: more of each practice server's.
        `replicas`: servers that hold the databases of the first one too."""
        self.directory = tempfile.mkdtemp(prefix="curfew-lab-")
        self.net, self.servers = net.Net(), {}
        try:
            self._build(shape, servers or {"sql01": ("AcmeTest", "AcmeProd")}, faults, arguments, replicas, settings)
        except BaseException:
            self.close()
            raise

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def _build(self, shape, servers, faults, arguments, replicas, settings):
        self.hub = self.net.add(shape, forwards=shape == "gateway")
        for name, addresses in (("jane", JANE), ("other", OTHER)):
            self.net.connect(self.net.add(name), self.hub, addresses)
        for address in PUBLIC:
            self.hub.run("ip", "addr", "add", address, "dev", "lo")
        self.certificates = Certificates(self.path("tls"), CERTIFICATE_NAME, *PUBLIC, *(
            address for number in range(len(servers)) for address in self.behind(number)))
        self.agent = Agent(self.hub, self.path("curfew"),
                           firewall={"hooks": ["input" if shape == "box" else "forward"],
                                     "log": False}, **settings)
        for number, (name, databases) in enumerate(servers.items()):
            self._server_add(shape, number, name, databases, faults, arguments)
        if replicas:
            self.agent.servers[next(iter(servers))]["replicas"] = list(replicas)
        self.agent.write()
        for name, server in self.servers.items():
            # Without clients bootstrap knows no databases: its part in each comes with client_add().
            self.agent.bootstrap(name, server, self.servers)

    @staticmethod
    def behind(number):
        """A server's own addresses behind the gateway."""
        return (f"10.20.{number + 1}.5", f"2001:db8:20:{number + 1}::5")

    def _server_add(self, shape, number, name, databases, faults, arguments):
        space, host = self.hub, PUBLIC[0]
        endpoints = [f"{PUBLIC[0]}:{PORT}", f"[{PUBLIC[1]}]:{PORT}"]
        if shape == "gateway":
            behind = self.behind(number)
            space, host = self.net.add(name), behind[0]
            self.net.connect(space, self.hub, behind)
            endpoints = [f"{behind[0]}:{PORT}", f"[{behind[1]}]:{PORT}"]
            # The first server has the usual port on the gateway, the next one the port after it.
            for family, address, target in (("ip", PUBLIC[0], behind[0]),
                                            ("ip6", PUBLIC[1], f"[{behind[1]}]")):
                self.hub.run("nft", f"add table {family} lab; add chain {family} lab arriving "
                             "{ type nat hook prerouting priority dstnat; }; "
                             f"add rule {family} lab arriving {family} daddr {address} "
                             f"tcp dport {PORT + number} dnat to {target}:{PORT}")
        self.servers[name] = PracticeServer(
            space, self.path(name), self.certificates, name=name, port=PORT,
            databases=databases, faults=faults, arguments=arguments)
        self.agent.server_add(name, host=host, port=PORT, ca=self.certificates.ca,
                              endpoints=endpoints)

    @property
    def server(self):
        return next(iter(self.servers.values()))

    def client_add(self, name, databases, users=None, **client):
        """`databases`: (role, server, name, ...) each. Jane is the user unless others are given."""
        jane = {"first": "Jane", "last": "Doe", "email": f"jane.doe@{name}.example",
                "sources": list(JANE)}
        self.agent.client_add(
            name, databases=[dict(zip(("role", "server", "name", "before_go_live"), database))
                             for database in databases],
            users=users or [jane], **client)
        self.agent.write()
        for server in {database[1] for database in databases}:
            self.agent.bootstrap(server, self.servers[server])

    def person(self, where, target=PUBLIC[0], port=PORT):
        return Person(self.net.namespaces[where], target, port, self.certificates.ca,
                      CERTIFICATE_NAME)

    def close(self):
        """Everything ends, whatever happened; returns what went wrong inside the practice servers."""
        faults = []
        for server in self.servers.values():
            faults += server.stop()
        self.net.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return faults
