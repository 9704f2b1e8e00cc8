#!/usr/bin/env python3
"""Wrong configurations: each is refused before anything starts, by file, line, section and key, with the way out."""
import os
import re
import socket
import time

from failing import AAC, ENCODER, LOOP, MEDIA, STATION, T, config, finish, main, ok, segmenter, until, write

# What is replaced in GOOD, by what, and what must be said of it; {line} is the line that has the replacement.
GOOD = """[store]
path = STORE
min_free = 0

[station fip]
segment = 6
renditions = hifi

[rendition fip/hifi]

[input fip/hifi main]
type = icecast-source
mount = /fip-hifi
password = hackme

[icecast-listener]
listen = 127.0.0.1:0
"""
TWO = """[station fip]
renditions = hifi lofi
[rendition fip/hifi]
[rendition fip/lofi]
"""
WRONG = [
    ("a key that is nearly right", "segment = 6", "segmnet = 6",
     r'{line}: \[station fip\].*unknown key "segmnet", did you mean "segment"\?'),
    ("a key that is like none", "min_free = 0", "colour = red",
     r'{line}: \[store\].*unknown key "colour", want one of: path, sync, min_free'),
    ("a kind of section that is nearly right", "[icecast-listener]", "[icecast-listner]",
     r'{line}: unknown kind of section "icecast-listner", did you mean "icecast-listener"\?'),
    ("a kind of section that is like none", "[icecast-listener]", "[zebra]",
     r'{line}: unknown kind of section "zebra", want one of: .*station'),
    ("a key twice", "min_free = 0", "min_free = 0\nmin_free = 0", r"3?\d: \[store\] min_free: is there already, in line 3"),
    ("a section twice", "[icecast-listener]", "[station fip]\n[icecast-listener]",
     r"{line}: \[station fip\]: is there already, in line 5: put its keys together"),
    ("no number", "segment = 6", "segment = six", r'{line}: \[station fip\] segment: "six", want '),
    ("a unit that is none", "min_free = 0", "min_free = 2T", r'{line}: \[store\] min_free: "2T", want '),
    ("a choice that is none", "min_free = 0", "sync = always", r'{line}: \[store\] sync: "always", want .*none.*segment'),
    ("T that does not divide an hour", "segment = 6", "segment = 7",
     r"{line}: \[station fip\] segment: want whole seconds that divide an hour: 2, 3, 4, 5, 6"),
    ("T that is no whole number", "segment = 6", "segment = 2500ms",
     r"{line}: \[station fip\] segment: want whole seconds that divide an hour"),
    ("T that is too short", "segment = 6", "segment = 1", r'{line}: \[station fip\] segment: "1", want '),
    ("a window that is too short", "segment = 6", "segment = 12\nwindow = 60",
     r"\d+: \[station fip\] window: want at least 6 segments: 72s"),
    ("a rendition that is not described", "renditions = hifi", "renditions = hifi lofi",
     r"{line}: \[station fip\] renditions: lofi is not described, want a section \[rendition fip/lofi\]"),
    ("a rendition that no station names", "[rendition fip/hifi]", "[rendition fip/hifi]\n[rendition fip/lofi]",
     r"10: \[rendition fip/lofi\]: \[station fip\] does not name it in `renditions`"),
    ("a rendition of no station", "[rendition fip/hifi]", "[rendition fip/hifi]\n[rendition fop/hifi]",
     r"10: \[rendition fop/hifi\]: want \[rendition STATION/NAME\] of a station that is described"),
    ("an input of no rendition", "[input fip/hifi main]", "[input fip/hifly main]",
     r"{line}: \[input fip/hifly main\]: there is no \[rendition fip/hifly\]"),
    ("an input of no type", "type = icecast-source", "type = icecast", r'{line}: .* type: "icecast", want .*icecast-source'),
    ("an input without a type", "type = icecast-source\n", "", r"11: \[input fip/hifi main\] type: is missing"),
    ("seventeen inputs of one rendition", "[icecast-listener]",
     "".join(f"[input fip/hifi b{n}]\ntype = file\npath = /x\n" for n in range(16)) + "[icecast-listener]",
     r"\d+: \[input fip/hifi b15\]: fip/hifi has 16 inputs already"),
    ("a mount that is none", "mount = /fip-hifi", "mount = fip-hifi", r"{line}: .* mount: want a path such as /fip-hifi"),
    ("no mount", "mount = /fip-hifi\n", "", r'11: .* mount: type = icecast-source needs it; add a line "mount = '),
    ("no password", "password = hackme\n", "",
     r"11: .* password: type = icecast-source needs password_file, password_env or password"),
    ("a key of another type", "mount = /fip-hifi", "mount = /fip-hifi\nloop = yes",
     r"14: .* loop: type = icecast-source does not take it; remove the line"),
    ("a source port that is none", "listen = 127.0.0.1:0", "listen = 8001",
     r"{line}: \[icecast-listener\] listen: want ADDRESS:PORT, such as 0.0.0.0:8001"),
    ("no source port", "[icecast-listener]\nlisten = 127.0.0.1:0\n", "",
     r"12: .* type: icecast-source needs a section \[icecast-listener\]"),
    ("a pull from no URL", "type = icecast-source\nmount = /fip-hifi\npassword = hackme",
     "type = icecast-pull\nurl = radio.example/fip", r"13: .* url: want http://HOST:PORT/MOUNT or https://"),
    ("a start that is no instant", "type = icecast-source\nmount = /fip-hifi\npassword = hackme",
     "type = file\npath = /x\nstart = yesterday", r"14: .* start: want an instant \(2026-11-21T09:00:00Z\)"),
    ("a line that is nothing", "min_free = 0", "min_free", r'{line}: .*no "=" in this line, want "key = value"'),
    ("a header that does not end", "[rendition fip/hifi]", "[rendition fip/hifi",
     r'{line}: section header without "\]"'),
    ("a name with a space", "[station fip]", "[station Radio FIP]", r"{line}: .*want \"\[station NAME\]\""),
    ("a name with capitals", "[station fip]", "[station FIP]", r"{line}: .*bad name, want .*a-z, 0-9"),
    ("a name that would leave the store", "[station fip]", "[station ../fip]", r"{line}: .*bad name, want .*a-z, 0-9"),
    ("a key before any section", "[store]\n", "", r'1: .*key before the first section header'),
    ("a control character", "min_free = 0", "min_free = \x010", r"{line}: .*control character in this line"),
    ("a line without an end in sight", "min_free = 0", "min_free = " + "0" * 5000, r"{line}: .*line of 5\d+ characters"),
]


