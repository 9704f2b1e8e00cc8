// A stand-in for an origin: the player page and three stations whose live lists slide in real time and whose past can be asked for.
//
// The same things are served at / and below any path prefix (/radio/…), each with the headers of a strict origin. Below /old/ it
// is an origin that knows only live.

import { execFile } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AUDIO = path.join(ROOT, 'tests/media/aac_lc_44100_stereo_128k.aac');
const SEGMENT_S = 2;
const LISTED = 10;
// The past that is kept when the fixture starts, and the gap in it.
const HOUR_MS = 3600000;
const PAST_MS = 60 * HOUR_MS;
const GAP_MS = { from: 30 * HOUR_MS, to: 30 * HOUR_MS + 40 * 60000 };

export const CSP = "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; connect-src *";

const LIST = 'application/vnd.apple.mpegurl';
const JSON_TYPE = 'application/json';

const TYPES = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.svg': 'image/svg+xml',
	'.ts': 'video/mp2t',
};

const RENDITIONS = {
	hifi: { codec: ['-c:a', 'copy'], bandwidth: 140000 },
	lofi: { codec: ['-c:a', 'aac', '-b:a', '64k'], bandwidth: 72000 },
};

// A minute of audio as finished segments; returns [{ name, duration }].
async function cut(directory, name, codec) {
	const source = existsSync(AUDIO) ? ['-i', AUDIO] : ['-f', 'lavfi', '-i', 'sine=330:duration=60', '-c:a', 'aac'];
	const list = path.join(directory, `${name}.m3u8`);

	await promisify(execFile)('ffmpeg', ['-v', 'error', ...source, ...(existsSync(AUDIO) ? codec : []), '-f', 'hls',
		'-hls_time', String(SEGMENT_S), '-hls_list_size', '0', '-hls_segment_filename', path.join(directory, `${name}%d.ts`), list]);
	return [...(await readFile(list, 'utf8')).matchAll(/#EXTINF:([\d.]+),\s*(\S+)/g)]
		.map(([, duration, segment]) => ({ name: segment, duration: Number(duration) }));
}

function roundMs(segments) {
	return segments.reduce((sum, { duration }) => sum + duration, 0) * 1000;
}

// The segments that hold audio of [from, to) and are complete at `now`: they follow each other over and over since `start`.
function between(segments, start, from, to, now) {
	const entries = [];
	let round = Math.max(0, Math.floor((from - start) / roundMs(segments)) - 1);

	for (let at = start + round * roundMs(segments); ; round++) {
		for (const [index, segment] of segments.entries()) {
			const end = at + segment.duration * 1000;
			if (end > now || at >= to)
				return entries;
			if (end > from)
				entries.push({ ...segment, round, index, at, gap: at >= start + GAP_MS.from && at < start + GAP_MS.to });
			at = end;
		}
	}
}

function liveList(segments, start, now) {
	return format(between(segments, start, now - 2 * roundMs(segments), now, now).slice(-LISTED), segments, []);
}

// From an instant on into live, and complete after `span` seconds; null: nothing is there yet.
function startOverList(segments, start, from, span, now) {
	const to = from + span * 1000;
	const entries = between(segments, start, from, to, now);

	while (entries[0]?.gap)
		entries.shift();
	if (entries.length === 0)
		return null;
	const last = entries.at(-1);
	const ended = last.at + last.duration * 1000 >= to;
	return `${format(entries, segments, ['#EXT-X-PLAYLIST-TYPE:EVENT', '#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES'])}${ended ? '#EXT-X-ENDLIST\n' : ''}`;
}

function format(entries, segments, more) {
	const [first] = entries;
	const perRound = segments.length;
	const target = Math.ceil(Math.max(...segments.map(({ duration }) => duration)));
	const lines = ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${target}`, ...more,
		`#EXT-X-MEDIA-SEQUENCE:${first.round * perRound + first.index}`,
		// The discontinuity before the first segment of a round counts once its segment has left.
		`#EXT-X-DISCONTINUITY-SEQUENCE:${first.index === 0 ? first.round - 1 : first.round}`];

	for (const { name, duration, index, round, at, gap } of entries) {
		if (index === 0)
			lines.push('#EXT-X-DISCONTINUITY');
		if (gap)
			lines.push('#EXT-X-GAP');
		lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(at).toISOString()}`, `#EXTINF:${duration.toFixed(6)},`, `${round}-${name}`);
	}
	return `${lines.join('\n')}\n`;
}

