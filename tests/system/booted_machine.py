"""A Debian system, made by debootstrap, kept as an archive, and booted by systemd-nspawn.

The caller has put itself into new process, mount, and network namespaces (see `booted`), so the machine, its disk, and its
network vanish with the caller, however that ends. Only its control group must be removed separately.
"""

import ctypes
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

# What a machine of an operator has beside the program's own libraries. journald, sysusers and tmpfiles are
# part of systemd.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "iproute2", "nftables", "procps", "tzdata", "util-linux")
BOOT_SECONDS = 60
COMMAND_SECONDS = 30
ROOT_SIZE = "1g"
PR_SET_PDEATHSIG = 1
CGROUPS = "/sys/fs/cgroup"
GROUP_PREFIX = "curfew-booted-"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAME = "booted"


class Unfit(Exception):
    """This machine cannot make or boot one; says why."""


def output(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


# ---- the archive ----

def release():
    """The codename of the Debian that this is: the program is built for it and runs on no older one."""
    with open("/etc/os-release", encoding="utf-8") as file:
        words = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    if words.get("ID") != "debian":
        raise Unfit("the program was built here, and this is not a Debian")
    return words["VERSION_CODENAME"]


def mirror(codename):
    """Where apt has this release from."""
    found = output("apt-get", "indextargets", "--format", "$(CREATED_BY) $(CODENAME) $(COMPONENT) $(REPO_URI)")
    for line in found.splitlines():
        created, name, component, uri = line.split(" ", 3)
        if (created, name, component) == ("Packages", codename, "main"):
            return uri
    raise Unfit(f"apt knows no source of {codename}")


def libraries(program):
    """The packages of what the program is linked with."""
    paths = re.findall(r"=> (/\S+)", output("ldd", program))
    # A package's list names the file as it was installed: with /usr or without, depending on the package.
    names = sorted({p for path in paths for p in (path, os.path.realpath(path))})
    names += [n[4:] for n in names if n.startswith("/usr/")]
    done = subprocess.run(["dpkg-query", "-S", *names], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found = {line.split(":", 1)[0] for line in done.stdout.splitlines()}
    if not found:
        raise Unfit("dpkg knows none of the program's libraries")
    return sorted(found)


def archive(program, folder, more=()):
    """The path of the base system's archive; made when there is none for this list of packages."""
    codename = release()
    packages = sorted({*PACKAGES, *libraries(program), *more})
    key = hashlib.sha256(" ".join([codename, *packages]).encode()).hexdigest()[:12]
    path = os.path.join(folder, f"{codename}-{key}.tar")
    if os.path.exists(path):
        return path
    source, tree = mirror(codename), os.path.join(folder, "debootstrap")
    print(f"# making a Debian {codename} (kept for the next time)", flush=True)
    shutil.rmtree(tree, ignore_errors=True)
    log = os.path.join(folder, "debootstrap.log")
    try:
        with open(log, "w", encoding="utf-8") as file:
            done = subprocess.run(["debootstrap", "--variant=minbase", f"--include={','.join(packages)}",
                                   codename, tree, source], stdout=file, stderr=file, check=False)
        if done.returncode != 0:
            raise Unfit(f"debootstrap failed; see {log}")
        # Downloaded packages and their lists: the machine installs nothing.
        for rest in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(os.path.join(tree, rest), ignore_errors=True)
        subprocess.run(["tar", "-C", tree, "--numeric-owner", "--xattrs", "-cf", path + ".new", "."],
                       check=True)
        os.rename(path + ".new", path)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
    return path


# ---- the machine ----

def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def in_namespaces(script, arguments, seconds):
    """Runs `script GROUP ARGUMENTS` where every process, mount and interface dies with the first process in there;
    its exit status, 1 when it was not done in time."""
    group = GROUP_PREFIX + os.urandom(4).hex()
    child = subprocess.Popen(["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc",
                              # The shell is the first process: it takes in who lost its parent.
                              "sh", "-c", "\"$@\"; exit $?", "sh", sys.executable, *script, group, *arguments],
                             preexec_fn=die_with_parent)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: child.kill())
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        print(f"not ok - {os.path.basename(script[0])}: not done after {seconds} seconds", flush=True)
        return 1
    finally:
        groups_sweep(group)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)


def group_remove(path, seconds=5):
    """Removes a control group and those in it, once the last process has left it."""
    deadline = time.monotonic() + seconds
    while os.path.exists(path):
        for folder, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)


