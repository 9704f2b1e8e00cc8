#!/usr/bin/env python3
"""Runs varnish/*.vtc, each by varnishtest and with a varnishd of its own. Prints TAP.

The tests give varnishd "-j none": as root it would change to a user who cannot read a closed temporary folder."""
import glob
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 60


def title(path):
    with open(path, encoding="utf-8") as f:
        return os.path.basename(path) + ": " + f.readline().split('"')[1]


def run(path):
    """(passed, what it said). varnishtest's status: 0 passed, 77 skipped, anything else is a failure; skipping would hide one."""
    # the PATH of those who are not root lacks the folder of varnishd
    env = dict(os.environ, PATH=os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin")
    out = subprocess.run(["varnishtest", "-t", str(SECONDS), path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, env=env)
    return out.returncode == 0, out.stdout.decode("utf-8", "replace")


def main():
    tests = sorted(glob.glob(os.path.join(ROOT, "varnish", "*.vtc")))
    if not tests or not shutil.which("varnishtest"):
        print("1..1\nnot ok 1 - varnishtest and varnish/*.vtc are there (the Debian package is varnish)")
        return 1
    print("1..%d" % len(tests))
    failed = 0
    for i, path in enumerate(tests, 1):
        passed, said = run(path)
        failed += not passed
        print("%sok %d - %s" % ("" if passed else "not ", i, title(path)), flush=True)
        if not passed:
            print("\n".join("# " + line for line in said.splitlines()[-60:]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
