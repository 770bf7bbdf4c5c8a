"""The service in a lab: started, queried, stopped."""

import json
import os
import signal
import socket
import time

import lab
from case import USER, LabCase
from practice import SLOW

# How long anything may take that has to come: far beyond what it takes, for a machine that is busy.
COMES = 240 * SLOW


class Service:
    """`curfew run`, and what it says."""

    def __init__(self, found, agent=None, log="service.log", under=()):
        self.agent, self.under = agent or found.agent, under
        self.log_path = found.path(log)
        self._log = open(self.log_path, "a", encoding="utf-8")
        self.process = None
        self.start()

    def start(self):
        before = len(self.log())
        self.process = self.agent.space.start(*self.under, *self.agent.command("run"), stdout=self._log,
                                              stderr=self._log, text=True)
        until(lambda: "started: " in self.log()[before:], lambda: f"the service is started:\n{self.log()[before:]}",
              lambda: self.process.poll() is None)

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def says(self, text, since=0):
        """Soon, if not yet: a line of the log follows what it is about."""
        until(lambda: text in self.log()[since:], lambda: f"'{text}' in the log:\n{self.log()[since:]}")

    def ask(self, **request):
        """One request over the control socket; its last word."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(240)  # a hang guard: a status waits for what its slowest server may take
            s.connect(os.path.join(self.agent.settings["runtime_directory"], "control"))
            s.sendall((json.dumps(request) + "\n").encode())
            with s.makefile(encoding="utf-8") as file:
                for line in file:
                    answer = json.loads(line)
                    if "end" in answer:
                        return answer
        raise AssertionError("no last word")

    def metric(self, name):
        if not os.path.exists(self.agent.settings["metrics_file"]):
            return None  # before the first pass has ended
        with open(self.agent.settings["metrics_file"], encoding="utf-8") as file:
            for line in file:
                if line.startswith(name + " "):
                    return float(line.split()[1])
        return None

    def metric_comes(self, name, value):
        """The metrics are written when a pass has ended, which is after what it changed."""
        until(lambda: self.metric(name) == value, lambda: f"{name} is {value}, not {self.metric(name)}")

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(COMES)

    def kill(self):
        """As kill -9 does; its processes go with it, and the next one needs the table that they own."""
        children = self.children()
        self.process.kill()
        self.process.wait(COMES)
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "its processes have ended")

    def close(self):
        self.stop()
        self._log.close()


def until(condition, what, alive=lambda: True, seconds=COMES):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        if not alive():
            break
        time.sleep(0.05)
    raise AssertionError(f"did not come: {what() if callable(what) else what}")


class ServiceCase(LabCase):
    # Guards against hanging: a server that is to be away ends a connection at once, see server_goes_away().
    LIMITS = {"connect_timeout": 30, "server_deadline": 240}

    def service_make(self, golive, limits=None, started=10, **options):
        self.found = self.lab_make(limits=limits or self.LIMITS, **options)
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive, started))
        self.service = Service(self.found)
        self.addCleanup(self.service.close)
        return self.service

    def golive_comes(self, days_ago=0, ahead=5, take=None, meanwhile=lambda: None, back=lambda: None):
        """Go-live of every client, or what comes so many days after it: in some seconds, and the service knows it.

        For when the stage stands and not before: how long that takes is no business of an instant. `meanwhile` has to be
        done before it comes: a machine too busy for that gets another instant, further ahead, after `back`. A go-live that
        has passed moves by a new approval alone.
        """
        for turn, wait in enumerate((ahead, 3 * ahead, 9 * ahead, 27 * ahead)):
            instant = lab.now() + lab.seconds(wait * SLOW)
            for client in self.agent.clients.values():
                client["go_live"] = lab.local(instant - lab.days(days_ago))
                if turn:
                    client.update(ticket=f"CS-again-{turn}", approved_on=lab.day(lab.now()))
            self.agent.write()
            if take:
                take()
            else:
                self.agent.curfew("reload", expect=0)
            meanwhile()
            if time.time() < instant.timestamp() - 0.5:
                return instant
            back()
        raise AssertionError("this machine is too slow for this test")

    def server_goes_away(self):
        """With everything as scheduled and on record. A worker that waits for the next instant has a session already."""
        self.agent.apply(expect=0)
        self.found.server.let_nobody_in("curfew_agent", drop_prelogin=True)

    def role_comes(self, role, server="sql01", alive=lambda: True):
        wanted = [role] if role else []
        until(lambda: self.found.servers[server].roles(USER, "AcmeTest") == wanted,
              lambda: f"{role} on {server}; the service said:\n{self.service.log()}", alive)

    def elements_come(self, number):
        until(lambda: len(self.agent.elements()) == number, f"{number} elements")
