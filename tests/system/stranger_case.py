"""A client with one user, on servers where others change things too."""

import lab
from case import USER, LabCase
from lab import days

PASSWORD = "Set-by-the-DBA-7"


class StrangerCase(LabCase):
    def setUp(self):
        self.golive = lab.now() + days(20)

    def acme(self, *databases, servers=None, **options):
        """A laboratory with client acme; databases are (role, server, name)."""
        self.found = self.lab_make(**({"servers": servers} if servers else {}), **options)
        self.agent, self.server = self.found.agent, self.found.server
        self.found.client_add("acme", databases or [("staging", "sql01", "AcmeTest")],
                              **self.dates(self.golive))

    def jane_in(self, database="AcmeTest"):
        """Jane with an open session, without the hand-over's detours."""
        self.server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD}'")
        jane = self.found.person("jane")
        self.works(jane.login(USER, PASSWORD, database))
        return jane