def line_of(text, part):
    return text[:text.index(part)].count("\n") + 1 if part else 0


def test_table(folder):
    """Each wrong configuration is refused, and the message names the place and the way out"""
    for name, old, new, want in WRONG:
        text = GOOD.replace(old, new, 1)
        assert text != GOOD, name
        path = write(folder, "wrong.ini", text.replace("STORE", folder + "/store"))
        code, out, err = finish("segmenter", "-c", path)
        pattern = "^" + re.escape(path) + ":" + want.replace("{line}", str(line_of(text, new)))
        ok(code == 2 and re.search(pattern, err, re.M) and not out, name, f"exit code {code}", "want " + pattern, err)
    ok(not os.path.exists(folder + "/store"), "nothing was begun with a wrong configuration")


def test_all_at_once(folder):
    """All errors of a file are told in one go"""
    text = GOOD.replace("segment = 6", "segment = six").replace("[icecast-listener]", "[zebra]")
    code, _, err = finish("segmenter", "-c", write(folder, "wrong.ini", text))
    ok(code == 2 and re.search(r":6: ", err) and re.search(r":16: ", err), test_all_at_once.__doc__, err)


def test_mounts(folder):
    """Two inputs on one mount are refused, and both are named"""
    text = TWO + "".join(f"[input fip/{r} main]\ntype = icecast-source\nmount = /m\npassword = x\n"
                         for r in ("hifi", "lofi")) + "[icecast-listener]\nlisten = 127.0.0.1:0\n"
    code, _, err = finish("segmenter", "-c", write(folder, "wrong.ini", text))
    ok(code == 2 and re.search(r":11: \[input fip/lofi main\] mount: /m is the mount of \[input fip/hifi main\] too", err),
       test_mounts.__doc__, err)


def test_no_file(folder):
    """A configuration that is not there, is a folder, or may not be read"""
    path = os.path.join(folder, "none.ini")
    code, _, err = finish("segmenter", "-c", path)
    ok(code == 2 and f"{path}: cannot be read: No such file" in err, "a configuration that is not there", err)
    code, _, err = finish("segmenter", "-c", folder)
    ok(code == 2 and f"{folder}: cannot be read: Is a directory" in err, "a configuration that is a folder", err)
    code, _, err = finish("segmenter", "-c", write(folder, "big.ini", "; \n" * 400000))
    ok(code == 2 and "larger than 1 MiB" in err, "a configuration without an end", err)
    code, _, err = finish("segmenter", "-x")
    ok(code == 2 and "usage:" in err, "an option that is none", err)


