#!/usr/bin/python3
"""Copies what the system tests in Python read of Python, with what was compiled of it: kernel61_python.py TARGET.

kernel61's machine reads this machine's files over a bus: each of a thousand small ones would cost several round
trips, and each process reads them anew.
"""

import os
import py_compile
import shutil
import sys
import unittest  # noqa: F401  (imported to be found)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "practice")]

import engine.engine  # noqa: E402, F401
import person  # noqa: E402, F401
import service  # noqa: E402, F401
import wire.server  # noqa: E402, F401


def main(target):
    for module in list(sys.modules.values()):
        path, cached = getattr(module, "__file__", None), getattr(module, "__cached__", None)
        if not path or module.__name__ == "__main__":
            continue
        path = os.path.abspath(path)
        copy = target + path
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy2(path, copy)
        if cached:
            py_compile.compile(path, target + os.path.abspath(cached), path, doraise=True)


if __name__ == "__main__":
    main(sys.argv[1])
