#!/usr/bin/env python3
"""Do the manuals say what the programs do? Tables of keys, options, metrics, log lines, examples, and the store drawn in
doc/store.md, each held to the programs themselves."""
import datetime
import glob
import os
import re
import subprocess
import urllib.request

from failing import BUILD, ROOT, finish, main, ok, origin, segmenter, write

DOC = os.path.join(ROOT, "doc")
PAGES = {os.path.basename(p): open(p, encoding="utf-8").read()
         for p in sorted(glob.glob(f"{DOC}/*.[1-9]") + glob.glob(f"{DOC}/*.ini.5"))}
INI = "hindcast.ini.5"
TABLE = re.compile(r'^\.\\" keys of \[(\S+)\].*\n((?:.*\n)*?)^\.\\" end of \[\1\]\n', re.M)


def macros(page, name):
    """What follows each macro of this name at the start of a line."""
    return re.findall(rf"^\.{name} (.*)$", page, re.M)


def missing(want, have):
    return sorted(set(want) - set(have))


def same(want, have, name):
    ok(set(want) == set(have), name, f"not in the manual: {missing(want, have)}", f"only in the manual: {missing(have, want)}")


# --- keys


def tool(*argv):
    return subprocess.run([os.path.join(BUILD, "tools", "optiontable"), *argv], capture_output=True, text=True, check=True).stdout


def kinds():
    return tool().split()


def keys(kind):
    """{key: (choices, default)} of a kind of section, out of the code's table."""
    found = {}
    for item in tool(kind).split("\n.It ")[1:]:
        head = re.match(r"Cm (\S+) No = (?:Cm (.*)|Ar \S+)\n", item)
        default = re.search(r"^[Dd]efault\n\.(?:Li (\S+)|Ar prefix)", item, re.M)
        found[head[1]] = ((head[2] or "").replace("|", " ").split(), default and default[1])
    return found


def tables(folder):
    """The tables of keys are what the code's option tables say."""
    copy = write(folder, INI, PAGES[INI])
    subprocess.run(["sh", os.path.join(DOC, "update-options.sh"), copy], check=True, env=dict(os.environ, BUILD=BUILD))
    with open(copy, encoding="utf-8") as f:
        ok(f.read() == PAGES[INI], tables.__doc__, "run doc/update-options.sh")
    same(kinds(), [kind for kind, _ in TABLE.findall(PAGES[INI])], "every kind of section has its table")


def tables_anew(folder):
    """A table that differs from the code is seen, and one without its end is refused."""
    wrong = write(folder, "wrong.5", PAGES[INI].replace(".It Cm sync", ".It Cm sink", 1))
    torn = write(folder, "torn.5", PAGES[INI].replace('.\\" end of [segmenter]', "", 1).replace('.\\" end of [origin]', "", 1))
    env = dict(os.environ, BUILD=BUILD)
    script = ["sh", os.path.join(DOC, "update-options.sh")]
    subprocess.run([*script, wrong], env=env, check=True)
    refused = subprocess.run([*script, torn], env=env, stderr=subprocess.DEVNULL).returncode
    with open(wrong, encoding="utf-8") as f, open(torn, encoding="utf-8") as g:
        ok(f.read() == PAGES[INI] and refused and ".It Cm sync" in g.read(), tables_anew.__doc__)


def key_names(folder):
    """What a manual calls a key, a value or a command is one."""
    known = set(kinds()) | set(re.findall(r"\w+", finish("rewind", "-h")[1])) | {"yes", "no"}
    for kind in kinds():
        for key, (choices, _) in keys(kind).items():
            known |= {key, *choices}
    for name, page in PAGES.items():
        page = TABLE.sub("", page)
        used = set()
        for line in re.findall(r"^\.(?:It |Op |Pq |Ss )?Cm (.*)$|^\..*? Cm (.*)$", page, re.M):
            for words in line:
                used |= set(re.findall(r"(?<![\w.-])[a-z][a-z0-9_-]+", re.sub(r"\b(Op|Ar|Ns|Fl|Pa|Ta|No|Cm|Li) ?[A-Z]?", " ", words)))
        operands = {"station", "rendition", "instant", "and"}
        ok(not used - known - operands, f"{name}: {key_names.__doc__}", missing(used, known | operands))


def origin_keys(folder):
    """hindcast-origin(1) tells every key of [origin], with its default."""
    page = PAGES["origin.1"].split(".Sh CONFIGURATION", 1)[1].split(".Sh PATHS", 1)[0]
    said = {}
    for item in page.split("\n.It Cm ")[1:]:
        head, _, text = item.partition("\n")
        said.update({key: text for key in head.split(" , ")})
    want = keys("origin")
    same(want, said, origin_keys.__doc__)
    wrong = [key for key, (_, default) in want.items() if default and not re.search(rf"(?<!\w){re.escape(default)}(?!\w)", said.get(key, ""))]
    ok(not wrong, "the defaults there are those of the code", wrong)