// `from`: an instant, or null for live.
function multivariant(from) {
	const query = from === null ? '' : `?from=${new Date(from).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
	const variants = Object.entries(RENDITIONS).map(([name, { bandwidth }]) =>
		`#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},CODECS="mp4a.40.2"\n${name}/index.m3u8${query}\n`);
	return `#EXTM3U\n${from === null ? '' : '#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES\n'}${variants.join('')}`;
}

// The instant that a time parameter means; NaN: none. Of the server's words these are enough here.
function instant(word, now) {
	const minutes = word.match(/^-(\d+)m$/)?.[1];
	return minutes ? now - minutes * 60000 : Date.parse(word.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

// A programme begins every second hour of UTC; its title is a text that would harm as markup.
function programmesOf({ name, timezone }, date, now) {
	const day = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone });
	const wanted = date ?? day.format(now);
	const programmes = [];

	for (let start = Date.parse(`${wanted}T00:00:00Z`) - 24 * HOUR_MS; start < Date.parse(`${wanted}T00:00:00Z`) + 48 * HOUR_MS; start += 2 * HOUR_MS) {
		const end = start + 2 * HOUR_MS;
		if (day.format(start) === wanted || day.format(end - 1) === wanted) {
			const id = new Date(start).toISOString().slice(0, 13);
			programmes.push({
				id, title: titleOf(start), description: 'With tea & <i>talk</i>', url: null, start: new Date(start).toISOString(),
				end: new Date(end).toISOString(), play: start < now ? `index.m3u8?programme=${id}` : null,
			});
		}
	}
	return { station: name, timezone, date: wanted, programmes };
}

// The title of the programme that is on at an instant.
export function titleOf(at) {
	return `The <b>${new Date(at - at % (2 * HOUR_MS)).toISOString().slice(11, 13)}</b> o'clock show`;
}

function describe({ name, title, timezone, live, span }, retained, old) {
	return {
		name, title, timezone, live, segment: SEGMENT_S, url: `${name}/index.m3u8`,
		retained: live ? retained : null,
		...(old ? {} : {
			max_span: span, availability: `${name}/availability.json`, programmes: name === 'harbour' ? `${name}/programmes.json` : null,
		}),
		renditions: Object.entries(RENDITIONS).map(([rendition, { bandwidth }]) => ({
			name: rendition, url: `${name}/${rendition}/index.m3u8`, codecs: live ? 'mp4a.40.2' : '', format: 'ts',
			bandwidth, average_bandwidth: bandwidth - 4000, retained: null,
		})),
	};
}

