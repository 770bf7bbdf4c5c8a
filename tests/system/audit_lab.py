"""A lab for audits: one practice server and one agent on loopback, without a packet filter."""

import datetime
import os
import shutil
import tempfile
import unittest

import lab
import net
from agent import Agent
from practice import Certificates, PracticeServer

HOST, PORT = "127.0.0.1", 1433
# Statements that observe, or that say as whom and where to observe.
HARMLESS = ("SELECT", "USE", "EXECUTE AS USER", "REVERT", "SET", "DECLARE")


def checks(finding):
    """The names of all checks that found it."""
    return [finding["name"], *finding["also"]]


def instant(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)


class AuditLab:
    """`servers`: {name: databases}. Clients start ten days ago and go live in twenty, unless said otherwise."""

    def __init__(self, servers=None, script="", arguments=(), **settings):
        self.directory = tempfile.mkdtemp(prefix="curfew-audit-")
        self.space, self.servers = net.Namespace("audit"), {}
        self.golive = lab.now() + lab.days(20)
        try:
            certificates = Certificates(self.path("tls"), HOST)
            self.agent = Agent(self.space, self.path("curfew"), firewall={"enabled": False}, **settings)
            for number, (name, databases) in enumerate((servers or {"sql01": ("AcmeTest",)}).items()):
                self.servers[name] = PracticeServer(
                    self.space, self.path(name), certificates, name=name, address=HOST,
                    port=PORT + number, databases=databases, script=script, arguments=arguments)
                self.agent.server_add(name, host=HOST, port=PORT + number, ca=certificates.ca,
                                      endpoints=[f"{HOST}:{PORT + number}", f"[2001:db8::5]:{PORT + number}"])
            self.agent.write()
        except BaseException:
            self.close()
            raise

    def path(self, *names):
        return os.path.join(self.directory, *names)

    @property
    def server(self):
        return next(iter(self.servers.values()))

    def client_add(self, name, databases, users=(("Jane", "Doe"),), **client):
        """`databases`: (role, server, name, ...) each; `users`: (first, last) each."""
        client = {"approved_on": lab.day(lab.now() - lab.days(12)),
                  "starts": lab.day(lab.now() - lab.days(10)), "go_live": lab.local(self.golive),
                  **client}
        self.agent.client_add(
            name, databases=[dict(zip(("role", "server", "name", "before_go_live"), d)) for d in databases],
            users=[{"first": first, "last": last, "email": f"{first}.{last}@{name}.example".lower(),
                    "sources": [f"203.0.113.{number + 7}"]}
                   for number, (first, last) in enumerate(users)], **client)
        self.agent.write()
        for server in {d[1] for d in databases}:
            self.agent.bootstrap(server, self.servers[server])

    def close(self):
        faults = []
        for server in self.servers.values():
            faults += server.stop()
        self.space.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return faults


class AuditCase(unittest.TestCase):
    def lab_make(self, **options):
        found = AuditLab(**options)
        self.addCleanup(lambda: self.assertEqual(found.close(), [], "practice server's own faults"))
        return found

    def audit(self, found, expect=None, *more):
        return found.agent.curfew("audit", "--json", *more, expect=expect).json

    def findings(self, audit, check=None):
        return [f for f in audit["findings"] if check is None or check in checks(f)]

    def certificate(self, found, *more, expect=0):
        return found.agent.curfew("certificate", "acme", *more, expect=expect)

    def refused(self, found, *words):
        """No certificate, and these words of why."""
        result = self.certificate(found, "--json", expect=2)
        self.assertEqual(result.out, "")
        for word in words:
            self.assertIn(word, result.err)

    def clean(self, found):
        """Nothing to say against anything."""
        result = found.agent.curfew("audit", "--json")
        self.assertEqual(result.json["findings"], [])
        self.assertEqual(result.code, 0, str(result))
