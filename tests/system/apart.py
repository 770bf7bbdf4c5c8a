"""The packet filter's process as the units have it: a user and a folder of its own."""

import glob
import os
import subprocess

import lab
from case import LabCase
from lab import days
from service import Service, until
from state_owner import GROUP, OWNER, give


class ApartCase(LabCase):
    """As the units have it: the packet filter's process is one user's, the service another's."""

    FILTER = 23458

    def apart_make(self, **options):
        self.found = self.lab_make(**options)
        agent = self.found.agent
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.files_open()
        self.elsewhere = agent.path("elsewhere")
        for folder in ("run", "elsewhere"):
            os.makedirs(agent.path(folder), exist_ok=True)
        self.own = agent.path("own")
        os.makedirs(self.own, 0o750)
        for folder in (self.elsewhere, self.own):
            os.chown(folder, self.FILTER, self.FILTER)
        for folder, mode in ((self.found.directory, 0o711), (agent.directory, 0o755),
                             (agent.path("clients.d"), 0o755), (os.path.dirname(self.found.certificates.ca), 0o711)):
            os.chmod(folder, mode)
        os.chmod(self.found.certificates.ca, 0o644)
        for folder in ("state", "credentials", "run"):
            give(agent.path(folder))
        os.chmod(agent.path("state"), 0o750)
        self.socket = os.path.join(self.elsewhere, "engine")

    def files_open(self):
        """Written by root, read by both."""
        agent = self.found.agent
        for file in (agent.config, *glob.glob(agent.path("clients.d", "*"))):
            os.chmod(file, 0o644)

    def filter_start(self, mode):
        """Waits on its socket, which is the service's user's, as the service manager would make it."""
        agent = self.found.agent
        child = self.found.hub.start(
            "setpriv", f"--reuid={self.FILTER}", f"--regid={self.FILTER}", f"--groups={GROUP}",
            "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin",
            "systemd-socket-activate", "--seqpacket", "-E", f"STATE_DIRECTORY={self.own}", "-l", self.socket, "--",
            *agent.command("firewall"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: os.path.exists(self.socket), "the socket", lambda: child.poll() is None)
        os.chown(self.socket, OWNER, GROUP)
        os.chmod(self.socket, mode)
        return child

    def service_start(self, elements=2):
        self.filter = self.filter_start(0o600)
        service = Service(self.found, under=("setpriv", f"--reuid={OWNER}", f"--regid={GROUP}", "--clear-groups",
                                             "--bounding-set=-all", "env", f"CURFEW_FIREWALL={self.socket}"))
        self.addCleanup(service.close)
        if elements:
            until(lambda: len(self.found.agent.elements()) == elements, "both addresses are let in")
        return service

    def pair_stop(self, service):
        service.close()
        self.filter.communicate(timeout=60)
        os.unlink(self.socket)

    def boot(self):
        """The machine starts: the kernel has no table, and the boot unit runs."""
        hub = self.found.hub
        hub.run("nft", "delete", "table", "inet", "curfew")
        return hub.run("setpriv", f"--reuid={OWNER}", f"--regid={GROUP}", f"--groups={self.FILTER}",
                       "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin",
                       "env", f"CURFEW_FIREWALL_FOLDER={self.own}", *self.found.agent.command("apply", "--boot"))
