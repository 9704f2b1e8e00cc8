// The player page: connects the stations, the engine and what the page shows.

import { createEngine } from './engine.js';
import { Recovery } from './recovery.js';
import { nameFromAddress, watchStations } from './stations.js';
import { Ui } from './ui.js';

// After a pause this long a listener wants what is on now; till then, what comes next.
const PAUSE_KEPT_MS = 30000;
// Sound that does not move for so long while it should is taken for lost.
const STALLED_MS = 20000;
// Sound for so long means that what had failed is well again.
const WELL_MS = 10000;
const TICK_MS = 200;

const audio = document.getElementById('audio');
const recovery = new Recovery();
const ui = new Ui({ togglePlay, toggleMute, choose: tune, quality: chooseQuality, volume: setVolume });

let engine;	// null where the browser cannot play HLS, undefined until that is known
let stations = [];
let station = null;	// the one tuned to, from the newest list
let wanted = false;	// the listener wants to hear it
let loaded = false;	// the engine has its list
let failure = null;	// why it does not play, while recovery waits
let quality = recall('quality', '');
let pauseTimer = 0;
let moved = { position: 0, at: 0 };	// where the sound was when it last moved
let startedAt = 0;

function recall(key, otherwise) {
	try {
		return localStorage.getItem(`hindcast.${key}`) ?? otherwise;
	} catch {
		return otherwise;
	}
}

function remember(key, value) {
	try {
		localStorage.setItem(`hindcast.${key}`, value);
	} catch {
		// Private windows may refuse; then it is forgotten.
	}
}

function failureText() {
	if (failure.kind === 'unsupported')
		return 'This browser cannot play the audio format of this station.';
	if (!station.live)
		return 'This station is waiting for its encoder.';
	if (failure.kind === 'media')
		return 'Some audio could not be played. Going on in a moment.';
	if (failure.kind === 'stalled')
		return 'No more audio arrives. Trying again.';
	if (failure.status === 503)
		return 'This station has no fresh audio at the moment, or the server is full. Trying again.';
	if (failure.status >= 400)
		return `The server does not give out this station (error ${failure.status}). Trying again.`;
	return 'The server cannot be reached. Check your connection; this page keeps trying.';
}

function status() {
	if (engine === null)
		return ['error', 'This browser cannot play live radio: it knows neither Media Source Extensions nor HLS.'];
	if (!station)
		return ['idle', stations.length ? 'Choose a station' : 'Tuning in…'];
	if (failure)
		return [station.live ? 'error' : 'waiting', failureText()];
	if (!station.live && !loaded)
		return ['waiting', `This station is waiting for its encoder${wanted ? ' and will play when it comes' : ''}.`];
	if (!wanted)
		return ['idle', loaded ? 'Paused' : 'Ready to play'];
	if (audio.ended)
		return ['idle', 'The broadcast has ended.'];
	if (!audio.paused && audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA)
		return ['playing', audio.muted ? 'On air, muted' : 'On air'];
	if (!station.live)
		return ['waiting', 'This station has gone quiet: waiting for its encoder.'];
	return ['loading', audio.currentTime > 0 ? 'Waiting for more audio…' : 'Connecting…'];
}

function heardIn() {
	const url = loaded ? engine.rendition() : null;
	return station.renditions.find((rendition) => url && new URL(rendition.url).pathname === new URL(url).pathname)?.name ?? null;
}

function show() {
	ui.status(...status());
	ui.playing(wanted);
	ui.volume(audio.volume, audio.muted);
	if (!station)
		return;
	ui.clock(loaded && audio.currentTime > 0 ? engine.heardAt() : null, station.timezone);
	ui.qualities(station.renditions, selected() ? quality : '', engine ? heardIn() : null);
	if (navigator.mediaSession)
		navigator.mediaSession.playbackState = wanted ? 'playing' : loaded ? 'paused' : 'none';
}

function selected() {
	return station.renditions.find(({ name }) => name === quality)?.url ?? null;
}

async function start() {
	clearTimeout(pauseTimer);
	startedAt = performance.now();
	moved = { position: audio.currentTime, at: startedAt };
	try {
		await audio.play();
	} catch (error) {
		// Not allowed: the listener has to press the button. Everything else is the engine's to report.
		if (error.name === 'NotAllowedError')
			pause();
	}
}

function load() {
	loaded = true;
	engine.select(selected());
	engine.load(station.url);
	start();
}

function unload() {
	clearTimeout(pauseTimer);
	recovery.succeeded();
	failure = null;
	if (loaded)
		engine.unload();
	loaded = false;
}

function play() {
	if (!engine || !station)
		return;
	wanted = true;
	if (failure?.kind === 'unsupported' || audio.ended)
		unload();
	if (failure)
		recovery.now();
	else if (loaded)
		start();
	else if (station.live)
		load();
	show();
}

