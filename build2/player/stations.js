// The stations of this origin: where they are, which one the address names, and what is new about them.

// This module is ROOT/_player/stations.js whatever path prefix the origin is served under.
const ROOT = new URL('..', import.meta.url);

const REFRESH_MS = 30000;
const REFRESH_AFTER_ERROR_MS = 5000;
const TIMEOUT_MS = 10000;

// The address of a station's page, ROOT/NAME/.
export function pageOf(name) {
	return new URL(`${name}/`, ROOT).href;
}

// The name of the station whose page this address is; null for the page of all stations.
export function nameFromAddress(address) {
	const path = new URL(address).pathname;
	if (!path.startsWith(ROOT.pathname))
		return null;
	const [name] = path.slice(ROOT.pathname.length).split('/');
	// A station's name needs no percent encoding; a name with a dot is a file's.
	return name && !name.includes('.') ? name : null;
}

function rendition(raw) {
	return {
		name: raw.name,
		url: new URL(raw.url, ROOT).href,
		codecs: raw.codecs ?? '',
		format: raw.format ?? '',
		bandwidth: raw.average_bandwidth ?? raw.bandwidth ?? 0,
	};
}

// The span that is kept, in ms since 1970; null: nothing.
function retained(raw) {
	const [from, to] = [Date.parse(raw?.from), Date.parse(raw?.to)];
	return from < to ? { from, to } : null;
}

// What an origin without an archive, or a plain store, does not say is null.
function station(raw) {
	const optional = (address) => (address ? new URL(address, ROOT).href : null);

	return {
		name: raw.name,
		title: raw.title || raw.name,
		timezone: raw.timezone || 'UTC',
		url: new URL(raw.url, ROOT).href,
		page: pageOf(raw.name),
		live: raw.live === true,
		segment: raw.segment ?? 6,
		retained: retained(raw.retained),
		availability: optional(raw.availability),
		programmes: optional(raw.programmes),
		knownAt: performance.now(),
		renditions: (raw.renditions ?? []).map(rendition).sort((a, b) => b.bandwidth - a.bandwidth),
	};
}

async function fetchStations() {
	const answer = await fetch(new URL('stations.json', ROOT), { signal: AbortSignal.timeout(TIMEOUT_MS) });
	if (!answer.ok)
		throw new Error(`stations.json: HTTP status ${answer.status}`);
	return (await answer.json()).stations.map(station);
}

// Calls `onList(stations)` now and at every refresh, and `onError(error)` when a refresh failed; the list known before
// stays good then. A page in the background refreshes as often as the browser lets it, and at once when it is seen again.
export function watchStations(onList, onError) {
	let timer = 0;

	async function refresh() {
		clearTimeout(timer);
		let wait = REFRESH_MS;
		try {
			onList(await fetchStations());
		} catch (error) {
			wait = REFRESH_AFTER_ERROR_MS;
			onError(error);
		}
		clearTimeout(timer);
		timer = setTimeout(refresh, wait);
	}

	document.addEventListener('visibilitychange', () => {
		if (document.visibilityState === 'visible')
			refresh();
	});
	addEventListener('online', refresh);
	refresh();
}
