// The dial: a scale of minutes that passes under a fixed needle, which points at the time that is heard.

const MINUTE = 60000;
const STEP = 5;
const REACH = 20;

export class Dial {
	#scale = document.createElement('div');
	#label = null;
	#timezone = null;
	#base = null;

	constructor(element) {
		const needle = document.createElement('div');

		this.#scale.className = 'scale';
		needle.className = 'needle';
		element.replaceChildren(this.#scale, needle);
		this.show(null, 'UTC');
	}

	// `heard`: a Date, or null when nothing is heard; the scale is bare then.
	show(heard, timezone) {
		const time = heard ? heard.getTime() : 0;
		const base = Math.floor(time / (STEP * MINUTE)) * STEP;

		if (timezone !== this.#timezone) {
			this.#timezone = timezone;
			this.#label = new Intl.DateTimeFormat([], { timeZone: timezone, hour: 'numeric', minute: '2-digit' });
			this.#base = null;
		}
		if (base !== this.#base) {
			this.#base = base;
			this.#scale.replaceChildren(...this.#marks(base, heard !== null));
		}
		this.#scale.style.setProperty('--minutes', String(-(time / MINUTE - base)));
	}

	#marks(base, labelled) {
		const marks = [];

		for (let offset = -REACH; offset <= REACH + STEP; offset++) {
			const mark = document.createElement('span');
			const long = offset % STEP === 0;
			mark.className = long ? 'mark long' : 'mark';
			mark.style.setProperty('--minutes', String(offset));
			if (long && labelled)
				mark.textContent = this.#label.format((base + offset) * MINUTE);
			marks.push(mark);
		}
		return marks;
	}
}
