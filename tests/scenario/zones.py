#!/usr/bin/env python3
"""The table of a time zone says what Python's zoneinfo says: every zone of the database, 1970 to 2099, and the nights on
which clocks change, minute by minute. Asks through tests/tools/zonetable.c. Prints TAP."""
import bisect
import datetime
import glob
import os
import subprocess
import zoneinfo

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "tools", "zonetable")
FOLDER = "/usr/share/zoneinfo"
END = 4102444800  # 2100
DAY = 86400
UTC = datetime.timezone.utc

# Every kind of oddity: half an hour of summer time, a summer in winter, Ramadan, changes at 24:00 and at -1:00, a skipped
# day, offsets of quarter hours, rules given up and taken up again.
PICKED = """Africa/Cairo Africa/Casablanca Africa/Johannesburg America/Asuncion America/Havana America/New_York
America/Nuuk America/Santiago America/Sao_Paulo America/St_Johns Antarctica/Troll Asia/Amman Asia/Beirut Asia/Gaza
Asia/Jerusalem Asia/Kathmandu Asia/Pyongyang Asia/Tehran Asia/Tokyo Atlantic/Azores Australia/Adelaide
Australia/Lord_Howe Australia/Sydney Europe/Dublin Europe/Istanbul Europe/London Europe/Moscow Europe/Paris
Europe/Volgograd Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Easter Pacific/Fiji UTC""".split()
SWEEP = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "Africa/Casablanca", "Pacific/Apia",
         "America/Nuuk", "Asia/Jerusalem"]

results = []


def ok(good, name, why=()):
    results.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(results)} - {name}", flush=True)
    for line in list(why)[:20] if not good else []:
        print(f"# {line}")


def every_zone():
    names = set()
    for path in glob.glob(FOLDER + "/**", recursive=True):
        name = os.path.relpath(path, FOLDER)
        if os.path.isfile(path) and name.split("/")[0] not in ("right", "posix", "localtime", "posixrules"):
            with open(path, "rb") as f:
                if f.read(4) == b"TZif":
                    names.add(name)
    return sorted(names)


def tables(names):
    """{zone: ([t], [offset from then on])}, or None for a zone that is unknown."""
    out = subprocess.run([TOOL, "offsets", *names], capture_output=True, text=True, check=True, timeout=120).stdout
    found = {}
    for line in out.splitlines():
        name, t, *offset = line.split(" ")
        if t == "unknown":
            found[name] = None
            continue
        times, offsets = found.setdefault(name, ([], []))
        times.append(int(t))
        offsets.append(int(offset[0]))
    return found


def judge(name):
    zone = zoneinfo.ZoneInfo(name)
    delta = datetime.timedelta(seconds=1)
    return lambda t: datetime.datetime.fromtimestamp(t, zone).utcoffset() // delta


def differences(name, table, step):
    """Instants at which the table is wrong: both sides of its changes, and every `step` seconds between them."""
    if table is None:
        yield f"{name}: unknown"
        return
    times, offsets = table
    truth = judge(name)
    for i in range(1, len(times)):
        for t, offset in ((times[i] - 1, offsets[i - 1]), (times[i], offsets[i])):
            if truth(t) != offset:
                yield f"{name}: {t} {datetime.datetime.fromtimestamp(t, UTC)}: {offset}, want {truth(t)}"
    for t in range(0, END, step):
        offset = offsets[bisect.bisect(times, t) - 1]
        if truth(t) != offset:
            yield f"{name}: {t} {datetime.datetime.fromtimestamp(t, UTC)}: {offset}, want {truth(t)}"


def first_instant(local, zone, times):
    """By zoneinfo: of two instants the first; of none the change that skips it."""
    t = local.replace(tzinfo=zone, fold=0).timestamp()
    if datetime.datetime.fromtimestamp(t, zone).replace(tzinfo=None) == local:
        return int(t)
    return min(times, key=lambda change: abs(change - t))


def sweep(name, table):
    """Every quarter of an hour, and a second before it, of a day around each change, from 1995 on."""
    times = [t for t in table[0] if t > 788918400]
    zone = zoneinfo.ZoneInfo(name)
    asked = []
    for t in times:
        base = datetime.datetime.fromtimestamp(t, zone).replace(tzinfo=None, second=0)
        for quarter in range(-104, 105):
            for second in (0, 59):
                asked.append(base + datetime.timedelta(minutes=15 * quarter, seconds=-second))
    lines = "".join(f"{name} {a.isoformat()}\n" for a in asked)
    out = subprocess.run([TOOL, "instants"], input=lines, capture_output=True, text=True, check=True, timeout=60).stdout
    answers = [int(line) for line in out.split()]
    wrong = [f"{name} {a}: {got}, want {first_instant(a, zone, times)}" for a, got in zip(asked, answers)
             if got != first_instant(a, zone, times)]
    return len(answers) == len(asked) and len(asked) > 1000, wrong


def main():
    names = every_zone()
    found = tables(names)
    ok(len(names) > 400, f"the database has {len(names)} zones")
    wrong = [d for name in names for d in differences(name, found[name], 11 * DAY + 3607)]
    ok(not wrong, "every zone, both sides of every change and every eleven days", wrong)
    for name in PICKED:
        wrong = list(differences(name, found.get(name), 30000))
        ok(not wrong, f"{name}, every eight hours of 1970 to 2099", wrong)
    for name in SWEEP:
        whole, wrong = sweep(name, found[name])
        ok(whole and not wrong, f"{name}, local times around every change", wrong)
    strange = ["Europe/Nowhere", "Europe", "../zoneinfo/UTC", "/usr/share/zoneinfo/Europe/Paris", "tzdata.zi", "",
               "right/Europe/Paris"]
    found = tables(["Etc/UTC"] + strange)
    ok(found.pop("Etc/UTC"), "Etc/UTC is known")
    ok(not any(found.values()), "what is no zone is unknown", [str(found)])
    print(f"1..{len(results)}")
    raise SystemExit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