def input_types(folder):
    """The table of types says which keys each needs and takes."""
    said = {m[1]: (m[2].split(), m[3].split())
            for m in re.finditer(r"^\.It Cm (\S+) Ta (?:Cm|No) (.*?) Ta (?:Cm|No) (.*)$", PAGES[INI], re.M)}
    same(keys("input")["type"][0], said, "every type of input is in the table")
    station = "[station s]\nrenditions = r\n[rendition s/r]\n[icecast-listener]\n"
    for kind, (needs, takes) in said.items():
        needs, takes = ([key for key in of if key != "-"] for of in (needs, takes))
        free = [key for key in keys("input") if key not in ("type", "priority", "timeout")]
        values = {"loop": "no", "pace": "real", "start": "now"}
        given = "".join(f"{key} = {values.get(key, 'x')}\n" for key in free)
        bare = finish("segmenter", "-n", "-c", write(folder, "bare.ini", f"{station}[input s/r x]\ntype = {kind}\n"))[2]
        full = finish("segmenter", "-n", "-c", write(folder, "full.ini", f"{station}[input s/r x]\ntype = {kind}\n{given}"))[2]
        wanted = re.findall(rf"\] (\w+): type = {kind} needs it", bare)
        refused = re.findall(rf"\] (\w+): type = {kind} does not take it", full)
        same(wanted, needs, f"{kind}: what it needs")
        same(set(free) - set(refused), needs + takes, f"{kind}: what it takes")


# --- options of programs


def options(folder):
    """Every option of a program is in its manual, and no other."""
    for name, letters in (("segmenter", "chnVv"), ("origin", "chnV"), ("rewind", "chV")):
        page = PAGES[f"{name}.1"]
        said = set(re.findall(r"\bFl ([a-zA-Z]+)\b", re.sub(r"^\.Dl.*$", "", page, flags=re.M)))
        said = set("".join(said))
        usage = set(re.findall(r"^ +-(\w)\b", finish(name, "-h")[1], re.M)) | {"h"}
        taken = {c for c in map(chr, range(65, 123)) if c.isalpha() and
                 (finish(name, f"-{c}", "-h")[0] == 0 or "requires an argument" in finish(name, f"-{c}")[2])}
        same(taken, said, f"hindcast-{name}: {options.__doc__}")
        ok(not missing(usage, taken), f"hindcast-{name}: -h names options that exist", missing(usage, taken))


def long_options(folder):
    """The same for the long ones of rewind."""
    said = set(re.findall(r"\bFl -([a-z]+)\b", PAGES["rewind.1"]))
    values = {"store": "x", "config": "x", "from": "now", "to": "now", "duration": "1", "output": "x"}
    wrong = [o for o in said if finish("rewind", f"--{o}", *([values[o]] if o in values else []), "-h")[0] != 0]
    ok(said and not wrong, "hindcast-rewind: the long options exist", wrong)
    usage = set(re.findall(r"--([a-z]+)", finish("rewind", "-h")[1]))
    ok(not usage - said, "hindcast-rewind: the long options that -h names are in the manual", missing(usage, said))


# --- metrics and log


def scrape(port):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/metrics", timeout=10) as r:
        return re.findall(r"^# TYPE (\S+)", r.read().decode(), re.M)


def metrics(folder):
    """Every metric is in a manual, and no other."""
    ini = f"""[store]
path = {folder}/store
[station fip]
renditions = hifi
[rendition fip/hifi]
[input fip/hifi main]
type = icecast-source
mount = /fip
password = x
[icecast-listener]
listen = 127.0.0.1:0
[segmenter]
metrics = 127.0.0.1:0
"""
    s = segmenter(folder, ini)
    real = {"segmenter": scrape(s.ports["metrics"])}
    s.end()
    o = origin(folder, f"{folder}/store")
    real["origin"] = scrape(o.port)
    o.end()
    for name, want in real.items():
        section = PAGES[f"{name}.1"]
        told = [m for line in macros(section, "It") for m in re.findall(r"\bhindcast_\w+", line)]
        ok(len(want) > 10, f"hindcast-{name} has metrics", want)
        same(want, told, f"hindcast-{name}: {metrics.__doc__}")
        ok(len(told) == len(set(told)), f"hindcast-{name}: no metric is told twice")
    everything = set(real["segmenter"]) | set(real["origin"])
    for name, page in PAGES.items():
        used = set(re.findall(r"\bhindcast_\w+", page))
        ok(not used - everything, f"{name}: the metrics that it names exist", missing(used, everything))


