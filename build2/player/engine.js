// Playing HLS: hls.js where the browser has Media Source Extensions, else the browser's own HLS (Safari on iPhones).
//
// Both engines have the same face:
//   load(url, at)     fetch this list; start where it says (live, or its first segment), or at the instant `at`
//   unload()          fetch nothing any more
//   select(url)       play this rendition's list only; null: choose by the speed of the connection
//   retry(failure)    go on after `failure`; false: the list has to be loaded anew. The audio element may be paused afterwards
//   seek(at)          go to an instant of the loaded list; false: it is not in there
//   seekLive()        go to the newest that can be played of the loaded list; false: not known
//   heardAt()         instant of what is heard now, from EXT-X-PROGRAM-DATE-TIME; null while nothing is known
//   startsAt()        instant at which the loaded list begins; null while nothing is known
//   endsAt()          instant at which it ends; null while it grows
//   rendition()       address of the rendition that is heard; null while nothing is known
// Instants are ms since 1970. A failure after which nothing goes on by itself is reported with
//   onFailure({ kind: 'network' | 'media' | 'unsupported', status })     status: of HTTP, 0 if there was no answer

const HLS_TYPE = 'application/vnd.apple.mpegurl';

// A second failure to decode so soon after a recovery wants a fresh start instead of another recovery.
const MEDIA_RECOVERY_MS = 10000;
// After so many vain attempts to go on, what is buffered has been played: start anew, at live.
const NETWORK_RECOVERIES = 3;

function pathOf(url) {
	return new URL(url).pathname;
}

// The last of the fragments that begin at or before `value` of `key`, or the first; they are in order.
function fragmentAt(fragments, key, value) {
	let [low, high] = [0, fragments.length - 1];

	while (low < high) {
		const middle = Math.ceil((low + high) / 2);
		if (fragments[middle][key] <= value)
			low = middle;
		else
			high = middle - 1;
	}
	return fragments[low];
}

class HlsEngine {
	#Hls;
	#audio;
	#onFailure;
	#hls = null;
	#selected = null;
	#recoveredAt = -Infinity;
	#recoveries = 0;

	constructor(Hls, audio, onFailure) {
		this.#Hls = Hls;
		this.#audio = audio;
		this.#onFailure = onFailure;
		audio.addEventListener('playing', () => { this.#recoveries = 0; });
	}

	load(url, at = null) {
		const { Events } = this.#Hls;
		const audio = this.#audio;

		this.unload();
		this.#hls = new this.#Hls({
			// The module form of hls.js has no worker inside, and demuxing audio is too little work for one.
			enableWorker: false,
			preferManagedMediaSource: false,
			liveDurationInfinity: true,
			backBufferLength: 60,
			// Of the past everything is there at once: without a bound ten minutes are fetched at every jump.
			maxBufferLength: 30,
			maxMaxBufferLength: 60,
			// The cues would go into a text track of a data: address, which the page's policy forbids. Packed audio
			// begins every segment with ID3.
			enableID3MetadataCues: false,
			enableEmsgMetadataCues: false,
			enableDateRangeMetadataCues: false,
		});
		this.#hls.on(Events.MANIFEST_PARSED, () => this.#applySelection());
		if (at !== null) {
			this.#hls.once(Events.LEVEL_LOADED, () => {
				const position = this.#positionOf(at);
				// Before there is media the element keeps it as the position to start at.
				if (position !== null)
					audio.currentTime = position;
			});
		}
		this.#hls.on(Events.ERROR, (_, error) => this.#failed(error));
		this.#hls.attachMedia(this.#audio);
		this.#hls.loadSource(url);
	}

	unload() {
		this.#hls?.destroy();
		this.#hls = null;
	}

	select(url) {
		this.#selected = url;
		if (this.#hls?.levels.length)
			this.#applySelection();
	}

	retry({ kind }) {
		const now = performance.now();

		if (!this.#hls)
			return false;
		if (kind === 'media' && now - this.#recoveredAt > MEDIA_RECOVERY_MS) {
			this.#recoveredAt = now;
			this.#hls.recoverMediaError();
		} else if (kind === 'network' && this.#hls.levels.length && this.#recoveries < NETWORK_RECOVERIES) {
			this.#recoveries += 1;
			this.#hls.startLoad();
		} else {
			return false;
		}
		return true;
	}

	seek(at) {
		const details = this.#details();
		const starts = this.startsAt();

		// What a live list is about to drop is gone before it is fetched.
		if (starts === null || at < starts + (details.live && details.type !== 'EVENT' ? details.targetduration * 1000 : 0))
			return false;
		const position = this.#positionOf(at);
		if (position === null || position >= details.edge)
			return false;
		this.#audio.currentTime = position;
		return true;
	}

	seekLive() {
		const position = this.#hls?.liveSyncPosition ?? null;

		if (position === null)
			return false;
		this.#audio.currentTime = position;
		return true;
	}

	heardAt() {
		const details = this.#details();
		const position = this.#audio.currentTime;

		if (!details)
			return null;
		const { start, programDateTime } = fragmentAt(details.fragments, 'start', position);
		return programDateTime === null ? null : programDateTime + (position - start) * 1000;
	}

	startsAt() {
		return this.#details()?.fragments[0].programDateTime ?? null;
	}

	endsAt() {
		const details = this.#details();
		const last = details?.fragments.at(-1);

		return details && !details.live && last.programDateTime !== null ? last.programDateTime + last.duration * 1000 : null;
	}

	rendition() {
		const level = this.#hls?.levels[this.#hls.currentLevel];
		return level ? level.url[0] : null;
	}

	// Of the newest list; null until one with media is there.
	#details() {
		const details = this.#hls?.latestLevelDetails;
		return details?.fragments.length ? details : null;
	}

	// Where the instant `at` is in the media element; in a gap: where the gap ends. null: unknown.
	#positionOf(at) {
		const details = this.#details();

		if (!details || details.fragments[0].programDateTime === null)
			return null;
		const fragment = fragmentAt(details.fragments, 'programDateTime', at);
		if (fragment.gap)
			return details.fragments.find(({ sn, gap }) => sn > fragment.sn && !gap)?.start ?? null;
		// Between two runs the clock may skip what neither holds.
		const within = Math.max(0, (at - fragment.programDateTime) / 1000);
		return fragment.start + Math.min(within, fragment.duration);
	}

	#applySelection() {
		const { levels } = this.#hls;
		// Compared by path: a list may carry a token in its query.
		const index = this.#selected ? levels.findIndex(({ url }) => pathOf(url[0]) === pathOf(this.#selected)) : -1;

		// The next segment comes from there, what is being heard plays out.
		if (this.#hls.manualLevel !== index)
			this.#hls.nextLevel = index;
	}

	#failed({ fatal, type, details, response }) {
		const { ErrorTypes, ErrorDetails } = this.#Hls;

		if (!fatal)
			return;
		if (details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR)
			this.#onFailure({ kind: 'unsupported', status: 0 });
		else if (type === ErrorTypes.NETWORK_ERROR)
			this.#onFailure({ kind: 'network', status: response?.code ?? 0 });
		else
			this.#onFailure({ kind: 'media', status: 0 });
	}
}

