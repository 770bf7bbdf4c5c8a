"""Programs of ours over other people's packages, built below build/ by `dotnet` and `npm` where those are there.

Unavailable says why one cannot be had on this machine: the test that wanted it is skipped with this reason. A program that
does not compile, or a lock file that disagrees with its project, is a fault and no such reason.
"""

import functools
import os
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "build", "packages")
SECONDS = 900
# What the clients say when the lock file is not of this project.
LOCK_FAULTS = ("NU1004", "NU1403", "EUSAGE", "EINTEGRITY")


class Unavailable(Exception):
    pass


def _run(command, folder=None):
    environment = {**os.environ, "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1",
                   "DOTNET_CLI_UI_LANGUAGE": "en", "MSBUILDDISABLENODEREUSE": "1"}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return 124, f"no end within {SECONDS} s"
    return done.returncode, done.stdout


def _fetch(what, command, folder=None):
    code, said = _run(command, folder)
    if code == 0:
        return
    if any(word in said for word in LOCK_FAULTS):
        raise AssertionError(f"{what}: the lock file is not of this project:\n{said}")
    lines = [line.strip() for line in said.splitlines() if "error" in line.lower()] or said.splitlines() or ["?"]
    raise Unavailable(f"{what}: packages cannot be restored here ({lines[0].strip()[:160]})")


@functools.lru_cache
def dotnet_program(project):
    """The command of tests/PROJECT/NAME.csproj, restored in the versions that it pins and built."""
    if shutil.which("dotnet") is None:
        raise Unavailable("dotnet is not installed")
    name = os.path.basename(project)
    file = os.path.join(TOP, "tests", project, name + ".csproj")
    out = os.path.join(BUILD, name)
    own = [file, f"-p:BaseIntermediateOutputPath={out}/obj/", "-nodeReuse:false", "-v:q"]
    _fetch(name, ["dotnet", "restore", *own])
    code, said = _run(["dotnet", "build", *own, "--no-restore", "-o", f"{out}/bin"])
    if code != 0:
        raise AssertionError(f"{name} does not build:\n{said}")
    return ("dotnet", f"{out}/bin/{name}.dll")


def npm_program(project, script):
    """The command of tests/PROJECT/SCRIPT, beside the packages of its lock file."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is not installed")
    name = os.path.basename(project)
    out = os.path.join(BUILD, name)
    os.makedirs(out, exist_ok=True)
    for file in ("package.json", "package-lock.json", script):
        shutil.copy(os.path.join(TOP, "tests", project, file), out)
    _fetch(name, ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], out)
    return ("node", os.path.join(out, script))
