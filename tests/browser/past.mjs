// Plays links in hls.js, Shaka Player and video.js, some at the same time, and hands out what is heard.
//     node past.mjs FOLDER < jobs.json
// A job is { name, player, url, hear, seek, follow, end, page }: hear so many seconds from the start; then seek to so many seconds
// before the end, and follow the list for so many seconds; or, `end`, until the `ended` event. `player`: hls, page (the hls.js that
// the player page brings, at the address `page`), shaka or videojs. Prints a JSON object a job; what was heard is
// FOLDER/NAME-start.pcm and FOLDER/NAME-end.pcm: 16 bits, mono, 48 kHz.

import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { launchBrowser, openPage, until } from './steps.mjs';

const MODULES = fileURLToPath(new URL('node_modules', import.meta.url));
const SCRIPTS = {
	'/hls.js': 'hls.js/dist/hls.min.js',
	'/shaka.js': 'shaka-player/dist/shaka-player.compiled.js',
	'/videojs.js': 'video.js/dist/video.min.js',
};
const TAIL_S = 6;
const AT_ONCE = 4;

// A page with an element to play in and a button, since sound needs a click; on the address of nothing else.
async function servePage() {
	const server = createServer(async (request, response) => {
		const script = SCRIPTS[request.url];
		if (script) {
			response.setHeader('Content-Type', 'text/javascript');
			response.end(await readFile(path.join(MODULES, script)));
		} else {
			response.setHeader('Content-Type', 'text/html');
			response.end('<!DOCTYPE html><link rel="icon" href="data:,"><button id="start" style="position: fixed; z-index: 9">Play</button><video id="media"></video>');
		}
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

// In the page: starts the player at the click; `heard` gathers what goes to the loudspeaker.
async function prepare({ player, url, page }) {
	const media = document.getElementById('media');
	const told = globalThis.told = { errors: [], ended: false, waits: 0, started: null, media };
	const worklet = `registerProcessor('ear', class extends AudioWorkletProcessor {
		constructor() { super(); this.kept = new Int16Array(4096); this.count = 0; }
		process([[channel]]) {
			for (let i = 0; i < 128; i++)
				this.kept[this.count++] = channel ? Math.max(-1, Math.min(1, channel[i])) * 32767 : 0;
			if (this.count === 4096) {
				this.port.postMessage(this.kept.slice());
				this.count = 0;
			}
			return true;
		}
	});`;
	told.heard = [];
	told.context = new AudioContext({ sampleRate: 48000 });
	await told.context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: 'text/javascript' })));
	const ear = new AudioWorkletNode(told.context, 'ear');
	ear.port.onmessage = ({ data }) => told.heard.push(data);
	told.context.createMediaElementSource(media).connect(ear).connect(told.context.destination);
	media.addEventListener('ended', () => { told.ended = true; });
	media.addEventListener('waiting', () => { told.waits++; });
	media.addEventListener('playing', () => { told.started ??= media.currentTime; });

	const load = (source) => new Promise((resolve, reject) => {
		const script = document.createElement('script');
		Object.assign(script, { src: source, onload: resolve, onerror: reject });
		document.head.append(script);
	});
	if (player === 'hls' || player === 'page') {
		if (player === 'hls')
			await load('/hls.js');
		const Hls = player === 'hls' ? globalThis.Hls : (await import(page)).default;
		const hls = new Hls();
		told.version = Hls.version;
		hls.on(Hls.Events.ERROR, (_, { type, details, fatal }) => {
			if (details !== 'aborted') // a seek calls off what is being loaded
				told.errors.push(`${type} ${details}${fatal ? ' fatal' : ''} at ${media.currentTime.toFixed(1)}`);
		});
		told.play = () => {
			hls.loadSource(url);
			hls.attachMedia(media);
			media.play().catch((error) => told.errors.push(String(error)));
		};
		told.end = () => hls.levels[0].details.edge;
	} else if (player === 'shaka') {
		await load('/shaka.js');
		globalThis.shaka.polyfill.installAll();
		const shaka = new globalThis.shaka.Player();
		told.version = globalThis.shaka.Player.version;
		await shaka.attach(media);
		shaka.addEventListener('error', ({ detail }) => told.errors.push(`${detail.severity} ${detail.code} ${detail.data}`));
		told.play = async () => {
			try {
				await shaka.load(url);
				await media.play();
			} catch (error) {
				told.errors.push(String(error));
			}
		};
		told.end = () => shaka.seekRange().end;
	} else {
		await load('/videojs.js');
		const videojs = globalThis.videojs(media, { html5: { vhs: { overrideNative: true } } });
		told.version = globalThis.videojs.VERSION;
		videojs.on('error', () => told.errors.push(videojs.error().message));
		told.play = () => {
			videojs.src({ src: url, type: 'application/x-mpegURL' });
			videojs.play()?.catch((error) => told.errors.push(String(error)));
		};
		told.end = () => {
			const { seekable } = media;
			const own = videojs.seekable();
			return own.length ? own.end(own.length - 1) : seekable.end(seekable.length - 1);
		};
	}
	document.getElementById('start').addEventListener('click', () => {
		told.context.resume();
		told.play();
	});
}

