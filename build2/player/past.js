// The panel to play from earlier: the day looked at, its timeline and programmes, and ways to a time of it.

import { clockText, dateAfter, dateOf, dayOf, dayText, instantOf, momentText } from './moment.js';
import { Timeline } from './timeline.js';

const find = (id) => document.getElementById(id);

// When radio has listeners: the morning, noon, the way home, the evening.
const CLOCK_TIMES = ['06:00', '07:00', '08:00', '09:00', '12:00', '13:00', '18:00', '20:00'];

export class Past {
	#on;
	#timeline;
	#archive = null;
	#station = null;
	#date = null;	// the day looked at
	#heard = null;
	#heardDate = null;
	#day = null;	// the day looked at as instants: { key, from, to, times }
	#unseen = true;	// the timeline is still to be scrolled to where it matters
	#shown = {};

	// `on`: what to call: seek(at), live()
	constructor(on) {
		this.#on = on;
		this.#timeline = new Timeline(find('timeline'), find('strip'), {
			seek: on.seek,
			live: on.live,
			look: (at) => this.#look(dateOf(at, this.#station.timezone)),
		});
		find('day-before').addEventListener('click', () => this.#look(dateAfter(this.#date, -1)));
		find('day-after').addEventListener('click', () => this.#look(dateAfter(this.#date, 1)));
		find('date').addEventListener('change', () => this.#look(find('date').value));
		find('picker').addEventListener('submit', (event) => {
			event.preventDefault();
			this.#ask(find('time').value);
		});
		find('clock-times').append(...CLOCK_TIMES.map((time) => {
			const button = document.createElement('button');
			button.type = 'button';
			button.value = time;
			button.addEventListener('click', () => this.#ask(time));
			return button;
		}));
		find('programme-list').addEventListener('click', (event) => {
			const button = event.target.closest('button');
			if (button)
				on.seek(Number(button.value));
		});
	}

	// `heard`: the instant heard, or about to be; null: nothing. Without an archive the panel is not there.
	show(station, archive, heard) {
		const range = archive.range;

		find('past').hidden = range === null;
		if (station.name !== this.#station?.name) {
			this.#date = null;
			this.#heardDate = null;
		}
		this.#station = station;
		this.#archive = archive;
		this.#heard = heard;
		if (range)
			this.#render(range);
	}

	// The day of an instant is looked at, and its place in the timeline.
	turnTo(at) {
		if (!this.#archive?.range)
			return;
		this.#look(dateOf(at, this.#station.timezone));
		this.#timeline.reveal(at);
	}

	// What came of a choice; '': nothing to say.
	tell(text) {
		if (this.#shown.told !== text)
			find('told').textContent = text;
		this.#shown.told = text;
	}

	#look(date) {
		const { range } = this.#archive;
		const { timezone } = this.#station;
		const [first, last] = [dateOf(range.from, timezone), dateOf(range.to, timezone)];

		// A date input that is being cleared has no value.
		if (!/^\d{4}-\d\d-\d\d$/.test(date))
			return;
		this.#date = date < first ? first : date > last ? last : date;
		find('date').value = this.#date;
		this.#unseen = true;
		this.#render(range);
	}

	// A time of the day looked at, as a time input has it.
	#ask(time) {
		const { timezone } = this.#station;
		const { range } = this.#archive;
		const at = instantOf(this.#date, time, timezone);

		if (Number.isNaN(at))
			this.tell('Choose a day and a time.');
		else if (at > range.to)
			this.tell(`${momentText(at, timezone, range.to)} is still to come.`);
		else if (at < range.from)
			this.tell(`The archive begins at ${momentText(range.from, timezone, range.to)}.`);
		else
			this.#on.seek(at);
	}

	#render(range) {
		const { timezone } = this.#station;
		const heardDate = this.#heard === null ? null : dateOf(this.#heard, timezone);

		// Past midnight the day goes on with what is heard, unless another is looked at.
		if (this.#date === null || (this.#date === this.#heardDate && heardDate !== null && heardDate !== this.#heardDate)) {
			this.#date = heardDate ?? dateOf(range.to, timezone);
			this.#unseen = true;
		}
		this.#heardDate = heardDate;

		const day = this.#dayLookedAt();
		const programmes = this.#archive.programmes(this.#date);
		this.#timeline.show({
			day, range, timezone, programmes, heard: this.#heard, gaps: this.#archive.gaps,
			programmeAt: (at) => this.#archive.programmeAt(at),
		});
		if (this.#unseen && find('timeline').clientWidth > 0) {
			this.#unseen = false;
			this.#reveal(day, range);
		}
		this.#renderPointed(range);
		this.#renderDay(day, range);
		this.#renderProgrammes(programmes, range);
	}

	// Worked out once a day and not at every tick: what the clocks of a zone show is dear to ask.
	#dayLookedAt() {
		const { timezone } = this.#station;
		const key = `${this.#date} ${timezone}`;

		if (this.#day?.key !== key)
			this.#day = { key, ...dayOf(this.#date, timezone), times: CLOCK_TIMES.map((time) => instantOf(this.#date, time, timezone)) };
		return this.#day;
	}

	#reveal(day, range) {
		const inside = (at) => at !== null && at >= day.from && at < day.to;
		const at = [this.#timeline.pointed, this.#heard, range.to].find(inside);
		this.#timeline.reveal(at ?? instantOf(this.#date, '09:00', this.#station.timezone));
	}

	#renderPointed(range) {
		const at = this.#timeline.pointed;
		let text = 'A tap on the day plays from there.';

		if (at !== null) {
			const title = this.#archive.programmeAt(at)?.title;
			text = `${momentText(at, this.#station.timezone, range.to)}${title ? ` · ${title}` : ''}`;
		}
		if (this.#shown.pointed !== text)
			find('pointed').textContent = text;
		this.#shown.pointed = text;
	}

	#renderDay(day, range) {
		const { timezone } = this.#station;
		const [first, last] = [dateOf(range.from, timezone), dateOf(range.to, timezone)];
		const { times } = day;
		const key = JSON.stringify([this.#date, first, last, timezone, times.map((at) => at >= range.from && at <= range.to)]);

		if (this.#shown.day === key)
			return;
		this.#shown.day = key;
		if (find('date').value !== this.#date)
			find('date').value = this.#date;
		find('date').min = first;
		find('date').max = last;
		find('day-before').disabled = this.#date <= first;
		find('day-after').disabled = this.#date >= last;
		[...find('clock-times').children].forEach((button, index) => {
			const at = times[index];
			button.textContent = clockText(at, timezone);
			button.setAttribute('aria-label', `${clockText(at, timezone)}, ${dayText(at, timezone)}`);
			button.disabled = at < range.from || at > range.to;
		});
	}

	#renderProgrammes(programmes, range) {
		const { timezone } = this.#station;
		const playable = ({ start }) => start >= range.from && start <= range.to;
		const current = this.#heard === null ? null : this.#archive.programmeAt(this.#heard)?.start ?? null;
		const key = JSON.stringify([programmes, programmes.map(playable), timezone]);

		if (this.#shown.programmes !== key) {
			this.#shown.programmes = key;
			this.#shown.current = undefined;
			this.#listProgrammes(programmes, playable);
		}
		// The buttons stay the same elements, so that focus stays.
		if (this.#shown.current !== current) {
			this.#shown.current = current;
			for (const button of find('programme-list').querySelectorAll('button')) {
				button.setAttribute('aria-current', String(Number(button.value) === current));
				if (Number(button.value) === current)
					find('programme-list').scrollTop = button.offsetTop - button.offsetHeight;
			}
		}
	}

	#listProgrammes(programmes, playable) {
		const { timezone } = this.#station;

		find('programmes').hidden = programmes.length === 0;
		find('programme-list').replaceChildren(...programmes.map((programme) => {
			const item = document.createElement('li');
			const button = document.createElement('button');
			const time = document.createElement('time');
			const title = document.createElement('span');

			button.type = 'button';
			button.value = String(programme.start);
			button.disabled = !playable(programme);
			time.dateTime = new Date(programme.start).toISOString();
			time.textContent = clockText(programme.start, timezone);
			title.textContent = programme.title;
			button.append(time, ' ', title);
			if (programme.description) {
				const description = document.createElement('span');
				description.className = 'description';
				description.textContent = programme.description;
				button.append(' ', description);
			}
			item.append(button);
			return item;
		}));
	}
}
