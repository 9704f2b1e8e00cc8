// The player page: connects the stations, the engine and what the page shows.

import { Archive } from './archive.js';
import { createEngine } from './engine.js';
import { iso, momentAt, momentFromHash, momentText } from './moment.js';
import { Past } from './past.js';
import { Recovery } from './recovery.js';
import { share } from './share.js';
import { nameFromAddress, watchStations } from './stations.js';
import { Ui } from './ui.js';

// After a pause this long a listener wants what is on now; till then, what comes next.
const PAUSE_KEPT_MS = 30000;
// Sound that does not move for so long while it should is taken for lost.
const STALLED_MS = 20000;
// Sound for so long means that what had failed is well again.
const WELL_MS = 10000;
const TICK_MS = 200;
// One step back or forward.
const STEP_S = 30;
// So close to the newest instant live itself is meant: its list holds back about as much.
const LIVE_MS = 20000;
// Heard so soon after it was on, it is on air.
const FRESH_MS = 60000;
// A start-over list that ends sooner than this leads nowhere.
const SHORTEST_MS = 1000;
// Answers to a past moment that will not change by asking again.
const FINAL = [400, 404, 410];

const audio = document.getElementById('audio');
const recovery = new Recovery();
const ui = new Ui({
	togglePlay, toggleMute, choose: tune, quality: chooseQuality, volume: setVolume, back: () => step(-STEP_S), forward: () => step(STEP_S),
	live: goLive, again: goToStart, share: shareMoment,
});
const archive = new Archive(show);
const past = new Past({ seek: goTo, live: goLive });

let engine;	// null where the browser cannot play HLS, undefined until that is known
let stations = [];
let station = null;	// the one tuned to, from the newest list
let moment = null;	// what its list was asked for, as of moment.js; null: live
let checked = true;	// it is known whether that list begins where it was asked to
let wanted = false;	// the listener wants to hear it
let loaded = false;	// the engine has its list
let failure = null;	// why it does not play, while recovery waits
let quality = recall('quality', '');
let pauseTimer = 0;
let moved = { position: 0, at: 0 };	// where the sound was when it last moved
let startedAt = 0;
let shownTitle;	// the programme that the system shows; undefined: none

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

// The moment that the listener asked for, in words.
function asked() {
	return moment.at === null ? `“${moment.from}”` : momentText(moment.at, station.timezone, archive.now);
}

function beginning() {
	const { range } = archive;
	return range ? ` The archive begins at ${momentText(range.from, station.timezone, range.to)}.` : '';
}

function failureText() {
	if (failure.kind === 'unsupported')
		return 'This browser cannot play the audio format of this station.';
	if (failure.final && failure.status === 410)
		return `${asked()} is no longer kept.${beginning()}`;
	if (failure.final && failure.status === 400)
		return `The server does not understand the moment ${asked()}.`;
	if (failure.final)
		return moment.at > archive.now ? `${asked()} is still to come.` : `The server has nothing from ${asked()}.`;
	if (moment && failure.status === 404)
		return 'This is as far as it has been broadcast. Going on as soon as there is more.';
	if (!station.live && !moment)
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
		return [station.live || moment ? 'error' : 'waiting', failureText()];
	if (!station.live && !loaded && !moment)
		return ['waiting', `This station is waiting for its encoder${wanted ? ' and will play when it comes' : ''}.`];
	if (!wanted && moment && audio.played.length === 0)
		return ['idle', `Press play to hear ${asked()}`];
	if (!wanted)
		return ['idle', loaded ? 'Paused' : 'Ready to play'];
	if (audio.ended)
		return ['idle', 'The broadcast has ended.'];
	if (!audio.paused && audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA)
		return ['playing', `${isFresh() ? 'On air' : 'From the archive'}${audio.muted ? ', muted' : ''}`];
	if (!station.live && !moment)
		return ['waiting', 'This station has gone quiet: waiting for its encoder.'];
	return ['loading', heard() !== null || !moment && audio.currentTime > 0 ? 'Waiting for more audio…' : 'Connecting…'];
}

// The instant heard now, or null.
function heard() {
	return loaded && audio.currentTime > 0 ? engine.heardAt() : null;
}

// The instant that the listener is at: heard, or about to be; null: live.
function place() {
	return heard() ?? moment?.at ?? null;
}

// What is heard was on air just now.
function isFresh() {
	return moment === null || archive.now - place() < FRESH_MS;
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
	showPlace();
	ui.qualities(station.renditions, selected() ? quality : '', engine ? heardIn() : null);
	if (navigator.mediaSession)
		navigator.mediaSession.playbackState = wanted ? 'playing' : loaded ? 'paused' : 'none';
}

function showPlace() {
	const at = heard();
	const programme = archive.programmeAt(place() ?? archive.now);

	if (moment && !checked && loaded)
		checkBeginning();
	ui.clock(at === null ? null : new Date(at), station.timezone);
	ui.moves(archive.range !== null || moment !== null, moment === null && wanted && (at === null || archive.now - at < FRESH_MS / 2), programme);
	past.show(station, archive, place());
	if (navigator.mediaSession && programme?.title !== shownTitle) {
		shownTitle = programme?.title;
		navigator.mediaSession.metadata = new MediaMetadata(programme ?
			{ title: programme.title, artist: station.title } : { title: station.title, artist: 'Live' });
	}
}