def groups_sweep(name):
    """From outside, after a run that could not do it itself: its control group, and older ones of nobody's."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split()[1] for line in file if line.split()[2] == "cgroup2"]
    for mount in mounts:
        group_remove(os.path.join(mount, name))
        for other in glob.glob(os.path.join(mount, GROUP_PREFIX + "*")):
            with open(os.path.join(other, "cgroup.events"), encoding="ascii") as file:
                if "populated 0" in file.read():
                    group_remove(other, 0)


class ControlGroup:
    """A group of the unified hierarchy for us and the machine."""

    def __init__(self, name):
        # nspawn keeps its locks there; in this mount namespace they are gone with us.
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        # Whatever this host has mounted there, the machine gets the unified hierarchy, as Debian has it.
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", CGROUPS], check=True)
        with open("/proc/self/cgroup", encoding="ascii") as file:
            self._origin = CGROUPS + re.search(r"^0::(.*)$", file.read(), re.M)[1]
        self.path = os.path.join(CGROUPS, name)
        os.mkdir(self.path)
        self._enter(self.path)

    @staticmethod
    def _enter(path):
        with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write("0")

    def close(self):
        self._enter(self._origin)
        group_remove(self.path)


class Done:
    """A command's end inside the machine."""

    def __init__(self, command, done):
        self.command, self.code, self.out, self.err = command, done.returncode, done.stdout, done.stderr

    def __str__(self):
        return f"{' '.join(self.command)}: exit {self.code}\n{self.out}{self.err}"


class Machine:
    """`wires` are names of interfaces that the machine shares with us: the same name on both ends."""

    def __init__(self, base, root, wires, console):
        self.root, self.wires, self.console = root, wires, console
        self.leader, self._nspawn = None, None
        os.makedirs(root, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOT_SIZE},mode=0755", NAME, root], check=True)
        subprocess.run(["tar", "-C", root, "--numeric-owner", "--xattrs", "-xpf", base], check=True)
        self.write("/etc/hostname", NAME + "\n")
        self.write("/etc/resolv.conf", "")
        self.write("/etc/machine-id", hashlib.sha256(os.urandom(32)).hexdigest()[:32] + "\n", 0o444)
        os.makedirs(self.path("/var/log/journal"), exist_ok=True)  # the log outlives a reboot

    def path(self, path):
        return self.root + path

    def write(self, path, text, mode=0o644):
        write(self.path(path), text, mode)

    def chroot(self, *command):
        """For the time before the first boot, with /proc in a mount namespace of the command's own."""
        done = subprocess.run(["unshare", "--mount", f"--root={self.root}", "--mount-proc", *command],
                              check=False, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise AssertionError(str(Done(command, done)))
        return done.stdout

    def boot(self):
        """Returns once systemd runs; the interfaces are there then, at our end too."""
        with open(self.console, "ab") as log:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", f"--machine={NAME}",
                 "--register=no", "--keep-unit", "--private-network", "--link-journal=no",
                 # Its filter is older than Landlock, and a machine of its own would have none.
                 "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self",
                 "--resolv-conf=off", "--timezone=off", "--console=pipe",
                 *(f"--network-veth-extra={w}:{w}" for w in self.wires)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        children = f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children"
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline and self._nspawn.poll() is None:
            with open(children, encoding="ascii") as file:
                pids = file.read().split()
            for pid in pids:
                if self._is_systemd(pid):
                    self.leader = int(pid)
                    return
            time.sleep(0.02)
        raise Unfit(f"systemd-nspawn did not boot; see {self.console}")

    def _is_systemd(self, pid):
        """nspawn's own helpers are its children as well, and the leader is not systemd from the start."""
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                return file.read().strip() == "systemd" and \
                    os.path.exists(f"/proc/{pid}/root/run/systemd/private")
        except OSError:
            return False

    def wait_up(self):
        """Until every job of the boot is done: "running", or "degraded" when something failed."""
        try:
            return self.run("systemctl", "is-system-running", "--wait", check=False).out.strip()
        except subprocess.TimeoutExpired:
            jobs = self.run("systemctl", "list-jobs", "--no-pager", check=False).out
            raise AssertionError(f"the boot does not come to its end:\n{jobs}") from None

    def run(self, *command, check=True, user=None, **more):
        """Runs a command inside to its end, as root or as a user with that user's groups."""
        if user:
            command = ("runuser", "-u", user, "--", *command)
        done = subprocess.run(
            ["nsenter", "--target", str(self.leader), "--all", "--root", "--wd", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER=", *command],
            check=False, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=COMMAND_SECONDS, **more)
        done = Done(command, done)
        if check and done.code != 0:
            raise AssertionError(str(done))
        return done

    def property(self, unit, name):
        return self.run("systemctl", "show", "--property", name, "--value", unit).out.strip()

    def wait_end(self, seconds=30):
        """After a shutdown or reboot from inside: nspawn's exit status, 133 for a reboot."""
        code = self._nspawn.wait(seconds)
        self.leader = self._nspawn = None
        return code

    def close(self):
        if self._nspawn and self._nspawn.poll() is None:
            self._nspawn.kill()
            self._nspawn.wait()
        if self.leader and os.path.exists(f"/proc/{self.leader}"):
            os.kill(self.leader, 9)  # init of its process namespace: everything in it ends
        self.leader = self._nspawn = None