async function run(browser, site, folder, job) {
	const page = await openPage(browser, site);
	const deltas = { asked: 0, answered: 0 };
	const result = { name: job.name, player: job.player };

	page.on('response', async (response) => {
		if (!response.url().includes('_HLS_skip='))
			return;
		deltas.asked++;
		if ((await response.text().catch(() => '')).includes('#EXT-X-SKIP:'))
			deltas.answered++;
	});
	const state = () => page.evaluate(() => {
		const { media } = globalThis.told;
		return { at: media.currentTime, ended: media.ended, heard: globalThis.told.heard.length * 4096 / 48000 };
	});
	// What has been heard since the last time.
	const keep = async (name) => {
		const data = await page.evaluate(async () => {
			const blob = new Blob(globalThis.told.heard.splice(0));
			const address = await new Promise((resolve) => {
				const reader = new FileReader();
				reader.onload = () => resolve(reader.result);
				reader.readAsDataURL(blob);
			});
			return address.slice(address.indexOf(',') + 1);
		});
		await writeFile(path.join(folder, `${job.name}-${name}.pcm`), Buffer.from(data, 'base64'));
	};
	try {
		await page.evaluate(prepare, job);
		await page.click('#start');
		const begin = await until('sound', async () => {
			const now = await state();
			return now.at > 0.3 && now;
		}, 40000);
		result.started = await page.evaluate(() => globalThis.told.started);
		await until(`${job.hear} s to be heard`, async () => {
			const now = await state();
			return now.ended || now.at > begin.at + job.hear;
		}, 30000 + job.hear * 2000);
		await keep('start');
		if (job.seek !== undefined) {
			await page.evaluate((seconds) => { globalThis.told.media.currentTime = globalThis.told.end() - seconds; }, job.seek);
			const from = (await state()).at;
			const deadline = Date.now() + (job.follow ?? 60) * 1000;
			result.slowest = 0;
			let [last, moved] = [from, Date.now()];
			for (let now; Date.now() < deadline; ) {
				await new Promise((resolve) => setTimeout(resolve, 100));
				now = await state();
				if (now.ended)
					break;
				if (now.at > last)
					[last, moved] = [now.at, Date.now()];
				result.slowest = Math.max(result.slowest, Date.now() - moved);
				// only what is heard last is of interest
				if (!job.end && deadline - Date.now() > TAIL_S * 1000)
					await page.evaluate(() => { globalThis.told.heard.length = 0; });
			}
			result.followed = (await state()).at - from;
			result.now = Date.now() / 1000;
			await keep('end');
		}
		Object.assign(result, await page.evaluate(() => {
			const { errors, ended, waits, version } = globalThis.told;
			return { errors, ended, waits, version };
		}));
	} catch (error) {
		result.errors = [...(await page.evaluate(() => globalThis.told?.errors ?? []).catch(() => [])), String(error)];
	}
	result.deltas = deltas;
	result.problems = page.problems;
	await page.context().close();
	console.log(JSON.stringify(result));
}

const [folder] = process.argv.slice(2);
const chunks = [];
for await (const chunk of process.stdin)
	chunks.push(chunk);
const jobs = JSON.parse(Buffer.concat(chunks).toString());
const site = await servePage();
const browser = await launchBrowser();
// the long ones first; more at once are too much for two cores
const waiting = jobs.sort((a, b) => (b.follow ?? 0) - (a.follow ?? 0));
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
	while (waiting.length)
		await run(browser, site.url, folder, waiting.shift());
}));
await browser.close();
site.close();
