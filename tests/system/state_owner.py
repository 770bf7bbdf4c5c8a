"""The service's user, whom the state folder belongs to."""

import glob
import os
import subprocess

OWNER, GROUP = 23456, 23457


def as_owner(*command):
    subprocess.run(["setpriv", f"--reuid={OWNER}", f"--regid={GROUP}", "--clear-groups", *command], check=True)


def give(folder):
    for path in (folder, *glob.glob(folder + "/**", recursive=True)):
        os.chown(path, OWNER, GROUP, follow_symlinks=False)