// Serves on a free port of the loopback address. Returns { url, stations, refusing, gathering, kept, gap, instantOf(), close() }:
// `stations` may be changed (live), lists below a name in the set `refusing` are answered with 503, as is the availability of those in
// `gathering`; `kept()` is what is retained now and `gap` what is missing of it, { from, to } in ms; instantOf(url) is when the
// segment of that address begins.
export async function startFixture(player = process.env.PLAYER_DIR ?? path.join(ROOT, 'build/player')) {
	if (!existsSync(path.join(player, 'station.html')))
		throw new Error(`${player} holds no player page: run make player, or set PLAYER_DIR`);
	const directory = await mkdtemp(path.join(tmpdir(), 'hindcast-page-'));
	process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
	const start = Date.now() - PAST_MS;
	const refusing = new Set();
	const gathering = new Set();
	const gap = { from: start + GAP_MS.from, to: start + GAP_MS.to };
	const stations = [
		{ name: 'harbour', title: 'Harbour Radio', timezone: 'Europe/Paris', live: true, span: 24 * 3600 },
		{ name: 'night', title: 'Night Service', timezone: 'America/New_York', live: true, span: 6 },
		{ name: 'annexe', title: 'The Annexe', timezone: 'Europe/Paris', live: false, span: 24 * 3600 },
	];
	const lists = {};

	for (const [name, { codec }] of Object.entries(RENDITIONS))
		lists[name] = await cut(directory, name, codec);
	// one time line for all: an encoder's delay would add up over the rounds, and numbers come apart
	for (const [name, segments] of Object.entries(lists))
		lists[name] = lists.hifi.map(({ duration }, index) => ({ name: segments[index].name, duration }));

	function kept() {
		return { from: start, to: Date.now() - SEGMENT_S * 1000 };
	}

	function span({ from, to }) {
		return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
	}

	function availability({ name, timezone }) {
		const renditions = Object.keys(RENDITIONS).map((rendition) => ({ name: rendition, retained: span(kept()), gaps: [span(gap)] }));
		return { station: name, timezone, segment: SEGMENT_S, retained: span(kept()), renditions };
	}

	// A list: live, or as its time parameter says. Returns [type, body], or [status, problem, seconds to wait].
	function list(station, rendition, word) {
		const now = Date.now();
		const from = word === null ? null : Math.max(instant(word, now), start - HOUR_MS);

		if (Number.isNaN(from))
			return [400, 'from: not a time'];
		if (from !== null && from > now)
			return [404, 'in the future', 60];
		if (from !== null && from < start - 30 * 60000)
			return [410, 'no longer kept'];
		if (!rendition)
			return [LIST, multivariant(from)];
		const body = from === null ? liveList(lists[rendition], start, now) : startOverList(lists[rendition], start, from, station.span, now);
		return body ? [LIST, body] : [404, 'in the future', 1];
	}

	// [type, body], or [status, problem, seconds to wait].
	async function answer(address) {
		const url = new URL(address, 'http://host');
		const parts = url.pathname.split('/').slice(1);
		const known = new Set([...stations.map(({ name }) => name), '_player', 'stations.json', '']);
		// Whatever stands before a name that is known is the prefix.
		const route = known.has(parts[0]) ? parts : parts.slice(1);
		const old = parts[0] === 'old';
		const station = stations.find(({ name }) => name === route[0]);
		const [, second, third] = route;
		const from = old ? null : url.searchParams.get('from');

		if (route[0] === '' && route.length === 1)
			return ['.html', await readFile(path.join(player, 'index.html'))];
		if (route[0] === 'stations.json')
			return [JSON_TYPE, JSON.stringify({ stations: stations.map((each) => describe(each, span(kept()), old)) })];
		if (route[0] === '_player')
			return [path.extname(second), await readFile(path.join(player, path.basename(second)))];
		if (station && second === '')
			return ['.html', await readFile(path.join(player, 'station.html'))];
		if (station && second === 'availability.json' && !old)
			return gathering.has(station.name) ? [503, 'being gathered', 1] : [JSON_TYPE, JSON.stringify(availability(station))];
		if (station && second === 'programmes.json' && !old)
			return [JSON_TYPE, JSON.stringify(programmesOf(station, url.searchParams.get('date'), Date.now()))];
		if (station && refusing.has(station.name))
			return [503, 'not now'];
		if (station?.live && second === 'index.m3u8')
			return list(station, null, from);
		if (station?.live && lists[second] && third === 'index.m3u8')
			return list(station, second, from);
		if (station?.live && lists[second])
			return ['.ts', await readFile(path.join(directory, path.basename(third).replace(/^\d+-/, '')))];
		return [404, 'no such thing'];
	}

	function instantOf(address) {
		const [, name, round, segment] = new URL(address).pathname.match(/\/([^/]+)\/(\d+)-([^/]+)$/);
		const index = lists[name].findIndex((each) => each.name === segment);
		return start + Number(round) * roundMs(lists[name]) + roundMs(lists[name].slice(0, index));
	}

	const server = createServer(async (request, response) => {
		const headers = { 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-cache' };
		try {
			const [type, body, wait] = await answer(request.url);
			if (typeof type === 'number') {
				response.writeHead(type, { ...headers, 'Content-Type': 'text/plain', ...(wait ? { 'Retry-After': wait } : {}) });
				response.end(`${body}\n`);
			} else {
				response.writeHead(200, { ...headers, 'Content-Type': TYPES[type] ?? type });
				response.end(body);
			}
		} catch {
			response.writeHead(404, { ...headers, 'Content-Type': 'text/plain' });
			response.end('not found\n');
		}
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

	return {
		url: `http://127.0.0.1:${server.address().port}/`,
		stations,
		refusing,
		gathering,
		kept,
		gap,
		instantOf,
		async close() {
			server.closeAllConnections?.();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
