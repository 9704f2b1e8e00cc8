#!/usr/bin/env python3
"""Disks that fail: full, read-only, taken away. What is stored stays whole and is served, and what waits is stored later."""
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request

from failing import (AAC, LOOP, STATION, T, Observer, config, finish, get, later, main, metric, ok, origin, results, segmenter,
                     until, verify, write)

ROOT = os.geteuid() == 0
# root may write where it has no permission; without these capabilities it is as others are
PLAIN = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if ROOT else ()
PAST = LOOP + "start = -24s\n"


def skip(name, why):
    results.append(True)
    print(f"ok {len(results)} - {name} # SKIP {why}", flush=True)


def own_mounts():
    """A mount namespace of this process and its children: nobody else sees what is mounted here."""
    if not ROOT or ctypes.CDLL(None, use_errno=True).unshare(0x00020000) < 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True).returncode == 0


def mount(folder, size):
    path = os.path.join(folder, "disk")
    os.makedirs(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", path], check=True)
    unmount_later(path)
    return path


def unmount_later(path):
    later(lambda: subprocess.run(["umount", "-l", path], capture_output=True))


def fill(disk, leave=0):
    """Take all room but `leave` bytes."""
    with open(disk + "/ballast", "wb", buffering=0) as f:
        try:
            while os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > leave:
                f.write(bytes(4096))
        except OSError:
            pass


def entries(store):
    """(number, gap) of every entry of the hour files, as they stand."""
    found = []
    for path in sorted(glob.glob(store + "/s/a/*.m3u8*")):
        if not re.search(r"/\d{8}T\d\d\.m3u8", path):
            continue
        with open(path) as f:
            text = f.read()
        msn = int(re.search(r"^#EXT-X-MEDIA-SEQUENCE:(\d+)", text, re.M)[1])
        gap = False
        for line in text.splitlines():
            gap |= line == "#EXT-X-GAP"
            if line and line[0] != "#":
                found.append((msn, gap))
                msn, gap = msn + 1, False
    return found


def holes(store):
    """Gaps between the first and the last segment with media."""
    media = [msn for msn, gap in entries(store) if not gap]
    return [msn for msn, gap in entries(store) if gap and media[0] < msn < media[-1]]


def served(o, store):
    """What the origin answers for the segments of the live list."""
    with open(store + "/s/a/index.m3u8") as f:
        names = [line.strip() for line in f if line[0] != "#"]
    statuses = set()
    for name in names:
        with open(f"{store}/s/a/{name}", "rb") as f:
            whole = len(f.read())
        with urllib.request.urlopen(f"http://127.0.0.1:{o.port}/s/a/{name}") as r:
            statuses.add((r.status, len(r.read()) == whole))
    return statuses


def on_air(folder, text, **how):
    """A segmenter that has caught up with the present, and an observer."""
    s = segmenter(folder, text, **how)
    store = re.search(r"path = (.*)", text)[1]
    until("a live list", lambda: os.path.exists(store + "/s/a/index.m3u8"))
    seen = Observer(store)
    until("the present", lambda: seen.newest >= time.time() // T - 2)
    return s, seen


def test_full(folder):
    """The disk fills up under a segmenter on air"""
    disk = mount(folder, "4m")
    store = disk + "/store"
    s, seen = on_air(folder, config(store, PAST))
    o = origin(folder, store)
    seen.wait_beyond(seen.newest)
    fill(disk)
    line = s.wait("cannot store a segment, it is kept and tried again.*")[0]
    ok("No space left on device" in line and "make room on the disk of the store, or set min_free" in line,
       "a full disk: what, where and the way out are said", line)
    until("segments that wait", lambda: metric(s, "writer_waiting") >= 2)
    ok(metric(s, "writer_failures_total") >= 1 and metric(s, "store_errors_total") >= 1, "the failures are counted")
    ok(metric(s, "writer_given_up_total") == 0 and metric(s, "output_frames_total") > 0, "nothing is given up yet")
    ok(not verify(store), "full: the store is whole", verify(store))
    ok(served(o, store) == {(200, True)}, "full: all that is listed is served", served(o, store))
    newest = seen.newest
    os.unlink(disk + "/ballast")
    seen.wait_beyond(newest + 2)
    until("nothing waits", lambda: metric(s, "writer_waiting") == 0)
    ok(not holes(store), "with room again all that waited is stored, no number without media", holes(store))
    ok(get(s.ports["metrics"], "/healthz")[0] == 200 and get(o.port, "/s/a/index.m3u8")[0] == 200, "and all is well again")
    fill(disk)
    s.wait("cannot store a segment", s.mark())
    newest = seen.newest
    s.end(signal.SIGKILL)
    ok(not verify(store), "killed while full: the store is whole", verify(store))
    s = segmenter(folder, config(store, LOOP))
    s.wait("cannot store a segment|cannot write")
    os.unlink(disk + "/ballast")
    seen.wait_beyond(newest)
    seen.wait_media_beyond(seen.newest)
    ok(s.end() == 0 and not seen.stop(), "started while full it goes on when there is room, numbers go on too", s.tail(), seen.faults)
    ok(not verify(store), "the store is whole", verify(store))
    numbers = [msn for msn, _ in entries(store)]
    ok(len(set(numbers)) == len(numbers), "no number is there twice", [n for n in set(numbers) if numbers.count(n) > 1])


def test_full_end(folder):
    """Ended while the disk is full: at once, and the next start goes on"""
    disk = mount(folder, "4m")
    store = disk + "/store"
    s, seen = on_air(folder, config(store, PAST))
    seen.wait_beyond(seen.newest)
    fill(disk)
    s.wait("cannot store a segment")
    began, newest = time.monotonic(), seen.newest
    ok(s.end() == 0 and time.monotonic() - began < 5, "ended while full, it ends at once", s.tail())
    ok(not verify(store), "the store is whole", verify(store))
    os.unlink(disk + "/ballast")
    s = segmenter(folder, config(store, LOOP))
    seen.wait_media_beyond(newest)
    ok(s.end() == 0 and not seen.stop() and not verify(store), "with room it goes on at the next start", seen.faults, s.tail())


def test_min_free(folder):
    """With min_free the oldest hours go, loudly, so that the station stays on air"""
    disk = mount(folder, "64m")
    store = disk + "/store"
    tiny = write(folder, "tiny.aac", tiny_adts())
    past = f"type = file\npath = {tiny}\nloop = yes\nstart = -{2 * 3600 + time.time() % 3600:.0f}s\n"
    s, seen = on_air(folder, config(store, past, sync="none"))
    hours = lambda: sorted(os.path.basename(p) for p in glob.glob(store + "/s/a/*T??.m3u8"))
    until("the past laid in", lambda: len(hours()) >= 2)
    s.end()
    had = hours()
    fill(disk)
    s = segmenter(folder, config(store, LOOP, min_free="256K"))
    o = origin(folder, store)
    line = s.wait("error +disk space is scarce: hour is removed early.*")[0]
    ok(f"hour={had[0][:11]}" in line, "the oldest hour goes first, and it is said", line)
    newest = seen.newest
    seen.wait_beyond(newest)
    ok(hours()[0] > had[0] and metric(s, "store_hours_removed_for_space_total") >= 1, "it is gone, and counted", hours())
    ok(not glob.glob(f"{store}/s/a/{had[0][:11]}*"), "with its segments")
    ok(not seen.stop(), "the live list went on without a fault", seen.faults)
    ok(served(o, store) == {(200, True)}, "all that is listed is served")
    ok(s.end() == 0 and not verify(store), "what stays is whole", verify(store), s.tail())


def tiny_adts():
    """AAC whose frames are a few bytes long: hours of it fit into a small disk."""
    payload = b"\x21\x10\x04\x60\x8c\x1c"
    length = 7 + len(payload)
    return (bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC]) + payload) * 1000