function pause() {
	wanted = false;
	audio.pause();
	clearTimeout(pauseTimer);
	if (failure)
		unload();
	else
		pauseTimer = setTimeout(() => { unload(); show(); }, PAUSE_KEPT_MS);
	show();
}

function togglePlay() {
	if (wanted)
		pause();
	else
		play();
}

function toggleMute() {
	audio.muted = !audio.muted;
	show();
}

function setVolume(volume) {
	audio.muted = volume === 0;
	// The way back from silence leads to the loudness before.
	if (volume > 0) {
		audio.volume = volume;
		remember('volume', String(volume));
	}
	show();
}

function chooseQuality(name) {
	quality = name;
	remember('quality', name);
	engine?.select(selected());
	show();
}

function failed(why) {
	failure = why;
	if (!wanted) {
		unload();
	} else if (why.kind !== 'unsupported') {
		recovery.schedule(() => {
			failure = null;
			engine.retry(why);
			start();
		});
	}
	show();
}

// Makes `name` the station of the receiver. What played before stops.
function setStation(name) {
	unload();
	station = stations.find((candidate) => candidate.name === name) ?? null;
	ui.station(station);
	ui.clock(null, station?.timezone ?? 'UTC');
	ui.stations(stations, station?.name);
	if (station && navigator.mediaSession)
		navigator.mediaSession.metadata = new MediaMetadata({ title: station.title, artist: 'Live' });
}

// The listener turns to another station, which is to be heard.
function tune(name) {
	if (station?.name !== name) {
		setStation(name);
		history.pushState({ name }, '', station.page);
		remember('station', name);
	}
	play();
}

// The next or the previous station on air, for the keys of a headset or a car.
function step(direction) {
	const live = stations.filter((candidate) => candidate.live);
	const index = live.findIndex(({ name }) => name === station?.name);
	if (live.length > 0)
		tune(live[(index + direction + live.length) % live.length].name);
}

function nameToStartWith() {
	const named = nameFromAddress(location.href);
	const known = (name) => stations.some((candidate) => candidate.name === name);

	if (named !== null)
		return named;
	return known(recall('station')) ? recall('station') : (stations.find(({ live }) => live) ?? stations[0])?.name;
}

function stationsCame(list) {
	const first = stations.length === 0;

	stations = list;
	ui.notice(list.length ? '' : 'There are no stations here yet.');
	if (first || !station) {
		const name = nameToStartWith();
		setStation(name);
		// At the address of all stations only the history knows which one was chosen.
		history.replaceState({ name }, '');
		if (list.length && !station)
			ui.notice(`There is no station “${name}” here. These are on offer:`);
	} else {
		const was = station;
		station = stations.find(({ name }) => name === was.name) ?? { ...was, live: false };
		ui.stations(stations, station.name);
		if (station.live && !was.live)
			recovery.now();
	}
	if (wanted && !loaded && station?.live)
		load();
	show();
}

function stationsFailed() {
	ui.notice(stations.length ? 'The list of stations is not up to date: the server cannot be reached.' :
		'The list of stations cannot be loaded. Trying again.');
}

function tick() {
	const now = performance.now();

	if (audio.currentTime !== moved.position || !wanted || !loaded || failure) {
		moved = { position: audio.currentTime, at: now };
		if (!failure && now - startedAt > WELL_MS)
			recovery.succeeded();
	} else if (now - moved.at > STALLED_MS && !audio.ended) {
		moved.at = now;
		failed({ kind: 'stalled', status: 0 });
	}
	show();
}

function wireMediaKeys() {
	const actions = { play, pause, stop: pause, nexttrack: () => step(1), previoustrack: () => step(-1) };

	for (const [action, handler] of Object.entries(actions)) {
		try {
			navigator.mediaSession?.setActionHandler(action, handler);
		} catch {
			// A browser refuses the actions that it does not know.
		}
	}
}

// Somebody else stopped it: a phone call, headphones pulled out, another program. The end of a list is no pause.
// The event comes late; a sound that goes on again by then is none of this.
audio.addEventListener('pause', () => {
	if (wanted && audio.paused && !audio.ended && !failure)
		pause();
});
for (const event of ['playing', 'waiting', 'ended', 'volumechange'])
	audio.addEventListener(event, show);
addEventListener('online', () => recovery.now());
addEventListener('popstate', (event) => {
	const name = event.state?.name ?? nameToStartWith();
	if (name === station?.name)
		return;
	setStation(name);
	if (wanted)
		play();
	show();
});

// The address changes with the station, and browsers then resolve the icon's anew.
document.querySelector('link[rel="icon"]').href = new URL('icon.svg', import.meta.url).href;

audio.volume = Math.min(1, Math.max(0, Number(recall('volume', '1')) || 1));
wireMediaKeys();
watchStations(stationsCame, stationsFailed);
setInterval(tick, TICK_MS);
engine = await createEngine(audio, failed);
show();
