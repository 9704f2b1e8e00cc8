#!/usr/bin/env python3
"""Programmes by name, through a running origin: the calendar's days as JSON, each programme's link by what its list begins and
ends with, a calendar that changes, is spoilt, goes and comes back. Prints TAP."""
import json
import os
import time
import zoneinfo
import datetime

from failing import main, ok, until, write
from listening import Answer, Listener, Origin, Tape, lay, named, query, utc

HOUR = 3600
ZONE = "Asia/Kolkata"  # where no local time comes twice
NOW = int(time.time())
T = 6


def stamp(t):
    return f"{datetime.datetime.fromtimestamp(t, zoneinfo.ZoneInfo(ZONE)):%Y%m%dT%H%M%S}"


def event(uid, title, start, seconds, *more):
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{title}", f"DTSTART;TZID={ZONE}:{stamp(start)}",
                        f"DURATION:PT{seconds}S", *more, "END:VEVENT", ""])


def calendar(*events):
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hindcast//test//EN", ""]) + "".join(events) + "END:VCALENDAR\r\n"


def replace(folder, text):
    """A file that is never half there."""
    write(folder, "new.ics", text)
    os.rename(os.path.join(folder, "new.ics"), os.path.join(folder, "s.ics"))


class Programmes:
    def __init__(self, folder):
        self.store = os.path.join(folder, "store")
        os.mkdir(self.store)
        self.tape = Tape("s", ZONE, "ts", T, NOW - 2 * HOUR, 2 * HOUR + 592, more=f"programmes = {os.path.join(folder, 's.ics')}\n")
        self.bare = Tape("bare", ZONE, "ts", T, NOW - HOUR, HOUR)
        stations = self.tape.station() + self.bare.station()
        code, log = lay(folder, self.store, stations + self.tape.input(folder) + self.bare.input(folder))
        ok(code == 0, "two hours are laid in", *log)
        # one that is over, one that is on, one to come; a daily one with an exception and one that was moved
        self.past, self.on = NOW - 5400, NOW - 1800
        self.events = [event("news", 'News, "late"\\; and more', self.past, 900, "DESCRIPTION:First line\\nsecond <b>line</b>"),
                       event("talk", "Café Ünïcode", self.on, HOUR), event("later", "Later", NOW + 4 * HOUR, HOUR)]
        replace(folder, calendar(*self.events))
        self.origin = Origin(folder, self.store, stations)
        self.listener = Listener(self.origin)

    def day(self, t, station="s"):
        date = f"{datetime.datetime.fromtimestamp(t, zoneinfo.ZoneInfo(ZONE)):%Y-%m-%d}"
        a = Answer(f"{self.origin.url}/{station}/programmes.json?date={date}")
        return json.loads(a.text)["programmes"] if a.status == 200 else a

    def all(self):
        found = {}
        for t in (self.past - 1200, self.past, self.on, NOW + 4 * HOUR):
            found.update({p["id"]: p for p in self.day(t)})
        return list(found.values())

    def said(self, pattern, since=0):
        return self.origin.program.said(pattern, since)


def scenario(folder):
    p = Programmes(folder)
    url = p.origin.url
    found = p.all()
    by = {x["title"]: x for x in found}
    ok(sorted(by) == ["Café Ünïcode", "Later", 'News, "late"; and more'], "programmes.json has the calendar's programmes", found)
    news, talk, later = (next(x for x in found if x["title"].startswith(t)) for t in ("News", "Caf", "Later"))
    ok(news["start"] == utc(p.past)[:-1] + ".000Z" or news["start"] == utc(p.past), "with their times", news)
    ok(news["description"] == "First line second <b>line</b>", "and their words, in one line", news)
    ok(later["play"] is None and news["play"] and talk["play"], "with a link where there is something to hear", found)

    media = p.listener.open(f"/s/{news['play']}")
    first, last = named(media.list.entries[0].uri), named(media.list.entries[-1].uri)
    ok(first == p.past // T * T and last + T == -(-(p.past + 900) // T) * T and media.list.ended,
       "the link of one that is over begins and ends with it", utc(first), utc(last), media.text[:300])
    for what in ("now", talk["id"]):
        media = p.listener.open("/s/index.m3u8?" + query(programme=what))
        ok(named(media.list.entries[0].uri) == p.on // T * T and not media.list.ended,
           f"programme={'now' if what == 'now' else 'its id'}: from its start on, and growing", media.text[:300])
    a = Answer(f"{url}/s/index.m3u8?" + query(programme=later["id"]))
    ok(a.status == 404 and json.loads(a.text)["parameter"] == "programme" and 0 < int(a.headers["Retry-After"]) <= 3600,
       "one that is to come is 404 with Retry-After", a.status, a.text, a.headers)
    for path, why in (("/s/index.m3u8?programme=nobody", "an id that nobody has"), ("/bare/index.m3u8?programme=now", "a station without programmes")):
        a = Answer(url + path)
        ok(a.status == 404 and json.loads(a.text)["parameter"] == "programme", f"{why} is 404 and names the parameter", a.status, a.text)
    ok(Answer(f"{url}/bare/programmes.json").status == 404, "so is its list of them")
    ok(p.day(p.past - 40 * 24 * HOUR) == [], "a day of which the calendar says nothing has none")
    for date in ("2026-13-01", "yesterday", "2026-1-1", ""):
        a = Answer(f"{url}/s/programmes.json?" + query(date=date))
        ok(a.status == 400 and json.loads(a.text)["parameter"] == "date", f"date={date} is 400 and says what is wanted", a.status, a.text)
    a = Answer(f"{url}/s/programmes.json?date=2026-11-20&date=2026-11-21")
    ok(a.status == 400 and json.loads(a.text)["parameter"] == "date", "two dates are 400, as any parameter that is given twice", a.status, a.text)

    # the calendar changes
    replace(folder, calendar(*p.events[:2], event("extra", "Extra", p.past - 1200, 600)))
    changed = [x for x in by if x != "Later"] + ["Extra"]
    until("a calendar that changes is read again", lambda: sorted(x["title"] for x in p.all()) == sorted(changed))
    ok(next(x for x in p.all() if x["title"].startswith("News"))["id"] == news["id"], "and what stays has the id that it had", p.all())

    # it is spoilt, goes, and comes back: the last good one holds
    known = p.all()
    spoilt = {"half of a calendar": calendar(*p.events)[:-30], "no calendar": "<html>404</html>", "nothing": "",
              "a rule that cannot be read": calendar(event("x", "X", p.past, 600, "RRULE:FREQ=SOMETIMES"))}
    for what, text in spoilt.items():
        mark = p.origin.program.mark()
        replace(folder, text)
        line = p.origin.program.wait(r"programmes not taken over", mark)
        ok(line and p.all() == known, f"{what} in its place: the last good one holds, and it is said", p.all())
    mark = p.origin.program.mark()
    os.unlink(os.path.join(folder, "s.ics"))
    p.origin.program.wait(r"programmes not taken over station=s .*No such file", mark)
    ok(p.all() == known, "the file is gone: the last good one holds, and it is said", p.all())
    replace(folder, calendar(*p.events))
    # each of origin's threads may hold a day's list for a second
    until("the calendar is back", lambda: sorted(x["title"] for x in p.all()) == sorted(by))
    ok(p.origin.end() == 0, "origin ends as it should")


if __name__ == "__main__":
    main(scenario)