def test_forced_read_only(folder):
    """The kernel makes the file system read-only under a segmenter on air, as after a disk error"""
    name = "a file system that turns read-only"
    disk, image = folder + "/disk", folder + "/image"
    os.makedirs(disk)
    with open(image, "wb") as f:
        f.truncate(8 << 20)
    if subprocess.run(["mkfs.ext4", "-q", image], capture_output=True).returncode or subprocess.run(
            ["mount", "-o", "loop,errors=remount-ro", image, disk], capture_output=True).returncode:
        return skip(name, "no ext4 on a loop device here")
    unmount_later(disk)
    store = disk + "/store"
    s, seen = on_air(folder, config(store, PAST))
    o = origin(folder, store)
    device = next(line.split()[0] for line in open("/proc/mounts") if line.split()[1] == disk)
    trigger = f"/sys/fs/ext4/{os.path.basename(device)}/trigger_fs_error"
    if not os.path.exists(trigger):
        return skip(name, "this kernel cannot be told of an error")
    with open(trigger, "w") as f:
        f.write("test")
    line = s.wait("cannot store a segment, it is kept and tried again.*")[0]
    ok(re.search("(Read-only file system|Input/output error).*(make the store writable|look after the disk)", line), f"{name}: said with the way out", line)
    ok(served(o, store) == {(200, True)} and not verify(store), "read-only: all that is listed is whole and served",
       served(o, store), verify(store))
    newest = seen.newest
    seen.stop()
    ok(o.end() == 0 and s.end() == 0, "both end as told", s.tail())
    subprocess.run(["umount", disk], check=True)
    subprocess.run(["e2fsck", "-p", image], capture_output=True)
    subprocess.run(["mount", "-o", "loop", image, disk], check=True)
    s, seen = on_air(folder, config(store, LOOP))
    seen.wait_beyond(newest)
    code, faults = s.end(), seen.stop()
    ok(code == 0 and not faults and not verify(store), "repaired and started again, it goes on", faults, verify(store))


