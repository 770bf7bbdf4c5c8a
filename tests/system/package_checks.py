"""Checks of the installed package, in order: installed, booted, configured, upgraded, removed, installed again, purged with
either answer."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import traceback

import booted_machine
from booted_asserts import equal, log_keep, true, wait
from practice import Certificates

CONFIG = "/etc/curfew/curfew.conf"
JOURNAL = "/var/lib/curfew/journal.db"
SERVER = "192.0.2.17"
TEXT = f"""# ours
servers = ( {{ name = "sql01"; host = "{SERVER}"; ca_file = "/etc/curfew/tls/sql-ca.pem"; }} );
"""
UNITS = ("curfew-boot.service", "curfew.service", "curfew-firewall.socket", "curfew-firewall.service", "curfew-notify.service")
ENABLED = UNITS[:2]
MODES = {"/etc/curfew": "750 root curfew", "/etc/curfew/clients.d": "750 root curfew",
         "/etc/curfew/credentials": "700 root root", "/etc/curfew/tls": "755 root root",
         "/var/lib/curfew": "750 curfew curfew",
         "/var/lib/curfew-firewall": "750 curfew-firewall curfew-firewall"}
FILES = ("/usr/sbin/curfew", "/usr/share/man/man8/curfew.8.gz", "/usr/share/man/man5/curfew.conf.5.gz",
         "/usr/share/bash-completion/completions/curfew", "/usr/share/zsh/vendor-completions/_curfew",
         "/usr/share/fish/vendor_completions.d/curfew.fish", "/usr/lib/sysusers.d/curfew.conf",
         "/usr/lib/tmpfiles.d/curfew.conf", "/usr/share/doc/curfew/copyright", "/usr/share/doc/curfew/curfew.cdx.json",
         "/usr/share/doc/curfew/examples/curfew.conf", "/usr/share/doc/curfew/examples/clients.d/acme.conf")
NO_QUESTIONS = ("env", "DEBIAN_FRONTEND=noninteractive")


class Package:
    def __init__(self, machine, built, folder):
        self.machine, self.built, self.folder = machine, built, folder
        self.deb = glob.glob(os.path.join(built, "curfew_*.deb"))[0]
        self.version = booted_machine.output("dpkg-deb", "-f", self.deb, "Version").strip()
        shutil.copy(self.deb, machine.path("/root/curfew.deb"))

    def exists(self, path):
        return os.path.lexists(self.machine.path(path))

    def states(self, what):
        return {unit: self.machine.run("systemctl", what, unit, check=False).out.strip() for unit in UNITS}

    def install(self, deb="/root/curfew.deb"):
        self.machine.run(*NO_QUESTIONS, "dpkg", "-i", deb)

    # ---- installed, not configured ----

    def installs_where_nothing_runs(self):
        """As an image is made. apt takes it with what is there: it needs nothing that it does not name."""
        self.machine.chroot(*NO_QUESTIONS, "apt-get", "-q", "install", "--yes", "/root/curfew.deb")
        installed = self.machine.chroot("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "curfew")
        equal(installed, f"{self.version} installed", "the package")

    def everything_is_in_its_place(self):
        for path in FILES:
            true(self.exists(path), f"{path} is missing")
        for path, wanted in MODES.items():
            equal(self.machine.chroot("stat", "-c", "%a %U %G", path).strip(), wanted, path)
        equal(self.machine.chroot("dpkg", "--verify", "curfew"), "", "dpkg --verify")
        equal(self.machine.chroot("curfew", "--version").strip(), f"curfew {self.version}", "the program's version")
        true(not self.exists(CONFIG), "there is a configuration that nobody wrote")

    def user_has_no_login(self):
        for name in ("curfew", "curfew-firewall", "curfew-notify"):
            entry = self.machine.chroot("getent", "passwd", name).strip().split(":")
            true(0 < int(entry[2]) < 1000, f"not a user of the system: {entry}")
            true(entry[6].endswith("nologin"), f"the user's shell is {entry[6]}")

    def list_of_libraries_is_true(self):
        """Each library that the program loads stands in it, as the machine that built it has it, and nothing besides."""
        with open(self.machine.path("/usr/share/doc/curfew/curfew.cdx.json"), encoding="utf-8") as file:
            document = json.load(file)
        listed = {file["name"]: file["hashes"][0]["content"]
                  for component in document["components"] for file in component["components"]}
        loaded = re.findall(r"(\S+) => (/\S+)", booted_machine.output("ldd", self.machine.path("/usr/sbin/curfew")))
        equal(listed, {name: booted_machine.output("sha256sum", path).split()[0] for name, path in loaded}, "libraries")
        again = booted_machine.output(os.path.join(booted_machine.ROOT, "debian", "sbom"),
                                      self.machine.path("/usr/sbin/curfew"))
        equal(json.loads(again), document, "the list made again")
        references = {c["bom-ref"] for c in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
        for entry in document["dependencies"]:
            true({entry["ref"], *entry["dependsOn"]} <= references, f"a dependency on nothing: {entry}")

    def its_own_test_passes(self):
        """debian/tests, as Debian runs it; what a chroot there has is mounted for it."""
        mounts = [("proc", "/proc"), ("sysfs", "/sys"), ("devpts", "/dev/pts")]
        for kind, path in mounts:
            subprocess.run(["mount", "-t", kind, kind, self.machine.path(path)], check=True)
        done = subprocess.run(["autopkgtest", self.deb, os.path.join(self.built, "source"), "--", "chroot",
                               self.machine.root], check=False, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _, path in mounts:
            subprocess.run(["umount", "--lazy", self.machine.path(path)], check=True)
        true(done.returncode == 0 and re.search(r"^demo +PASS", done.stdout, re.M), done.stdout[-4000:])

    def boots_without_starting(self):
        self.machine.boot()
        equal(self.machine.wait_up(), "running", "systemctl is-system-running")
        self.is_enabled_not_started()

    def is_enabled_not_started(self):
        enabled = self.states("is-enabled")
        for unit in ENABLED:
            equal(enabled[unit], "enabled", unit)
        equal(self.states("is-active"), dict.fromkeys(UNITS, "inactive"), "units without a configuration")

    # ---- configured ----

    def starts_once_configured(self):
        certificates = Certificates(os.path.join(self.folder, "tls"), SERVER)
        with open(certificates.ca, encoding="utf-8") as file:
            self.machine.write("/etc/curfew/tls/sql-ca.pem", file.read())
        self.machine.write("/etc/curfew/credentials/sql01", "Agent-Passw0rd\n", 0o600)
        self.machine.write(CONFIG, TEXT, 0o640)
        self.machine.run("chgrp", "curfew", CONFIG)
        self.machine.run("systemctl", "start", "curfew.service")
        self.runs()
        wait(lambda: self.exists(JOURNAL), "the journal")

    def runs(self):
        wait(lambda: self.machine.property("curfew.service", "ActiveState") == "active", "the service runs")
        return self.machine.property("curfew.service", "MainPID")

    def conf(self):
        with open(self.machine.path(CONFIG), encoding="utf-8") as file:
            return file.read()

    def starts_at_boot(self):
        self.machine.run("systemctl", "reboot", check=False)
        equal(self.machine.wait_end(), 133, "systemd-nspawn's end at a reboot")
        self.machine.boot()
        self.machine.wait_up()
        self.runs()
        equal(self.machine.property("curfew-boot.service", "Result"), "success", "curfew-boot")
        equal(self.machine.property("curfew-boot.service", "ActiveState"), "active", "curfew-boot")

    def lost_configuration_is_a_failure(self):
        """Not a reason to stay away in silence: there is a journal."""
        os.rename(self.machine.path(CONFIG), self.machine.path("/root/aside"))
        self.machine.run("systemctl", "restart", "curfew.service", check=False)
        equal(self.machine.property("curfew.service", "ConditionResult"), "yes", "the unit's condition")
        os.rename(self.machine.path("/root/aside"), self.machine.path(CONFIG))
        self.machine.run("systemctl", "restart", "curfew.service")
        self.runs()

    # ---- upgraded, removed, back again ----

    def newer(self):
        """The same with a greater version, as dpkg sees it."""
        tree, version = os.path.join(self.folder, "newer"), self.version + "+next"
        shutil.rmtree(tree, ignore_errors=True)
        subprocess.run(["dpkg-deb", "-R", self.deb, tree], check=True)
        subprocess.run(["sed", "-i", f"s/^Version: .*/Version: {version}/", f"{tree}/DEBIAN/control"], check=True)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, self.machine.path("/root/newer.deb")], check=True,
                       stdout=subprocess.DEVNULL)

    def upgrade_restarts_and_keeps(self):
        before, modes = self.runs(), self.machine.run("stat", "-c", "%a %U %G", CONFIG).out
        self.newer()
        self.install("/root/newer.deb")
        true(self.runs() != before, "the service is the old one")
        equal(self.conf(), TEXT, "the configuration")
        equal(self.machine.run("stat", "-c", "%a %U %G", CONFIG).out, modes, "mode of the configuration")
        true(self.machine.run("curfew", "history", "verify").out.startswith("intact: "), "the journal is not intact")

    def upgrade_leaves_what_was_switched_off(self):
        self.machine.run("systemctl", "disable", "--now", "curfew.service")
        self.install()  # a downgrade is the same to dpkg's scripts
        equal(self.states("is-active")["curfew.service"], "inactive", "a service that was switched off")
        equal(self.states("is-enabled")["curfew.service"], "disabled", "a service that was switched off")
        self.machine.run("systemctl", "enable", "--now", "curfew.service")
        self.runs()

    def removal_stops_and_keeps(self):
        done = self.machine.run(*NO_QUESTIONS, "dpkg", "-r", "curfew")
        true("no longer ends by itself" in done.err, f"removed without a word on access: {done}")
        equal(set(self.states("is-active").values()), {"inactive"}, "units that still run")
        true(not self.exists("/usr/sbin/curfew"), "the program is still there")
        equal(self.conf(), TEXT, "the configuration")
        true(self.exists(JOURNAL), "the journal is gone")

    def comes_back_and_runs(self):
        self.install()
        self.runs()
        equal(self.conf(), TEXT, "the configuration")

    # ---- purged ----

    def purge_without_an_answer_keeps_the_evidence(self):
        done = self.machine.run(*NO_QUESTIONS, "dpkg", "-P", "curfew")
        true("kept the journal" in done.err, f"not said what is left: {done}")
        for path in (CONFIG, JOURNAL, "/etc/curfew/credentials/sql01"):
            true(self.exists(path), f"{path} is gone")

    def comes_back_after_a_purge(self):
        self.install()
        self.runs()
        true(self.machine.run("curfew", "history", "verify").out.startswith("intact: "), "the journal is not intact")

    def purge_deletes_when_told(self):
        self.machine.run("sh", "-c", "echo curfew curfew/purge boolean true | debconf-set-selections")
        self.machine.run(*NO_QUESTIONS, "dpkg", "-P", "curfew")
        for path in ("/etc/curfew", "/var/lib/curfew", "/var/lib/curfew-firewall", *FILES):
            true(not self.exists(path), f"{path} is still there")

    def next_purge_asks_again(self):
        """The answer to one purge is none to the next."""
        self.install()
        self.is_enabled_not_started()
        self.machine.write(CONFIG, TEXT, 0o640)
        self.machine.run(*NO_QUESTIONS, "dpkg", "-P", "curfew")
        equal(self.conf(), TEXT, "the configuration")

    CHECKS = (
        ("apt installs it with what its dependencies name, in a chroot", installs_where_nothing_runs),
        ("files, folders, modes and version", everything_is_in_its_place),
        ("the service's user", user_has_no_login),
        ("the CycloneDX list is what the program links, twice the same", list_of_libraries_is_true),
        ("autopkgtest: the demo with the installed program", its_own_test_passes),
        ("boots: units enabled, nothing started, nothing failed", boots_without_starting),
        ("configured, the service starts", starts_once_configured),
        ("configured, it starts at boot", starts_at_boot),
        ("a configuration that is lost is no reason not to start", lost_configuration_is_a_failure),
        ("an upgrade restarts the service and keeps configuration and journal", upgrade_restarts_and_keeps),
        ("an upgrade does not start what was switched off", upgrade_leaves_what_was_switched_off),
        ("a removal stops it, says so, and keeps configuration and journal", removal_stops_and_keeps),
        ("installed again, it goes on", comes_back_and_runs),
        ("a purge without an answer keeps journal, configuration and credentials",
         purge_without_an_answer_keeps_the_evidence),
        ("installed after that, it goes on with the journal", comes_back_after_a_purge),
        ("a purge that is told to deletes everything", purge_deletes_when_told),
        ("the next purge asks again", next_purge_asks_again),
    )


def main(group_name, base, folder, built):
    failed, machine = 0, None
    group = booted_machine.ControlGroup(group_name)
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        machine = booted_machine.Machine(base, os.path.join(folder, "root"), [], os.path.join(folder, "console.log"))
        package = Package(machine, built, folder)
        for name, check in package.CHECKS:
            try:
                check(package)
                print(f"ok - {name}", flush=True)
            except (AssertionError, OSError, KeyError, ValueError, TypeError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"not ok - {name}: {error}", flush=True)
    except Exception as error:  # pylint: disable=broad-except
        failed += 1
        traceback.print_exc(file=sys.stdout)
        print(f"not ok - package: {error}", flush=True)
    finally:
        if machine and failed and machine.leader:
            log_keep(machine, os.path.join(folder, "journal.txt"))
        if machine:
            machine.close()
        group.close()
    return 1 if failed else 0
