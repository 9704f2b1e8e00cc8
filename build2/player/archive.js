// What can be played of a station's past: the time that is kept, the gaps in it, and what was on. An origin may know of none of it.

import { dateAfter, dateOf } from './moment.js';

const FRESH_MS = 5 * 60000;
const AGAIN_MS = 30000;
const TIMEOUT_MS = 10000;
const DAYS_KEPT = 20;

function spans(raw) {
	return (raw ?? []).map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) })).filter(({ from, to }) => from < to);
}

// What lies in both of two ordered lists of spans.
function common(one, other) {
	return one.flatMap((a) => other.map((b) => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) })))
		.filter(({ from, to }) => from < to);
}

function programme(raw) {
	return { title: String(raw.title ?? ''), description: raw.description ?? '', start: Date.parse(raw.start), end: Date.parse(raw.end) };
}

export class Archive {
	#onChange;
	#station = null;
	#gaps = [];
	#gapsTimer = 0;
	#days = new Map();	// by date: { list, due }; due: when to ask again

	// Calls `onChange()` when gaps or programmes have come.
	constructor(onChange) {
		this.#onChange = onChange;
	}

	// The station that is meant, or what is new about it; null: none.
	tune(station) {
		const other = station?.name !== this.#station?.name;

		this.#station = station;
		if (other) {
			clearTimeout(this.#gapsTimer);
			this.#gaps = [];
			this.#days.clear();
			if (station?.availability)
				this.#refreshGaps(station);
		}
	}

	// { from, to }: the oldest instant kept and the newest; null: nothing can be played but live. `to` goes on with a station on air.
	get range() {
		const station = this.#station;

		if (!station?.availability || !station.retained)
			return null;
		const { from, to } = station.retained;
		return { from, to: station.live ? to + performance.now() - station.knownAt : to };
	}

	// Newest instant where the archive is known to be; else this machine's clock has to do.
	get now() {
		return this.#station?.live && this.range ? this.range.to : Date.now();
	}

	// Spans without audio in any rendition.
	get gaps() {
		return this.#gaps;
	}

	// The programmes of a station-local day as far as they are known: [{ title, description, start, end }].
	programmes(date) {
		const known = this.#days.get(date);

		if (!this.#station?.programmes)
			return [];
		if (!known || known.due < performance.now())
			this.#refreshDay(this.#station, date, known?.list ?? []);
		return known?.list ?? [];
	}

	// The programme that is on at an instant (of several the one that began last), or null.
	programmeAt(at) {
		const station = this.#station;
		const on = ({ start, end }) => start <= at && at < end;

		if (!station?.programmes)
			return null;
		const date = dateOf(at, station.timezone);
		return this.programmes(date).findLast(on) ?? this.#days.get(dateAfter(date, -1))?.list.findLast(on) ?? null;
	}

	async #refreshGaps(station) {
		let wait = FRESH_MS;

		try {
			const answer = await fetch(station.availability, { signal: AbortSignal.timeout(TIMEOUT_MS) });
			if (!answer.ok) {
				// 503 while the origin gathers it
				wait = Number(answer.headers.get('Retry-After')) * 1000 || AGAIN_MS;
			} else {
				const { renditions } = await answer.json();
				const gaps = (renditions ?? []).map((rendition) => spans(rendition.gaps));
				if (station.name !== this.#station?.name)
					return;
				this.#gaps = gaps.length ? gaps.reduce(common) : [];
				this.#onChange();
			}
		} catch {
			wait = AGAIN_MS;
		}
		if (station.name !== this.#station?.name)
			return;
		clearTimeout(this.#gapsTimer);
		this.#gapsTimer = setTimeout(() => this.#refreshGaps(station), wait);
	}

	async #refreshDay(station, date, before) {
		const day = { list: before, due: performance.now() + AGAIN_MS };

		this.#days.delete(date);
		this.#days.set(date, day);
		if (this.#days.size > DAYS_KEPT)
			this.#days.delete(this.#days.keys().next().value);
		try {
			const url = new URL(station.programmes);
			url.searchParams.set('date', date);
			const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
			if (!answer.ok)
				return;
			const { programmes } = await answer.json();
			day.list = programmes.map(programme).filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start);
			day.due = performance.now() + FRESH_MS;
			this.#onChange();
		} catch {
			// Titles are an ornament: the day is asked for again when it is due.
		}
	}
}