def test_read_only(folder):
    """A store that is read-only at the start"""
    disk = mount(folder, "4m")
    store = disk + "/store"
    s, seen = on_air(folder, config(store, PAST))
    seen.stop()
    s.end()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    code, _, err = finish("segmenter", "-c", write(folder, "c.ini", config(store, LOOP)))
    ok(code == 1 and re.search(r"store: s.*Read-only file system.*make the store writable for this user", err),
       "a read-only store: refused at the start, with the way out", f"exit code {code}", err)
    code, _, err = finish("segmenter", "-c", write(folder, "c.ini", config(disk + "/new", LOOP)))
    ok(code == 1 and re.search(r"c.ini:2: \[store\] path: cannot make .*/new: Read-only file system", err),
       "a new store on a read-only disk", f"exit code {code}", err)
    o = origin(folder, store)
    ok(served(o, store) == {(200, True)} and not verify(store), "readers need no permission to write")


def test_permission(folder):
    """A store without permission, at the start and on air"""
    store = folder + "/store"
    os.mkdir(store, 0o555)
    code, _, err = finish("segmenter", "-c", write(folder, "c.ini", config(store, LOOP)), prefix=PLAIN)
    ok(code == 1 and re.search(r"store: s: Permission denied.*make the store writable for this user", err),
       "a store without permission: refused at the start, with the way out", f"exit code {code}", err)
    code, _, err = finish("segmenter", "-c", write(folder, "c.ini", config(store + "/x", LOOP)), prefix=PLAIN)
    ok(code == 1 and re.search(r"c.ini:2: \[store\] path: cannot make .*/x: Permission denied; make it, or name another folder",
                               err), "a store that cannot be made", f"exit code {code}", err)
    os.chmod(store, 0o755)
    s, seen = on_air(folder, config(store, PAST), prefix=PLAIN)
    (hour,) = glob.glob(store + "/s/a/*T??/")[-1:]
    os.chmod(hour, 0o555)
    line = s.wait("cannot store a segment.*")[0]
    ok(re.search("Permission denied.*make the store writable for this user", line), "permission taken away on air: said", line)
    until("segments that wait", lambda: metric(s, "writer_waiting") >= 1)
    os.chmod(hour, 0o755)
    seen.wait_beyond(seen.newest + 1)
    until("nothing waits", lambda: metric(s, "writer_waiting") == 0)
    ok(not seen.stop() and not holes(store) and s.end() == 0, "given back: all that waited is stored", seen.faults, s.tail())
    ok(not verify(store), "the store is whole", verify(store))


