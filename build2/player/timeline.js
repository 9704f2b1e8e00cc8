// The timeline: a strip of one station-local day. A tap plays from there; for the keyboard and for screen readers it is a slider.

import { clockText, dayText } from './moment.js';

const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const STEPS = { ArrowLeft: -5 * MINUTE, ArrowDown: -5 * MINUTE, ArrowRight: 5 * MINUTE, ArrowUp: 5 * MINUTE, PageDown: -HOUR, PageUp: HOUR };
// Keys that follow each other faster than this are one choice.
const SETTLED_MS = 600;

function element(name, text = '') {
	const made = document.createElement('span');
	made.className = name;
	made.textContent = text;
	return made;
}

export class Timeline {
	#view;
	#strip;
	#on;
	#heard = element('heard');
	#edge = element('edge');
	#aim = element('aim');
	#beyond = [element('beyond'), element('beyond')];
	#drawn = '';
	#shown = null;	// as of the newest show()
	#chosen = null;	// by keys, not yet played
	#hovered = null;
	#timer = 0;

	// `view` scrolls `strip`. `on`: what to call: seek(at), live(), look(at): the keys have come to another day.
	constructor(view, strip, on) {
		this.#view = view;
		this.#strip = strip;
		this.#on = on;
		strip.addEventListener('click', (event) => {
			const at = this.#under(event);
			if (event.detail > 0 && at !== null) {
				this.#drop();
				on.seek(at);
			}
		});
		strip.addEventListener('pointermove', (event) => {
			this.#hovered = event.pointerType === 'touch' ? null : this.#under(event);
			this.#place();
		});
		strip.addEventListener('pointerleave', () => {
			this.#hovered = null;
			this.#place();
		});
		strip.addEventListener('keydown', (event) => this.#key(event));
		strip.addEventListener('blur', () => this.#commit());
	}

	// `day`, `range`: { from, to }; `heard`: instant or null; `programmes`, `gaps`: in order; `programmeAt(at)`: one or null.
	show(state) {
		const { day, range, timezone, programmes, gaps } = state;
		const drawn = JSON.stringify([day, timezone, programmes, gaps]);

		this.#shown = state;
		if (drawn !== this.#drawn) {
			this.#drawn = drawn;
			this.#draw();
		}
		this.#beyond[0].hidden = range.from <= day.from;
		this.#beyond[1].hidden = range.to >= day.to;
		this.#span(this.#beyond[0], { from: day.from, to: range.from });
		this.#span(this.#beyond[1], { from: range.to, to: day.to });
		this.#point(this.#edge, range.to);
		this.#point(this.#heard, state.heard);
		this.#place();
	}

	// The instant that is pointed at and not yet played, or null.
	get pointed() {
		return this.#chosen ?? this.#hovered;
	}

	// Brings an instant into the middle of what is seen.
	reveal(at) {
		const { day } = this.#shown;
		this.#view.scrollLeft = (at - day.from) / (day.to - day.from) * this.#strip.scrollWidth - this.#view.clientWidth / 2;
	}

	#draw() {
		const { day, timezone, programmes, gaps } = this.#shown;
		const parts = [];

		for (let at = day.from; at < day.to; at += HOUR) {
			const hour = element('hour', clockText(at, timezone));
			this.#point(hour, at);
			parts.push(hour);
		}
		for (const { title, start, end } of programmes) {
			const block = element('block');
			block.append(element('', title));
			block.title = title;
			this.#span(block, { from: start, to: end });
			parts.push(block);
		}
		for (const gap of gaps) {
			if (gap.from >= day.to || gap.to <= day.from)
				continue;
			const hole = element('gap');
			hole.title = 'Nothing was recorded';
			this.#span(hole, gap);
			parts.push(hole);
		}
		this.#strip.replaceChildren(...parts, ...this.#beyond, this.#edge, this.#heard, this.#aim);
	}

	#fraction(at) {
		const { day } = this.#shown;
		return (Math.min(Math.max(at, day.from), day.to) - day.from) / (day.to - day.from);
	}

	#span(part, { from, to }) {
		part.style.setProperty('--from', String(this.#fraction(from)));
		part.style.setProperty('--to', String(this.#fraction(to)));
	}

	#point(part, at) {
		const { day } = this.#shown;

		part.hidden = at === null || at < day.from || at >= day.to;
		if (!part.hidden)
			part.style.setProperty('--from', String(this.#fraction(at)));
	}

	// The minute under the pointer; null where nothing can be played.
	#under(event) {
		const { day, range } = this.#shown;
		const box = this.#strip.getBoundingClientRect();
		const at = day.from + (event.clientX - box.left) / box.width * (day.to - day.from);

		if (at < range.from - MINUTE || at > range.to || at < day.from || at >= day.to)
			return null;
		return Math.max(range.from, Math.floor(at / MINUTE) * MINUTE);
	}

	#key(event) {
		if (event.ctrlKey || event.metaKey || event.altKey)
			return;
		const { day, range, heard } = this.#shown;
		const value = this.#value(heard);
		let at;

		if (event.key in STEPS) {
			at = value + STEPS[event.key];
		} else if (event.key === 'Home') {
			at = day.from;
		} else if (event.key === 'End') {
			at = day.to;
		} else if (event.key === 'Enter' && this.#chosen !== null) {
			this.#commit();
			at = null;
		} else if (event.key === 'Escape' && this.#chosen !== null) {
			this.#drop();
			at = null;
		} else {
			return;
		}
		event.preventDefault();
		event.stopPropagation();
		if (at !== null)
			this.#choose(Math.min(Math.max(at, range.from), range.to));
		this.#place();
	}

	#choose(at) {
		const { day } = this.#shown;

		this.#chosen = at;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#commit(), SETTLED_MS);
		if (at < day.from || at >= day.to)
			this.#on.look(at);
		this.reveal(at);
	}

	#drop() {
		clearTimeout(this.#timer);
		this.#chosen = null;
	}

	#commit() {
		const at = this.#chosen;

		this.#drop();
		if (at !== null && at >= this.#shown.range.to)
			this.#on.live();
		else if (at !== null)
			this.#on.seek(at);
	}

	// Where the slider stands: chosen, heard, else the nearest of the day that can be played.
	#value(heard) {
		const { day, range } = this.#shown;
		const at = this.#chosen ?? heard ?? range.to;
		return Math.min(Math.max(at, Math.max(day.from, range.from)), Math.min(day.to, range.to));
	}

	#place() {
		const { day, range, timezone, heard, programmeAt } = this.#shown;
		const value = this.#value(heard);
		const title = programmeAt(value)?.title;
		const minutes = (at) => Math.round((at - day.from) / MINUTE);
		const attributes = {
			'aria-valuemin': String(minutes(Math.max(day.from, range.from))),
			'aria-valuemax': String(minutes(Math.min(day.to, range.to))),
			'aria-valuenow': String(minutes(value)),
			'aria-valuetext': `${clockText(value, timezone)}, ${dayText(value, timezone)}${title ? `, ${title}` : ''}`,
		};

		this.#point(this.#aim, this.pointed);
		for (const [name, text] of Object.entries(attributes)) {
			if (this.#strip.getAttribute(name) !== text)
				this.#strip.setAttribute(name, text);
		}
	}
}