def log_lines(folder):
    """The log lines under DIAGNOSTICS are what the program says."""
    said = macros(PAGES["segmenter.1"].split(".Sh DIAGNOSTICS", 1)[1], "It")
    with open(os.path.join(BUILD, "segmenter"), "rb") as f:
        program = f.read()
    ok(said and all(line.encode() in program for line in said), log_lines.__doc__,
       *(line for line in said if line.encode() not in program))


# --- pages


def references(folder):
    """Pages refer to pages that are there."""
    names = {(f"hindcast-{n[:-2]}" if n.endswith(".1") else n[:-2], n[-1]) for n in PAGES}
    for name, page in PAGES.items():
        told = {tuple(line.split()[:2]) for line in macros(page, "Xr") if line.startswith("hindcast")}
        ok(not told - names, f"{name}: {references.__doc__}", told - names)


def examples(folder):
    """The examples of configuration are taken by the programs."""
    for name, page in PAGES.items():
        blocks = re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)^\.Ed", page, re.M)
        whole = [b for b in blocks if b.startswith("[store]")]
        if name == INI:
            ok(len(whole) >= 3, f"{name} has examples")
        for i, block in enumerate(b for b in blocks if re.match(r"\[[a-z]", b)):
            if block.startswith(("[input", "[icecast")):
                block = "[station fip]\nrenditions = hifi\n[rendition fip/hifi]\n" + block
            elif block.startswith("[station"):
                block = block.replace("[input fip/hifi main]", "renditions = hifi\n[rendition fip/hifi]")
            path = write(folder, "example.ini", block)
            for program in ("segmenter", "origin"):
                code, _, err = finish(program, "-n", "-c", path)
                ok(code == 0, f"{name}: hindcast-{program} takes example {i + 1}", err)


def comments(folder):
    """A semicolon behind a blank ends a value, one without does not."""
    ini = "[station s]\nrenditions = r\n[rendition s/r]\n[input s/r x]\ntype = command\ncommand = a {} b\n"
    for text, want in ((" ;", "a"), (";", "a; b")):
        out = finish("segmenter", "-n", "-c", write(folder, "c.ini", ini.replace(" {}", text)))[1]
        said = re.search(r"^command = (.*?)\s+; command:", out, re.M)
        ok(said and said[1] == want, f"command = a{text} b is {want!r}", out)


# --- the store


def elided(text, pattern):
    """Is the text as the pattern, in which a line of "…" stands for any lines, and one in a line for any characters?"""
    parts = [re.escape(part).replace("…", ".*") for part in re.split(r"^…\n", pattern, flags=re.M)]
    return re.fullmatch(r"(?:.*\n)*?".join(parts), text) is not None


def store(folder):
    """doc/store.md shows what the segmenter writes."""
    with open(os.path.join(DOC, "store.md"), encoding="utf-8") as f:
        page = f.read()
    blocks = re.findall(r"^```(.*)\n((?:.*\n)*?)^```$", page, re.M)
    ini = next(text for info, text in blocks if info == "ini")
    ini = ini.replace("path = store", f"path = {folder}/store").replace("path = tests", f"path = {ROOT}/tests")
    code, _, err = finish("segmenter", "-c", write(folder, "store.ini", ini))
    ok(code == 0, "the example comes to its end", err)
    checked = 0
    for info, text in blocks:
        kind = info.partition("text ")[2]
        if kind == "tree":
            paths = [line.split()[0] for line in text.splitlines() if line and "*" not in line]
            gone = [p for p in paths if not os.path.exists(f"{folder}/store/{p}")]
            ok(paths and not gone, "every path of the layout is there", gone)
        elif kind == "mtime":
            for when, path in map(str.split, text.splitlines()):
                at = datetime.datetime.fromtimestamp(os.stat(f"{folder}/store/{path}").st_mtime, datetime.timezone.utc)
                ok(at.strftime("%Y-%m-%dT%H:%M:%SZ") == when, f"{path} is of {when}", at)
        elif kind:
            with open(f"{folder}/store/{kind}", encoding="utf-8") as f:
                ok(elided(f.read(), text), f"{kind} is as drawn")
            checked += 1
    ok(checked >= 4, "hour files and lists are drawn", checked)


main(tables, tables_anew, key_names, origin_keys, input_types, options, long_options, metrics, log_lines, references, examples,
     comments, store)
