"""Checks on the booted machine, in order: boot, service, failures, reboot, the life of a client."""

import datetime
import math
import os
import re
import stat
import time

from booted_asserts import equal, true, wait
from booted_lab import CLIENT, CONFIG, CREDENTIAL, JANE, LOGIN, PASSWORD, SERVER, moment

NET_ADMIN = 1 << 12
CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")
MOST_EXPOSURE = 1.2
# Ids of curfew's messages that people's alarms hang on; agent/process/log.c.
ID_STARTED = "c25b4ff710e549b9a0cc5ebe08b09128"
ID_CHANGE = "49f06010d16447d3894e7e522514812f"
ID_ASKED = "1f920f35de1a47c5bed31dcc97683b3f"
ID_FIREWALL_DEAD = "b99a94b0eeae45078ffba5be8e2ea3ff"
ID_FIREWALL_BACK = "b0cbd5808f624a19b115f5b376d1bbe3"
ID_KEPT = "3028626300874d408e716f8ad179994f"


class Booted:
    def __init__(self, lab):
        self.lab, self.machine = lab, lab.machine

    # ---- boot ----

    def unit_files_are_clean(self):
        done = self.machine.run("systemd-analyze", "verify", "--man=no", *self.units(), check=False)
        equal((done.code, done.out + done.err), (0, ""), "systemd-analyze verify")

    def units(self):
        listing = self.machine.run("sh", "-c", "cd /usr/lib/systemd/system && ls curfew*").out
        return listing.split()

    def exposure_is_low(self):
        for unit in self.units():
            if not unit.endswith(".service"):
                continue
            done = self.machine.run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
            score = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.out)[1])
            print(f"# exposure of {unit}: {score}")
            true(score <= MOST_EXPOSURE, f"{unit}: {score} is more than {MOST_EXPOSURE}")

    def boots_without_failure(self):
        failed = self.machine.run("systemctl", "--failed", "--plain", "--no-legend").out
        equal(failed, "", "failed units")
        equal(self.verdict, "running", "systemctl is-system-running")

    def monotonic(self, unit, name):
        return int(self.machine.property(unit, name + "TimestampMonotonic"))

    def guard_is_up_before_the_network(self):
        equal(self.machine.property("curfew-boot.service", "ActiveState"), "active", "curfew-boot")
        equal(self.machine.property("curfew-boot.service", "Result"), "success", "curfew-boot")
        before = self.machine.property("curfew-boot.service", "Before").split()
        true("network-pre.target" in before, f"curfew-boot is ordered before {before}")
        guarded = self.monotonic("curfew-boot.service", "ActiveEnter")
        for unit, when in (("network-pre.target", "ActiveEnter"), ("systemd-networkd.service", "InactiveExit")):
            true(0 < guarded <= self.monotonic(unit, when), f"{unit} came before curfew-boot was done")
        true(self.lab.guarded(), f"{SERVER} is not guarded")

    def service_reaches_ready(self):
        wait(lambda: self.machine.property("curfew.service", "ActiveState") == "active", "curfew is active")
        equal(self.machine.property("curfew.service", "Type"), "notify", "type")
        uids = {unit: self.machine.run("id", "-u", unit).out.strip() for unit in ("curfew", "curfew-firewall")}
        pid = self.lab.service_pid()
        equal(len({"0", *uids.values()}), 3, "users of the units, and root")
        for owner, status in self.lab.processes().values():
            equal(set(status["Uid"].split()), {uids[owner]}, f"users of {status['Name']} of {owner}")
        true("curfew-firewall" in {owner for owner, _ in self.lab.processes().values()}, "no firewall process")
        true(pid in self.lab.processes(), "the main process is not in its control group")

    # ---- rights ----

    def processes_have_their_rights_and_no_more(self):
        """Each unit counts the filters that the service manager has put on: what is above them is its own."""
        for unit in ("curfew", "curfew-firewall"):
            self.machine.write(f"/etc/systemd/system/{unit}.service.d/count.conf",
                               "[Service]\nExecStartPre=grep Seccomp_filters /proc/self/status\n")
        self.machine.run("systemctl", "daemon-reload")
        self.lab.practice.faults(stall_prelogin=True)
        try:
            self.machine.run("systemctl", "restart", "curfew.service")
            found = wait(self.with_worker, "a SQL worker that has shed its rights")
        finally:
            self.lab.practice.faults()
        holders = []
        for pid, (unit, status) in found.items():
            print(f"# {unit} {pid}: " + ", ".join(f"{name} {status[name]}" for name in (
                *CAPABILITY_SETS, "CapBnd", "NoNewPrivs", "Seccomp", "Seccomp_filters")))
            equal(status["NoNewPrivs"], "1", f"NoNewPrivs of {pid} of {unit}")
            equal(status["Seccomp"], "2", f"Seccomp of {pid} of {unit}")
            true(int(status["Seccomp_filters"]) > self.filters_given(unit), f"{pid} of {unit} has no filter of its own")
            if any(int(status[name], 16) for name in (*CAPABILITY_SETS, "CapBnd")):
                holders.append(pid)
                equal(unit, "curfew-firewall", f"the unit of {pid}, which has a capability")
                equal((status["CapPrm"], status["CapEff"]), (f"{NET_ADMIN:016x}",) * 2, f"capabilities of {pid}")
                equal(int(status["CapBnd"], 16) & ~NET_ADMIN, 0, f"CapBnd of {pid}")
        equal(len(holders), 1, "processes with a capability")
        equal(len(found), 3, "processes: engine, firewall process, SQL worker")

    def filters_given(self, unit):
        entries = self.lab.log("SYSLOG_IDENTIFIER=grep", f"_SYSTEMD_UNIT={unit}.service")
        return int(entries[-1]["MESSAGE"].split()[-1])

    def with_worker(self):
        """The processes, once there is a worker and it has a filter more than the engine."""
        found, main = self.lab.processes(), self.lab.service_pid()
        if main not in found:
            return None
        filters = int(found[main][1]["Seccomp_filters"])
        workers = [s for _, s in found.values() if s["PPid"] == str(main)]
        return found if any(int(s["Seccomp_filters"]) > filters for s in workers) else None

    def credential_comes_from_the_service_manager(self):
        folder = "/run/credentials/curfew.service"
        names = self.machine.run("ls", folder).out.split()
        equal([n for n in names if n.endswith("sql01")], ["curfew_sql01"], "credentials of the service")
        path = f"{folder}/curfew_sql01"
        equal(self.machine.run("cat", path).out, PASSWORD + "\n", "the credential")
        for user in ("stranger", "olga"):
            for file in (path, CREDENTIAL):
                done = self.machine.run("cat", file, check=False, user=user)
                true(done.code != 0 and PASSWORD not in done.out, f"{user} can read {file}")
        inside = self.machine.run("runuser", "-u", "curfew", "--", "cat", CREDENTIAL, check=False)
        true(inside.code != 0, f"the service's user can read {CREDENTIAL}")
        text = self.machine.run("sh", "-c", f"cat /proc/{self.lab.service_pid()}/environ").out
        true(f"CREDENTIALS_DIRECTORY={folder}" in text.split("\0"), "no CREDENTIALS_DIRECTORY")
        true(PASSWORD not in text, "the password stands in the environment")

    def control_socket_is_for_its_group(self):
        # /run of the machine is a file system of its own: look through its first process.
        path = f"/proc/{self.machine.leader}/root/run/curfew/control"
        found = os.stat(path)
        true(stat.S_ISSOCK(found.st_mode), "no socket")
        equal(stat.S_IMODE(found.st_mode), 0o660, "mode")
        names = self.machine.run("stat", "-c", "%U %G", "/run/curfew/control").out.split()
        equal(names, ["curfew", "curfew"], "owner and group")
        done = self.machine.run("curfew", "status", check=False, user="olga")
        true(done.code in (0, 2) and LOGIN in done.out, f"the operator: {done}")
        asked = self.lab.log(f"MESSAGE_ID={ID_ASKED}", "CURFEW_ACTOR=olga (uid 1000)")
        true(asked, "the system log does not say who asked")
        done = self.machine.run("curfew", "status", check=False, user="stranger")
        true(done.code not in (0, 2) and LOGIN not in done.out, f"the stranger: {done}")

    # ---- service ----

    def system_log_has_its_fields(self):
        started = self.lab.log(f"MESSAGE_ID={ID_STARTED}", "_SYSTEMD_UNIT=curfew.service")
        true(started, "no message that it has started")
        equal(started[-1]["SYSLOG_IDENTIFIER"], "curfew", "identifier")
        changes = wait(lambda: self.lab.log(f"MESSAGE_ID={ID_CHANGE}", "CURFEW_CLIENT=acme",
                                            f"CURFEW_LOGIN={LOGIN}", "CURFEW_SERVER=sql01"),
                       "changes with client, login and server")
        for field in ("MESSAGE", "PRIORITY", "CURFEW_REASON", "CURFEW_ACTOR"):
            true(all(field in e for e in changes), f"a change without {field}: {changes[0]}")
        everything = self.machine.run("journalctl", "--no-pager", "-o", "json", "-u", "curfew*").out
        true(PASSWORD not in everything, "the password stands in the system log")

    def access_is_open(self):
        wait(lambda: self.lab.practice.login(LOGIN) and not self.lab.practice.login(LOGIN)[1], "an enabled login")
        wait(lambda: JANE in self.lab.elements(), "an element")
        wait(lambda: self.lab.reach("jane"), "a connection from the allowed address")
        true(not self.lab.reach("other"), "a connection from another address was made")

    def reload_takes_what_is_new(self):
        end = self.lab.elements()[JANE]
        self.lab.client_write(users=[{"first": "Jane", "last": "Doe", "email": "jane.doe@acme.example",
                                      "sources": [JANE, "203.0.113.8"]}])
        self.machine.run("systemctl", "reload", "curfew.service")
        wait(lambda: "203.0.113.8" in self.lab.elements(), "the new source")
        true(self.lab.elements()[JANE] <= end, "the end of the old one has moved")

    def broken_file_leaves_the_last_good_version(self):
        pid, elements = self.lab.service_pid(), set(self.lab.elements())
        self.machine.write(CLIENT, "client = { name = \"acme\"; users = ( ; };\n", 0o640)
        try:
            done = self.machine.run("systemctl", "reload", "curfew.service", check=False)
            true(done.code != 0, "the reload says that all is well")
            wait(lambda: self.lab.log(f"MESSAGE_ID={ID_KEPT}"), "a message about the broken file")
            equal(self.machine.property("curfew.service", "ActiveState"), "active", "the service")
            equal(self.lab.service_pid(), pid, "the main process")
            equal(set(self.lab.elements()), elements, "the allowlist")
            true(self.lab.reach("jane"), "the allowed address does not reach the server any more")
        finally:
            self.lab.client_write()
            self.machine.run("systemctl", "reload", "curfew.service")
        wait(lambda: "203.0.113.8" not in self.lab.elements(), "the source that is gone again")

    def watchdog_time(self):
        """The service's last message to the watchdog, in microseconds since boot."""
        return int(self.machine.property("curfew.service", "WatchdogTimestampMonotonic"))

    def watchdog_ends_what_hangs(self):
        """With a shorter period, as an operator would set it: nobody wants to wait for the usual one."""
        self.machine.write("/etc/systemd/system/curfew.service.d/watchdog.conf",
                           "[Service]\nWatchdogSec=2\nRestartSec=1\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", "curfew.service")
        restarts = int(self.machine.property("curfew.service", "NRestarts"))
        pid = self.lab.service_pid()
        first = self.watchdog_time()
        wait(lambda: self.watchdog_time() > first + 3_000_000, "messages to the watchdog for longer than its period")
        equal(self.lab.service_pid(), pid, "the main process, while it is well")
        self.machine.run("kill", "-STOP", str(pid))
        wait(lambda: self.lab.service_pid() not in (0, pid), "another main process")
        wait(lambda: self.machine.property("curfew.service", "ActiveState") == "active", "active again")
        true(int(self.machine.property("curfew.service", "NRestarts")) > restarts, "no restart was counted")
        true(self.lab.log("UNIT=curfew.service", "UNIT_RESULT=watchdog"), "not ended by the watchdog")
        true(self.lab.reach("jane"), "the allowed address does not reach the server any more")
        os.unlink(self.machine.path("/etc/systemd/system/curfew.service.d/watchdog.conf"))
        self.machine.run("systemctl", "daemon-reload")

    def killed_firewall_process_leaves_the_table(self):
        firewall = [pid for pid, (_, s) in self.lab.processes().items() if int(s["CapEff"], 16)]
        equal(len(firewall), 1, "firewall processes")
        main = self.lab.service_pid()
        self.machine.run("kill", "-KILL", str(firewall[0]))
        true(self.lab.guarded(), "the endpoint is not guarded any more")
        true(not self.lab.reach("other"), "another address reaches the server")
        wait(lambda: self.lab.service_pid("curfew-firewall.service") not in (0, firewall[0]), "another firewall process")
        wait(lambda: self.lab.log(f"MESSAGE_ID={ID_FIREWALL_BACK}"), "the service has the packet filter again")
        equal(self.lab.service_pid(), main, "the service's main process")
        true(self.lab.guarded(), "the endpoint is not guarded afterward")

    def stopped_log_holds_nothing_up(self):
        """Its socket takes some hundred messages that nobody reads; what it does not take is told behind them."""
        journald = self.machine.property("systemd-journald.service", "MainPID")
        self.machine.run("kill", "-STOP", journald)
        try:
            # One sender alone has no room for as many.
            self.machine.run("sh", "-c", "for i in 1 2 3 4; do yes filler | timeout 1 logger --socket "
                             "/run/systemd/journal/socket; done", check=False)
            self.machine.run("curfew", "revoke", "acme", "--reason", "a laptop was stolen")
            true(not self.lab.reach("jane"), "who is revoked reaches the server")
            equal(self.lab.practice.login(LOGIN), None, "the login of who is revoked")
        finally:
            self.machine.run("kill", "-CONT", journald)
        self.machine.run("curfew", "reinstate", "acme", "--reason", "it was found again")
        self.access_is_open()

        def told():
            # The next message that it takes: each request makes one.
            self.machine.run("curfew", "denied")
            return [e for e in self.lab.log("SYSLOG_IDENTIFIER=curfew") if "the system log did not take" in e["MESSAGE"]]
        wait(told, "how many messages the system log did not take")

    def stopping_leaves_the_table(self):
        self.machine.run("systemctl", "stop", "curfew.service")
        try:
            equal(self.machine.property("curfew.service", "Result"), "success", "how it stopped")
            equal([u for u, _ in self.lab.processes().values()], [], "processes left")
            true(self.lab.guarded(), "the endpoint is not guarded any more")
            true(JANE in self.lab.elements(), "the allowlist is gone")
            true(self.lab.reach("jane"), "the allowed address does not reach the server any more")
            true(not self.lab.reach("other"), "another address reaches the server")
        finally:
            self.machine.run("systemctl", "start", "curfew.service")

    # ---- reboot ----

    def reboot_guards_before_the_network(self):
        """With a service that stays down, and a server that nobody reaches: what is there, boot has put there."""
        self.machine.run("systemctl", "disable", "--quiet", "curfew.service")
        deaths = self.lab.log(f"MESSAGE_ID={ID_FIREWALL_DEAD}")
        self.verdict = self.lab.reboot()
        equal(self.lab.log(f"MESSAGE_ID={ID_FIREWALL_DEAD}"), deaths, "alarms for the shutdown's sake")
        equal(self.machine.property("curfew.service", "ActiveState"), "inactive", "the service")
        self.guard_is_up_before_the_network()
        true(JANE in self.lab.elements(), f"the allowlist after the boot: {self.lab.elements()}")
        true(all(self.lab.elements().values()), "an element without an end")
        wait(lambda: self.lab.reach("jane"), "a connection from the allowed address")
        true(not self.lab.reach("other"), "a connection from another address was made")
        self.boots_without_failure()
        self.machine.run("systemctl", "enable", "--quiet", "--now", "curfew.service")
        true(self.lab.reach("jane"), "the service has shut the allowed address out")

    def broken_configuration_at_boot(self):
        """The last good version of curfew.conf guards; `curfew check` would have told, and nobody asked it."""
        with open(self.machine.path(CONFIG), encoding="utf-8") as file:
            good = file.read()
        self.machine.write(CONFIG, "servers = ( { name = ", 0o640)
        self.verdict = self.lab.reboot()
        try:
            self.guard_is_up_before_the_network()
            wait(lambda: self.lab.reach("jane"), "a connection from the allowed address")
            true(not self.lab.reach("other"), "a connection from another address was made")
            wait(lambda: self.machine.property("curfew.service", "ActiveState") == "active", "curfew is active")
        finally:
            self.machine.write(CONFIG, good, 0o640)
        self.machine.run("systemctl", "reload", "curfew.service")

    # ---- a life ----

    def roles(self, database):
        practice = self.lab.practice
        return practice.roles(LOGIN, database) if practice.user(LOGIN, database) else []

    def go_live_comes(self):
        """The file says an instant in some seconds; nobody does anything then."""
        equal(self.roles("AcmeTest"), ["curfew_full"], "Jane's roles in staging")
        equal(self.roles("AcmeProd"), [], "Jane's roles in production")
        self.transition()
        equal(self.roles("AcmeTest"), ["curfew_full"], "Jane's roles in staging before go-live")
        wait(lambda: self.roles("AcmeTest") == ["curfew_read_only"], "staging is read-only")
        wait(lambda: self.roles("AcmeProd") == ["curfew_read_only"], "production is read-only")
        true(moment() >= self.instant, "narrowed before the instant")
        wait(lambda: self.lab.reach("jane"), "in again, when the narrowing is proved")

    def staging_ends(self):
        self.transition(days=14)
        wait(lambda: not self.lab.practice.user(LOGIN, "AcmeTest"), "no user in staging")
        true(moment() >= self.instant, "ended before the instant")
        equal(self.roles("AcmeProd"), ["curfew_read_only"], "Jane's roles in production")
        wait(lambda: self.lab.reach("jane"), "in again, when the narrowing is proved")

    def everything_ends(self):
        self.transition(days=30)
        true(self.lab.reach("jane"), "shut before the instant")
        wait(lambda: not self.lab.reach("jane"), "the network is shut")
        wait(lambda: self.lab.practice.login(LOGIN) is None, "no login")
        true(moment() >= self.instant, "ended before the instant")
        for database in ("AcmeTest", "AcmeProd"):
            true(not self.lab.practice.user(LOGIN, database), f"a user in {database}")
        equal(self.lab.practice.sessions_of(LOGIN), [], "sessions")
        equal(self.lab.elements(), {}, "the allowlist")
        true(self.lab.guarded(), "the endpoint is not guarded any more")
        done = self.machine.run("curfew", "audit", check=False)
        equal(done.code, 0, f"curfew audit: {done}")

    def transition(self, days=0):
        """Go-live, or what comes so many days after it, far enough ahead for a machine as busy as this one is now."""
        began = time.monotonic()
        self.machine.run("systemctl", "reload", "curfew.service")
        self.instant = moment(seconds=5 + math.ceil(4 * (time.monotonic() - began)))
        self.lab.client_write(go_live=self.instant - datetime.timedelta(days=days))
        self.machine.run("systemctl", "reload", "curfew.service")

    CHECKS = (
        ("systemd-analyze verify finds nothing", unit_files_are_clean),
        (f"systemd-analyze security: every service at most {MOST_EXPOSURE}", exposure_is_low),
        ("boots to the end, no unit failed", boots_without_failure),
        ("the boot unit guards the endpoint before the network", guard_is_up_before_the_network),
        ("the service reaches ready, as its own user", service_reaches_ready),
        ("the login is made and the allowed address alone gets through", access_is_open),
        ("the credential comes from the service manager, for nobody else", credential_comes_from_the_service_manager),
        ("capabilities, no_new_privs and filters of each process", processes_have_their_rights_and_no_more),
        ("the control socket is its group's", control_socket_is_for_its_group),
        ("the system log has message ids and fields, and no secret", system_log_has_its_fields),
        ("systemctl reload takes what is new", reload_takes_what_is_new),
        ("a broken client file fails the reload and leaves the last good version",
         broken_file_leaves_the_last_good_version),
        ("the watchdog kills what hangs, and it starts again", watchdog_ends_what_hangs),
        ("the firewall process killed: the kernel and the service go on, and call another",
         killed_firewall_process_leaves_the_table),
        ("a system log that has stopped holds no revocation up, and is told what it missed",
         stopped_log_holds_nothing_up),
        ("stopping leaves the table in force", stopping_leaves_the_table),
        ("after a reboot the allowlist is there before the network", reboot_guards_before_the_network),
        ("a broken curfew.conf at boot: its last good version guards", broken_configuration_at_boot),
        ("go-live comes by itself: read-only", go_live_comes),
        ("14 days later staging ends by itself", staging_ends),
        ("30 days later everything is gone by itself", everything_ends),
    )