// A list may begin later than was asked for: the server says so in a header that hls.js does not hand on.
function checkBeginning() {
	const start = engine.startsAt();

	if (start === null)
		return;
	checked = true;
	if (moment.at === null || start - moment.at <= station.segment * 1000)
		return;
	const from = momentText(start, station.timezone, archive.now);
	past.tell(moment.at < (archive.range?.from ?? start) ? `The archive begins at ${from}.` :
		`Nothing was recorded at ${asked()}. It goes on at ${from}.`);
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
	const url = new URL(station.url);

	if (moment)
		url.searchParams.set('from', moment.from);
	loaded = true;
	checked = false;
	engine.select(selected());
	engine.load(url.href, moment?.at ?? null);
	start();
}

// A list that is loaded anew goes on where this one was.
function keepPlace() {
	const at = heard();
	if (moment && at !== null)
		moment = momentAt(at);
}

function unload() {
	clearTimeout(pauseTimer);
	keepPlace();
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
	if (failure?.kind === 'unsupported' || failure?.final || audio.ended)
		unload();
	if (failure)
		recovery.now();
	else if (loaded)
		start();
	else if (station.live || moment)
		load();
	show();
}

// Another moment, or live (null), from its own list.
function turnTo(other) {
	wanted = true;
	unload();
	moment = other;
	play();
}

// The moment of the address has been left.
function leaveHash() {
	if (location.hash)
		history.replaceState(history.state, '', location.pathname + location.search);
}

// Plays from an instant.
function goTo(at) {
	const { range } = archive;

	if (!engine || !station)
		return;
	leaveHash();
	past.tell('');
	if (range && at >= range.to - LIVE_MS && station.live) {
		goLive();
		return;
	}
	if (range && at < range.from) {
		past.tell(`The archive begins at ${momentText(range.from, station.timezone, range.to)}.`);
		at = range.from;
	}
	if (loaded && !failure && engine.seek(at)) {
		wanted = true;
		start();
	} else {
		turnTo(momentAt(at));
	}
	show();
	past.turnTo(at);
}

function goLive() {
	if (!engine || !station)
		return;
	leaveHash();
	past.tell('');
	if (moment === null && loaded && !failure && engine.seekLive()) {
		wanted = true;
		start();
	} else {
		turnTo(null);
	}
	show();
	past.turnTo(archive.now);
}

function goToStart() {
	const programme = archive.programmeAt(place() ?? archive.now);
	if (programme)
		goTo(programme.start);
}

// Some seconds back or forward.
function step(seconds) {
	if (archive.range || moment)
		goTo((place() ?? archive.now) + seconds * 1000);
}

// The moment that the address names.
function followHash() {
	const named = momentFromHash(location.hash, station.timezone, archive.now);

	if (named) {
		turnTo(named);
		if (named.at !== null)
			past.turnTo(named.at);
	}
}

// A start-over list is as long as the server lets it be: the next goes on from its end.
function goOn() {
	const end = moment && wanted ? engine.endsAt() : null;

	if (end !== null && end > (moment.at ?? 0) + SHORTEST_MS) {
		unload();
		moment = { ...momentAt(Math.round(end / 1000) * 1000), at: end, further: true };
		load();
	}
	show();
}

async function shareMoment() {
	const at = place() ?? archive.now;
	const link = `${station.page}#t=${iso(at)}`;
	const title = archive.programmeAt(at)?.title;
	const outcome = await share(title ? `${station.title}: ${title}` : station.title, link);

	ui.shared({ copied: 'The link is copied.', shown: 'Copy this link:', shared: '', dropped: '' }[outcome], outcome === 'shown' ? link : null);
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
	keepPlace();
	if (moment && !moment.further && FINAL.includes(why.status)) {
		failure = { ...why, final: true };
		wanted = false;
		audio.pause();
		engine.unload();
		loaded = false;
	} else if (!wanted) {
		unload();
	} else if (why.kind !== 'unsupported') {
		recovery.schedule(() => {
			failure = null;
			if (engine.retry(why))
				start();
			else
				load();
		});
	}
	show();
}

// Makes `name` the station of the receiver. What played before stops.
function setStation(name) {
	unload();
	station = stations.find((candidate) => candidate.name === name) ?? null;
	archive.tune(station);
	moment = null;
	past.tell('');
	ui.shared('', null);
	ui.station(station);
	ui.clock(null, station?.timezone ?? 'UTC');
	ui.stations(stations, station?.name);
	shownTitle = undefined;
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
function stepStation(direction) {
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
		if (station)
			followHash();
		if (list.length && !station)
			ui.notice(`There is no station “${name}” here. These are on offer:`);
	} else {
		const was = station;
		station = stations.find(({ name }) => name === was.name) ?? { ...was, live: false };
		archive.tune(station);
		ui.stations(stations, station.name);
		if (station.live && !was.live)
			recovery.now();
	}
	if (engine && wanted && !loaded && (station?.live || station && moment))
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
	const actions = {
		play, pause, stop: pause, nexttrack: () => stepStation(1), previoustrack: () => stepStation(-1),
		seekbackward: ({ seekOffset }) => step(-(seekOffset || STEP_S)), seekforward: ({ seekOffset }) => step(seekOffset || STEP_S),
	};

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
audio.addEventListener('ended', goOn);
for (const event of ['playing', 'waiting', 'volumechange'])
	audio.addEventListener(event, show);
addEventListener('hashchange', () => {
	if (station)
		followHash();
});
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
// The address may have named a moment by now.
if (wanted)
	play();
show();