class NativeEngine {
	#audio;
	#url = null;
	#at = null;
	#selected = null;

	constructor(audio, onFailure) {
		this.#audio = audio;
		audio.addEventListener('loadedmetadata', () => {
			if (this.#at !== null)
				this.seek(this.#at);
			this.#at = null;
		});
		audio.addEventListener('error', () => {
			if (!audio.hasAttribute('src'))
				return;
			// The element does not tell a missing list from one that it cannot play.
			onFailure({ kind: audio.error?.code === MediaError.MEDIA_ERR_DECODE ? 'media' : 'network', status: 0 });
		});
	}

	load(url, at = null) {
		const source = new URL(this.#selected ?? url);

		this.#url = url;
		this.#at = at;
		source.search = new URL(url).search;
		this.#audio.src = source.href;
	}

	unload() {
		this.#audio.removeAttribute('src');
		this.#audio.load();
	}

	select(url) {
		const loaded = this.#audio.hasAttribute('src');

		if (this.#selected === url)
			return;
		this.#selected = url;
		if (loaded) {
			const playing = !this.#audio.paused;
			this.load(this.#url, new URL(this.#url).search ? this.heardAt() : null);
			if (playing)
				this.#audio.play().catch(() => {});
		}
	}

	retry() {
		return false;
	}

	seek(at) {
		const zero = this.#zero();
		const { seekable } = this.#audio;
		const position = (at - zero) / 1000;

		if (zero === null || !seekable.length || position < seekable.start(0) || position > seekable.end(seekable.length - 1))
			return false;
		this.#audio.currentTime = position;
		return true;
	}

	seekLive() {
		const { seekable } = this.#audio;

		if (!seekable.length)
			return false;
		this.#audio.currentTime = seekable.end(seekable.length - 1);
		return true;
	}

	heardAt() {
		return this.#instantOf(this.#audio.currentTime);
	}

	startsAt() {
		const { seekable } = this.#audio;
		return seekable.length ? this.#instantOf(seekable.start(0)) : null;
	}

	endsAt() {
		return Number.isFinite(this.#audio.duration) ? this.#instantOf(this.#audio.duration) : null;
	}

	// The instant of the media element's zero; null where the browser does not tell.
	#zero() {
		const zero = this.#audio.getStartDate?.().getTime();
		return Number.isFinite(zero) ? zero : null;
	}

	#instantOf(position) {
		const zero = this.#zero();
		return zero === null ? null : zero + position * 1000;
	}

	rendition() {
		return this.#selected;
	}
}

// The engine for this browser, or null when it plays no HLS at all.
export async function createEngine(audio, onFailure) {
	const native = audio.canPlayType(HLS_TYPE) !== '';

	// iPhones have Managed Media Source only; their own HLS goes on in the background and hands over to AirPlay.
	if (globalThis.MediaSource || !native) {
		const { default: Hls } = await import('./hls.light.min.js');
		if (Hls.isSupported())
			return new HlsEngine(Hls, audio, onFailure);
	}
	return native ? new NativeEngine(audio, onFailure) : null;
}
