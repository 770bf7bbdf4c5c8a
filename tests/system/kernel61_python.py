#!/usr/bin/python3
"""Copies what the Python system tests read of Python, with its compiled files: kernel61_python.py TARGET.

The machine of kernel61 reads this host's files over a bus. Each of a thousand small files would cost several round trips,
and each process would read them again.
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
import pytds  # noqa: E402, F401
import service  # noqa: E402, F401
import wire.client  # noqa: E402, F401
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
