// Moments: instants (ms since 1970) as addresses name them, as the station's clock shows them, as the listener reads them.

const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
// A moment of an address that is longer than this is none.
const LONGEST = 40;

const formats = new Map();

function format(locale, timezone, options) {
	const key = JSON.stringify([locale, timezone, options]);

	if (!formats.has(key))
		formats.set(key, new Intl.DateTimeFormat(locale, { timeZone: timezone, ...options }));
	return formats.get(key);
}

// What the clock on the wall of `timezone` shows at `at`, as if it were UTC.
function wall(at, timezone) {
	const parts = format('en', timezone, {
		hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
	}).formatToParts(at);
	const { year, month, day, hour, minute, second } = Object.fromEntries(parts.map(({ type, value }) => [type, Number(value)]));

	return Date.UTC(year, month - 1, day, hour, minute, second);
}

function offset(at, timezone) {
	const second = Math.floor(at / 1000) * 1000;
	return wall(second, timezone) - second;
}

// The instant at which the clock on the wall shows `shown` (as if it were UTC): of a time that comes twice the first, of one that
// is skipped the moment at which the clocks are set.
function instant(shown, timezone) {
	const early = offset(shown - DAY, timezone);
	const late = offset(shown + DAY, timezone);
	const found = [shown - early, shown - late].filter((at) => at + offset(at, timezone) === shown);

	if (found.length > 0)
		return Math.min(...found);
	let [before, after] = [shown - late, shown - early];
	while (after - before > 1000) {
		const middle = Math.floor((before + after) / 2000) * 1000;
		if (offset(middle, timezone) === early)
			before = middle;
		else
			after = middle;
	}
	return after;
}

// The station-local day of an instant, 2026-11-21.
export function dateOf(at, timezone) {
	return new Date(wall(at, timezone)).toISOString().slice(0, 10);
}

// The station-local time of day of an instant, 09:00, as a time input has it.
export function timeOf(at, timezone) {
	return new Date(wall(at, timezone)).toISOString().slice(11, 16);
}

// The instant of a station-local date and time of day, as date and time inputs have them; NaN when they are none.
export function instantOf(date, time, timezone) {
	const shown = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}Z`);
	return Number.isFinite(shown) ? instant(shown, timezone) : NaN;
}

// The day that is `days` after a date.
export function dateAfter(date, days) {
	return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

// The instants between which a station-local day lies; with a change of clocks it is not of 24 hours.
export function dayOf(date, timezone) {
	return { from: instantOf(date, '00:00', timezone), to: instantOf(dateAfter(date, 1), '00:00', timezone) };
}

// The canonical form of the server's time parameters, 20261121T080000Z.
export function basic(at) {
	return `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

// The form for links, 2026-11-21T08:00:00Z.
export function iso(at) {
	return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

export function clockText(at, timezone, timeStyle = 'short') {
	return format([], timezone, { timeStyle }).format(at);
}

export function dayText(at, timezone) {
	return format([], timezone, { weekday: 'long', day: 'numeric', month: 'long' }).format(at);
}

// Time and day; only the time when the station has the same day at `now`.
export function momentText(at, timezone, now) {
	const time = clockText(at, timezone, at % MINUTE < 1000 ? 'short' : 'medium');
	return dateOf(at, timezone) === dateOf(now, timezone) ? time : `${time}, ${dayText(at, timezone)}`;
}

// The last time before `now` that the clock showed hour:minute.
function lastTime(hour, minute, timezone, now) {
	const today = dateOf(now, timezone);
	const time = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
	const at = instantOf(today, time, timezone);

	return at <= now ? at : instantOf(dateAfter(today, -1), time, timezone);
}

// When a word of the server's time parameters means, or null where this page cannot tell.
function meaning(word, timezone, now) {
	let match = word.match(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[-+ ]\d\d:\d\d)?$/);
	if (match) {
		const at = match[3] ? Date.parse(word.replace(' ', '+')) : instantOf(match[1], match[2], timezone);
		return Number.isFinite(at) ? at : null;
	}
	match = word.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/);
	if (match) {
		const at = Date.parse(`${match.slice(1, 4).join('-')}T${match.slice(4).join(':')}Z`);
		return Number.isFinite(at) ? at : null;
	}
	if (/^\d{9,11}$/.test(word))
		return Number(word) * 1000;
	match = word.match(/^(\d\d?)(?::(\d\d))?(am|pm)$/i);
	if (match && match[1] >= 1 && match[1] <= 12 && (match[2] ?? 0) < 60)
		return lastTime(match[1] % 12 + (match[3].toLowerCase() === 'pm' ? 12 : 0), match[2] ?? 0, timezone, now);
	match = word.match(/^(\d\d):(\d\d)$/);
	if (match && match[1] < 24 && match[2] < 60)
		return lastTime(match[1], match[2], timezone, now);
	match = word.match(/^-(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/);
	if (match && word !== '-') {
		const [days, hours, minutes, seconds] = match.slice(1).map((value) => Number(value ?? 0));
		return now - days * DAY - hours * HOUR - minutes * MINUTE - seconds * 1000;
	}
	return null;
}

// A moment to play from: `from` for the server; `at`, its instant, or null when only the server knows it.
export function momentAt(at) {
	return { from: basic(at), at };
}

// The moment that the fragment of an address asks for (#t=2026-11-21T08:00:00Z, #t=9am, #t=-30m); null: none, or live.
export function momentFromHash(hash, timezone, now) {
	const word = hash.match(/^#(?:.*&)?t=([^&]*)/)?.[1];
	let plain;

	try {
		plain = decodeURIComponent(word ?? '').trim();
	} catch {
		return null;
	}
	if (plain === '' || plain === 'now' || plain.length > LONGEST)
		return null;
	const at = meaning(plain, timezone, now);
	// A dated moment is asked for as everybody asks for it; what moves with the clock is the server's to say.
	return at !== null && /^\d{4}|^\d{9}/.test(plain) ? momentAt(at) : { from: plain, at };
}