def test_missing(folder):
    """Stores that are not there, or are no folder, or are taken away on air"""
    for name, path, want in (
            ("a folder that is missing on the way", folder + "/none/store",
             "cannot make .*/none/store: No such file or directory; make it, or name another folder"),
            ("a file in its place", write(folder, "file", ""), "cannot open .*/file: Not a directory")):
        code, _, err = finish("segmenter", "-c", write(folder, "c.ini", config(path, LOOP)))
        ok(code == 1 and re.search(r"c.ini:2: \[store\] path: " + want, err), name, f"exit code {code}", err)
    store = folder + "/store"
    s, seen = on_air(folder, config(store, PAST))
    newest = seen.newest
    (hour,) = glob.glob(store + "/s/a/*T??/")[-1:]
    seen.stop()
    until("no folder", lambda: shutil.rmtree(hour, ignore_errors=True) or not os.path.exists(hour))
    ok(verify(store), "segments that somebody removed are found by verify")
    s.wait("cannot store a segment.*No such file or directory")
    until("a folder made anew", lambda: glob.glob(hour + "*.ts"))
    ok(s.wait("cannot store") and metric(s, "writer_given_up_total") == 0, "an hour's folder that was removed is made anew", s.tail())
    until("no store", lambda: shutil.rmtree(store, ignore_errors=True) or not os.path.exists(store))
    line = s.wait("cannot store a segment.*No such file or directory.*", s.mark())[0]
    ok("start the segmenter anew" in line, "a store that was removed: said with the way out", line)
    ok(s.end() == 0, "it ends as told", s.tail())
    s, seen = on_air(folder, config(store, LOOP))
    ok(seen.wait_beyond(newest) is None and not seen.stop() and s.end() == 0 and not verify(store),
       "started anew it makes the store anew, and the numbers go on", s.tail(), seen.faults)


def test_torn_journal(folder):
    """Killed while segments wait for the disk, and of their journals one is torn and one is lost"""
    store = folder + "/store"
    s, seen = on_air(folder, config(store, PAST), prefix=PLAIN)
    (hour,) = glob.glob(store + "/s/a/*T??/")[-1:]
    os.chmod(hour, 0o555)
    s.wait("cannot store a segment")
    journals = lambda: sorted(glob.glob(store + "/s/a/.journal-[0-9]*"))
    until("five journals, all but the last one whole",
          lambda: len(journals()) >= 5 and all(os.path.getsize(p) > 30000 for p in journals()[:-1])
          and int(journals()[-1].split("-")[-1]) >= time.time() // T)
    s.end(signal.SIGKILL)
    torn, lost, newest = (journals()[i] for i in (1, 3, -1))
    os.truncate(torn, os.path.getsize(torn) * 6 // 10)
    os.unlink(lost)
    lost, newest = (int(path.split("-")[-1]) for path in (lost, newest))
    os.chmod(hour, 0o755)
    s = segmenter(folder, config(store, LOOP))
    line = s.wait(r"warn +journal torn, silence stands in .*")[0]
    ok(torn.split("-")[-1] in line, "a torn journal is said", line)
    seen.wait_media_beyond(newest)
    code, faults = s.end(), seen.stop()
    ok(code == 0 and not faults and not verify(store), "what is left of them is stored and the store is whole", faults,
       verify(store), s.tail())
    ok(lost in holes(store) and int(torn.split("-")[-1]) not in holes(store), "only the one that was lost is a gap", lost,
       torn, holes(store))


def test_locked(folder):
    """A second segmenter on the same store"""
    store = folder + "/store"
    s, seen = on_air(folder, config(store, PAST))
    code, _, err = finish("segmenter", "-c", write(folder, "c.ini", config(store, LOOP)))
    ok(code == 1 and re.search(r"store: s/\.lock: .*another process writes it: end that one", err), "is refused, and told why",
       f"exit code {code}", err)
    newest = seen.newest
    seen.wait_beyond(newest)
    ok(not seen.stop() and not metric(s, "store_errors_total") and s.end() == 0, "the first one goes on", s.tail())
    ok(not verify(store), "the store is whole", verify(store))
    s = segmenter(folder, config(store, LOOP))
    ok(s.end() == 0, "when it has ended, another one may write")


def away_from_the_hour():
    """What is taken away on air is the folder of the hour: it must not be over before that, nor what is laid in before it."""
    while not 40 < time.time() % 3600 < 3600 - 60:
        time.sleep(1)


if __name__ == "__main__":
    away_from_the_hour()
    mounts = [test_full, test_full_end, test_min_free, test_forced_read_only, test_read_only]
    if not own_mounts():
        skip("disks that are full or read-only", "it takes root to mount one")
        mounts = []
    main(test_permission, test_missing, test_locked, test_torn_journal, *mounts, at_once=True)
