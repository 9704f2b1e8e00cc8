// What the page shows and what the listener does to it. Knows nothing of networks and media.

import { Dial } from './dial.js';

const find = (id) => document.getElementById(id);

function kilobits(bandwidth) {
	return bandwidth ? `, ${Math.round(bandwidth / 1000)} kbit/s` : '';
}

// True where a key already means something to the element that has the focus.
function takesKeys(element, key) {
	if (element.closest('select, input, textarea, [contenteditable]') !== null)
		// A letter means nothing to a slider.
		return !(key.length === 1 && element.matches('input[type="range"]'));
	return key === ' ' && element.closest('button, summary') !== null;
}

export class Ui {
	#dial = new Dial(find('dial'));
	#items = new Map();
	#clockFormat = null;
	#dateFormat = null;
	#timezone = null;
	#shown = {};

	// `on`: what to call: togglePlay(), toggleMute(), choose(name), quality(value), volume(0..1), back(), forward(), live(), again(),
	// share()
	constructor(on) {
		const keys = {
			' ': on.togglePlay, m: on.toggleMute, j: on.back, arrowleft: on.back, l: on.forward, arrowright: on.forward, '.': on.live, end: on.live,
		};

		for (const id of ['back', 'forward', 'again', 'share'])
			find(id).addEventListener('click', on[id]);
		find('live').addEventListener('click', () => {
			if (find('live').getAttribute('aria-disabled') !== 'true')
				on.live();
		});
		find('play').addEventListener('click', on.togglePlay);
		find('mute').addEventListener('click', on.toggleMute);
		find('volume').addEventListener('input', (event) => on.volume(event.target.value / 100));
		find('quality').addEventListener('change', (event) => on.quality(event.target.value));
		find('stations').addEventListener('click', (event) => {
			const link = event.target.closest('a');
			// A modified click opens another tab, as it does with any link.
			if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
				return;
			event.preventDefault();
			on.choose(link.dataset.name);
		});
		document.addEventListener('keydown', (event) => {
			const key = event.key.toLowerCase();
			if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !Object.hasOwn(keys, key) || takesKeys(event.target, key))
				return;
			event.preventDefault();
			keys[key]();
		});
	}

	// The list; the item of the station named `chosen` is marked. Items stay the same elements, so that focus stays.
	stations(list, chosen) {
		const items = list.map((station) => this.#item(station, station.name === chosen));

		for (const [name, item] of this.#items) {
			if (!list.some((station) => station.name === name)) {
				item.remove();
				this.#items.delete(name);
			}
		}
		items.forEach((item, index) => {
			const there = find('stations').children[index];
			if (there !== item)
				find('stations').insertBefore(item, there ?? null);
		});
	}

	#item(station, chosen) {
		let item = this.#items.get(station.name);

		if (!item) {
			const link = document.createElement('a');
			const title = document.createElement('span');
			const note = document.createElement('span');
			item = document.createElement('li');
			title.className = 'station-title';
			note.className = 'station-note';
			link.dataset.name = station.name;
			link.append(title, ' ', note);
			item.append(link);
			this.#items.set(station.name, item);
		}
		const link = item.firstChild;
		link.href = station.page;
		link.querySelector('.station-title').textContent = station.title;
		link.querySelector('.station-note').textContent = station.live ? 'On air' : 'Waiting for its encoder';
		item.classList.toggle('live', station.live);
		if (chosen)
			link.setAttribute('aria-current', 'true');
		else
			link.removeAttribute('aria-current');
		return item;
	}

	// The station that the receiver is tuned to; null: none.
	station(station) {
		const title = station ? station.title : 'Radio';

		find('title').textContent = title;
		document.title = title;
		find('play').disabled = !station;
	}

	// `state` colours the lamp; `text` is spoken by screen readers when it changes, so it must not count seconds.
	status(state, text) {
		find('lamp').dataset.state = state;
		if (this.#shown.status !== text)
			find('status').textContent = text;
		this.#shown.status = text;
	}

	// Trouble with the list of stations; '' hides it.
	notice(text) {
		find('notice').hidden = text === '';
		if (this.#shown.notice !== text)
			find('notice').textContent = text;
		this.#shown.notice = text;
	}

	playing(wanted) {
		const label = wanted ? 'Pause' : 'Play';

		find('play').classList.toggle('on', wanted);
		if (find('play').getAttribute('aria-label') !== label)
			find('play').setAttribute('aria-label', label);
	}

	volume(volume, muted) {
		find('volume').value = String(muted ? 0 : Math.round(volume * 100));
		find('mute').setAttribute('aria-pressed', String(muted));
	}

	// `heardIn`: name of the rendition that is heard, or null.
	qualities(renditions, value, heardIn) {
		const options = [
			{ value: '', text: heardIn ? `Auto (${heardIn})` : 'Auto' },
			...renditions.map(({ name, bandwidth }) => ({ value: name, text: `${name}${kilobits(bandwidth)}` })),
		];
		const key = JSON.stringify([options, value]);

		if (this.#shown.qualities === key)
			return;
		this.#shown.qualities = key;
		find('quality').replaceChildren(...options.map((option) => new Option(option.text, option.value)));
		find('quality').value = value;
		find('quality').disabled = renditions.length === 0;
	}

	// The ways through the past. `archived`: there are any; `live`: it is live that is heard, or to be; `programme`: what is on then.
	moves(archived, live, programme) {
		const title = programme?.title ?? '';

		for (const id of ['back', 'forward', 'moves', 'past-keys'])
			find(id).hidden = !archived;
		find('live').setAttribute('aria-disabled', String(live));
		if (this.#shown.programme === title)
			return;
		this.#shown.programme = title;
		find('programme').textContent = title;
		find('programme').hidden = title === '';
		find('again').hidden = title === '';
		find('again').setAttribute('aria-label', `From the start of ${title}`);
	}

	// What became of sharing; `link`: shown to be copied by hand, or null.
	shared(text, link) {
		find('shared').textContent = text;
		find('link').hidden = link === null;
		find('link').value = link ?? '';
		if (link !== null) {
			find('link').focus();
			find('link').select();
		}
	}

	// The wall-clock time of what is heard, in the station's time zone; null: nothing is heard.
	clock(heard, timezone) {
		if (timezone !== this.#timezone) {
			this.#timezone = timezone;
			this.#clockFormat = new Intl.DateTimeFormat([], { timeZone: timezone, timeStyle: 'medium' });
			this.#dateFormat = new Intl.DateTimeFormat([], { timeZone: timezone, weekday: 'long', day: 'numeric', month: 'long' });
		}
		const text = heard ? this.#clockFormat.format(heard) : '––:––:––';
		if (this.#shown.clock !== text) {
			this.#shown.clock = text;
			find('clock').textContent = text;
			find('place').textContent = heard ? `${this.#dateFormat.format(heard)}, ${timezone.replaceAll('_', ' ')}` : '\u00a0';
			find('clock').classList.toggle('unknown', !heard);
			if (heard)
				find('clock').dateTime = heard.toISOString();
			else
				find('clock').removeAttribute('datetime');
		}
		this.#dial.show(heard, timezone);
	}
}