def test_secrets(folder):
    """Passwords: a file that is missing or empty, an environment without it, a file that all may read"""
    for name, line, want in (
            ("missing", f"password_file = {folder}/none", rf"{folder}/none: cannot be read: No such file"),
            ("empty", "password_file = " + write(folder, "empty", ""), r"empty: is empty, want a password on the first line"),
            ("not in the environment", "password_env = HINDCAST_NONE", r"the environment has no HINDCAST_NONE, want it set")):
        text = GOOD.replace("STORE", folder + "/store").replace("password = hackme", line)
        code, _, err = finish("segmenter", "-c", write(folder, "wrong.ini", text))
        ok(code and re.search(want, err), f"a password that is {name}", f"exit code {code}", err)
    path = write(folder, "open.ini", GOOD)
    os.chmod(path, 0o644)
    code, out, err = finish("segmenter", "-n", "-c", path)
    ok(code == 0 and re.search("warn .*password in a file that all may read, want mode 0640", err),
       "a password that all may read is warned of", err)
    ok("hackme" not in out + err and "(set)" in out, "and is not printed", out)


def test_check(folder):
    """-n prints what is in force, defaults and all, as a configuration that says the same, and begins nothing"""
    store = folder + "/store"
    path = write(folder, "good.ini", config(store, LOOP))
    code, out, err = finish("segmenter", "-n", "-c", path)
    ok(code == 0 and re.search(r"^retention = 14d", out, re.M) and re.search(rf"^segment = {T}s?\b", out, re.M),
       "-n prints what is in force", f"exit code {code}", out, err)
    code, again, err = finish("segmenter", "-n", "-c", write(folder, "again.ini", out))
    ok(code == 0 and again == out, "what -n prints says the same when it is read", err, again)
    ok(not os.path.exists(store), "-n begins nothing")


def test_origin_reads_the_same(folder):
    """origin and rewind refuse it in the same words"""
    path = write(folder, "wrong.ini", GOOD.replace("segment = 6", "segmnet = 6"))
    for program, arguments in (("origin", []), ("rewind", ["ls"])):
        code, _, err = finish(program, "-c", path, *arguments)
        ok(code == 2 and ":6: " in err and 'did you mean "segment"?' in err, f"{program} refuses it in the same words", err)


def test_changed_duration(folder):
    """A store that was begun with another T is refused, with the way out, and nothing in it is touched"""
    store = folder + "/store"
    s = segmenter(folder, config(store, LOOP + "start = -20s\n"))
    until("a list", lambda: os.path.exists(store + "/s/a/index.m3u8"))
    s.end()
    before = tree(store)
    other = config(store, LOOP, STATION.replace(f"segment = {T}\n", "segment = 3\n").replace("window = 12", "window = 18"))
    code, _, err = finish("segmenter", "-c", write(folder, "other.ini", other))
    ok(code == 1 and re.search(r"s/a was written with segments of 2 s, the configuration says 3 s: set segment = 2 again, "
                               r"or move the folder s/a away", err), test_changed_duration.__doc__, f"exit code {code}", err)
    ok(tree(store) == before, "nothing in the store was touched", tree(store) ^ before)
    s = segmenter(folder, config(store, LOOP))
    ok(s.end() == 0, "with the old T it goes on")


def tree(folder):
    """Names and contents of what is in a folder."""
    found = set()
    for at, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(at, name), "rb") as f:
                found.add((os.path.join(at, name), f.read()))
    return found


def test_port_taken(folder):
    """A port that is taken: said with the address, and the program ends"""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = "127.0.0.1:%d" % other.getsockname()[1]
        text = config(folder + "/store", ENCODER).replace("listen = 127.0.0.1:0", "listen = " + address)
        code, _, err = finish("segmenter", "-c", write(folder, "taken.ini", text))
        ok(code == 1 and f"[icecast-listener] cannot listen on {address}: address already in use" in err,
           "a source port that is taken", f"exit code {code}", err)
        text = config(folder + "/store", LOOP).replace("metrics = 127.0.0.1:0", "metrics = " + address)
        code, _, err = finish("segmenter", "-c", write(folder, "taken.ini", text))
        ok(code == 1 and f"[segmenter] metrics = {address}: cannot listen: Address already in use" in err,
           "a port of metrics that is taken", f"exit code {code}", err)


def test_hangup(folder):
    """SIGHUP: what has changed is named as needing a restart; a file with errors leaves the old one in force"""
    import signal
    text = config(folder + "/store", LOOP)
    s = segmenter(folder, text)
    s.send(signal.SIGHUP)
    ok(s.wait("configuration has not changed"), "SIGHUP without a change")
    write(folder, "hindcast.ini", text + "[zebra]\n")
    s.send(signal.SIGHUP)
    ok(s.wait("has errors, the old one stays in force") and s.said('unknown kind of section "zebra"'),
       "SIGHUP with errors", s.tail())
    write(folder, "hindcast.ini", text.replace("fill_limit = 4s", "fill_limit = 5s"))
    s.send(signal.SIGHUP)
    ok(s.wait("has changed: restart to put it in force"), "SIGHUP with a change")
    ok(s.end() == 0, "and it ends as told", s.tail())


if __name__ == "__main__":
    main(test_table, test_all_at_once, test_mounts, test_no_file, test_secrets, test_check, test_origin_reads_the_same,
         test_changed_duration, test_port_taken, test_hangup)
