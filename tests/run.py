#!/usr/bin/env python3
"""Runs the tests and counts: tests/run.py check | unit | soak | fuzz SECONDS.

A test is a program that prints TAP ("ok 1 - …", "not ok 2 - …") and ends by itself; cmocka's programs are told to. One that
fails without having said "not ok", or takes longer than it may, counts as one failure. The last line is "N passed, N failed".
"""
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
JOBS = int(os.environ.get("JOBS", "2"))


class Test:
    def __init__(self, name, command, seconds=240, env=None, plain=False):
        self.name, self.command, self.seconds, self.env = name, command, seconds, env or {}
        self.plain = plain  # speaks no TAP: its exit status is the result


def unit():
    return [Test("unit/" + os.path.basename(p), [p], 180, {"CMOCKA_MESSAGE_OUTPUT": "TAP"})
            for p in sorted(glob.glob(f"{BUILD}/unit/test_*")) if not p.endswith(".d")]


def interpreter(path):
    return {".py": ["python3"], ".mjs": ["node"], ".sh": ["sh"]}[os.path.splitext(path)[1]] + [path]


def scripts(pattern, skip=()):
    return [Test(os.path.splitext(p.removeprefix("tests/"))[0], interpreter(p), 600)
            for p in sorted(glob.glob(pattern)) if os.path.basename(p) not in skip]


def fuzz(seconds):
    """Every target over its seeds, then on its own for a while. What it finds stays in the corpus folder."""
    tests = []
    for p in sorted(glob.glob(f"{BUILD}/clang/fuzz/*")):
        name = os.path.basename(p)
        if name.endswith(".d"):
            continue
        corpus = f"{BUILD}/corpus/{name}"
        os.makedirs(corpus, exist_ok=True)
        seeds = f"tests/fuzz/seeds/{name}"
        tests.append(Test("fuzz/" + name, [p, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
                                           f"-artifact_prefix={corpus}-", "-verbosity=0", corpus] +
                          ([seeds] if os.path.isdir(seeds) else []), seconds + 120, plain=True))
    return tests


# Not tests by themselves: modules that tests share.
MODULES = {"hindcast.py", "failing.py", "relaying.py", "originate.py", "listening.py", "timecode.py"}
# Browsers and players play in real time: a machine that is busy with other tests makes them stall.
ALONE = {"scenario/player_past", "scenario/player_page", "scenario/past_players", "scenario/past_programs", "scenario/players"}


def check():
    return (scripts("tests/scenario/*.*", MODULES) + scripts("tests/crash/*.py") + scripts("tests/*.sh") +
            [Test("sim/" + os.path.basename(p), [p], 240) for p in sim()] +
            [Test("crash/store_kill", [f"{BUILD}/tools/store_kill"], 120, plain=True)] + unit() + fuzz(3))


def sim():
    return [f"{BUILD}/tools/" + os.path.basename(p)[:-2] for p in sorted(glob.glob("tests/sim/*.c"))]


def soak():
    tests = scripts("tests/crash/*.py") + [Test("sim/" + os.path.basename(p), [p, "--long"], 3600) for p in sim()]
    for t in tests:
        t.env["SOAK"] = "1"
        t.seconds = 3600
    return tests


def run(test):
    began = time.monotonic()
    home = tempfile.mkdtemp(prefix="hindcast-test-")
    os.chmod(home, 0o711)  # servers that lay down root's rights must get through
    env = dict(os.environ, BUILD=BUILD, TMPDIR=home, **test.env)
    process = subprocess.Popen(test.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=env, start_new_session=True)
    try:
        out, late = process.communicate(timeout=test.seconds)[0], False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, late = process.communicate()[0], True
    shutil.rmtree(home, ignore_errors=True)
    text = out.decode("utf-8", "replace")
    # what a test cannot do here (mount, as an ordinary user or in a chroot) it says with SKIP; it counts as neither
    passed = len(re.findall(r"^ok\b(?!.*# SKIP)", text, re.M))
    failed = len(re.findall(r"^not ok\b(?!.*# SKIP)", text, re.M))
    if test.plain and process.returncode == 0 and not late:
        passed = 1
    if (process.returncode != 0 or late or passed + failed == 0) and failed == 0:
        failed = 1
    why = f"took longer than {test.seconds} s" if late else f"exit status {process.returncode}"
    return test, passed, failed, time.monotonic() - began, why, text


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "check"
    only = sys.argv[3:] if what == "fuzz" else sys.argv[2:]
    tests = {"check": check, "unit": unit, "soak": soak}[what]() if what != "fuzz" else fuzz(int(sys.argv[2]))
    tests = [t for t in tests if not only or any(o in t.name for o in only)]
    passed = failed = 0
    for jobs, group in ((1, [t for t in tests if t.name in ALONE]), (JOBS, [t for t in tests if t.name not in ALONE])):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for done in concurrent.futures.as_completed([pool.submit(run, t) for t in group]):
                test, ok, bad, seconds, why, text = done.result()
                passed, failed = passed + ok, failed + bad
                print(f"{'FAILED' if bad else 'ok':6} {test.name}: {ok} passed, {bad} failed in {seconds:.1f} s", flush=True)
                if bad:
                    print("\n".join("    " + line for line in text.splitlines()[-150:]) + f"\n    ({why})", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
