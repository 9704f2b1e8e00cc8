// Playing HLS: hls.js where the browser has Media Source Extensions, else the browser's own HLS (Safari on iPhones).
//
// Both engines have the same face:
//   load(url)         fetch this list and start at live; replaces what was loaded
//   unload()          fetch nothing any more
//   select(url)       play this rendition's list only; null: choose by the speed of the connection
//   retry(failure)    go on after `failure`; the audio element may be paused afterwards
//   heardAt()         Date of what is heard now, from EXT-X-PROGRAM-DATE-TIME; null while nothing is known
//   rendition()       address of the rendition that is heard; null while nothing is known
// and report a failure after which nothing goes on by itself with
//   onFailure({ kind: 'network' | 'media' | 'unsupported', status })     status: of HTTP, 0 if there was no answer

const HLS_TYPE = 'application/vnd.apple.mpegurl';

// A second failure to decode so soon after a recovery wants a fresh start instead of another recovery.
const MEDIA_RECOVERY_MS = 10000;
// After so many vain attempts to go on, what is buffered has been played: start anew, at live.
const NETWORK_RECOVERIES = 3;

function pathOf(url) {
	return new URL(url).pathname;
}

class HlsEngine {
	#Hls;
	#audio;
	#onFailure;
	#hls = null;
	#url = null;
	#selected = null;
	#recoveredAt = -Infinity;
	#recoveries = 0;

	constructor(Hls, audio, onFailure) {
		this.#Hls = Hls;
		this.#audio = audio;
		this.#onFailure = onFailure;
		audio.addEventListener('playing', () => { this.#recoveries = 0; });
	}

	load(url) {
		const { Events } = this.#Hls;

		this.unload();
		this.#url = url;
		this.#hls = new this.#Hls({
			// The module form of hls.js has no worker inside, and demuxing audio is too little work for one.
			enableWorker: false,
			preferManagedMediaSource: false,
			liveDurationInfinity: true,
			backBufferLength: 60,
			// The cues would go into a text track of a data: address, which the page's policy forbids. Packed audio
			// begins every segment with ID3.
			enableID3MetadataCues: false,
			enableEmsgMetadataCues: false,
			enableDateRangeMetadataCues: false,
		});
		this.#hls.on(Events.MANIFEST_PARSED, () => this.#applySelection());
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
			return;
		if (kind === 'media' && now - this.#recoveredAt > MEDIA_RECOVERY_MS) {
			this.#recoveredAt = now;
			this.#hls.recoverMediaError();
		} else if (kind === 'network' && this.#hls.levels.length && this.#recoveries < NETWORK_RECOVERIES) {
			this.#recoveries += 1;
			this.#hls.startLoad();
		} else {
			this.load(this.#url);
		}
	}

	heardAt() {
		return this.#hls?.playingDate ?? null;
	}

	rendition() {
		const level = this.#hls?.levels[this.#hls.currentLevel];
		return level ? level.url[0] : null;
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
	#selected = null;

	constructor(audio, onFailure) {
		this.#audio = audio;
		audio.addEventListener('error', () => {
			if (!audio.hasAttribute('src'))
				return;
			// The element does not tell a missing list from one that it cannot play.
			onFailure({ kind: audio.error?.code === MediaError.MEDIA_ERR_DECODE ? 'media' : 'network', status: 0 });
		});
	}

	load(url) {
		this.#url = url;
		this.#audio.src = this.#selected ?? url;
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
			this.load(this.#url);
			if (playing)
				this.#audio.play().catch(() => {});
		}
	}

	retry() {
		this.load(this.#url);
	}

	heardAt() {
		const start = this.#audio.getStartDate?.().getTime();
		return Number.isFinite(start) ? new Date(start + this.#audio.currentTime * 1000) : null;
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
