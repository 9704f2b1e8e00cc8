// A stand-in for an origin: the player page and three stations whose live lists slide in real time.
//
// The same things are served at / and below any path prefix (/radio/…), each with the headers of a strict origin.

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
// The past that the lists begin with when the fixture starts.
const PAST_MS = 300000;

export const CSP = "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; connect-src *";

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

// The live list at `now`: the segments follow each other over and over since `start`.
function liveList(segments, start, now) {
	const loop = segments.reduce((sum, { duration }) => sum + duration, 0);
	const target = Math.ceil(Math.max(...segments.map(({ duration }) => duration)));
	const entries = [];
	let round = Math.max(0, Math.floor((now - start) / 1000 / loop) - 1);

	for (let at = start + round * loop * 1000; ; round++) {
		for (const [index, segment] of segments.entries()) {
			const end = at + segment.duration * 1000;
			if (end > now)
				return format(entries.slice(-LISTED), segments.length, target);
			entries.push({ ...segment, round, index, at });
			at = end;
		}
	}
}

function format(entries, perRound, target) {
	const [first] = entries;
	const lines = ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${target}`,
		`#EXT-X-MEDIA-SEQUENCE:${first.round * perRound + first.index}`,
		// The discontinuity before the first segment of a round counts once its segment has left.
		`#EXT-X-DISCONTINUITY-SEQUENCE:${first.index === 0 ? first.round - 1 : first.round}`];

	for (const { name, duration, index, round, at } of entries) {
		if (index === 0)
			lines.push('#EXT-X-DISCONTINUITY');
		lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(at).toISOString()}`, `#EXTINF:${duration.toFixed(6)},`, `${round}-${name}`);
	}
	return `${lines.join('\n')}\n`;
}

function multivariant() {
	const variants = Object.entries(RENDITIONS).map(([name, { bandwidth }]) =>
		`#EXT-X-STREAM-INF:BANDWIDTH=${bandwidth},CODECS="mp4a.40.2"\n${name}/index.m3u8\n`);
	return `#EXTM3U\n${variants.join('')}`;
}

function describe({ name, title, timezone, live }) {
	return {
		name, title, timezone, live, segment: SEGMENT_S, url: `${name}/index.m3u8`,
		retained: live ? { from: '2026-01-01T00:00:00Z', to: '2026-01-01T02:00:00Z' } : null,
		renditions: Object.entries(RENDITIONS).map(([rendition, { bandwidth }]) => ({
			name: rendition, url: `${name}/${rendition}/index.m3u8`, codecs: live ? 'mp4a.40.2' : '', format: 'ts',
			bandwidth, average_bandwidth: bandwidth - 4000, retained: null,
		})),
	};
}

// Serves on a free port of the loopback address. Returns { url, stations, refusing, close() }: `stations` may be changed (live),
// and lists below a name in the set `refusing` are answered with 503.
export async function startFixture(player = process.env.PLAYER_DIR ?? path.join(ROOT, 'build/player')) {
	if (!existsSync(path.join(player, 'station.html')))
		throw new Error(`${player} holds no player page: run make player, or set PLAYER_DIR`);
	const directory = await mkdtemp(path.join(tmpdir(), 'hindcast-page-'));
	process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
	const start = Date.now() - PAST_MS;
	const refusing = new Set();
	const stations = [
		{ name: 'harbour', title: 'Harbour Radio', timezone: 'Europe/Paris', live: true },
		{ name: 'night', title: 'Night Service', timezone: 'America/New_York', live: true },
		{ name: 'annexe', title: 'The Annexe', timezone: 'Europe/Paris', live: false },
	];
	const lists = {};

	for (const [name, { codec }] of Object.entries(RENDITIONS))
		lists[name] = await cut(directory, name, codec);

	async function answer(url) {
		const parts = new URL(url, 'http://host').pathname.split('/').slice(1);
		const known = new Set([...stations.map(({ name }) => name), '_player', 'stations.json', '']);
		// Whatever stands before a name that is known is the prefix.
		const route = known.has(parts[0]) ? parts : parts.slice(1);
		const station = stations.find(({ name }) => name === route[0]);
		const [, second, third] = route;

		if (route[0] === '' && route.length === 1)
			return ['.html', await readFile(path.join(player, 'index.html'))];
		if (route[0] === 'stations.json')
			return ['application/json', JSON.stringify({ stations: stations.map(describe) })];
		if (route[0] === '_player')
			return [path.extname(second), await readFile(path.join(player, path.basename(second)))];
		if (station && second === '')
			return ['.html', await readFile(path.join(player, 'station.html'))];
		if (station && refusing.has(station.name))
			return null;
		if (station?.live && second === 'index.m3u8')
			return ['application/vnd.apple.mpegurl', multivariant()];
		if (station?.live && lists[second] && third === 'index.m3u8')
			return ['application/vnd.apple.mpegurl', liveList(lists[second], start, Date.now())];
		if (station?.live && lists[second])
			return ['.ts', await readFile(path.join(directory, path.basename(third).replace(/^\d+-/, '')))];
		throw new Error('no such thing');
	}

	const server = createServer(async (request, response) => {
		const headers = { 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-cache' };
		try {
			const found = await answer(request.url);
			response.writeHead(found ? 200 : 503, { ...headers, 'Content-Type': found ? TYPES[found[0]] ?? found[0] : 'text/plain' });
			response.end(found ? found[1] : 'not now\n');
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
		async close() {
			server.closeAllConnections?.();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}
