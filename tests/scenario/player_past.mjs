// "Play from 9am" on the player page in Chromium, against a stand-in for an origin that keeps two and a half days. Prints TAP.
//
// SCREENSHOTS=directory keeps pictures of the page.

import assert from 'node:assert/strict';
import path from 'node:path';

import { basic, dateAfter, dateOf, instantOf, iso, timeOf } from '../../origin/player/moment.js';
import { startFixture, titleOf } from '../browser/fixture.mjs';
import { DESKTOP, PHONE, chooseStation, hearing, launchBrowser, listen, openPage, overhang, pressPlay, statusText, until } from '../browser/steps.mjs';
import { startTap } from '../browser/tap.mjs';

const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const ZONE = 'Europe/Paris';
// What passes between a click and the look at what is heard, on a busy machine.
const SLACK = 12000;

const fixture = await startFixture();
const { url } = fixture;
const browser = await launchBrowser();
const { test, end } = startTap();
// A full minute without a gap near, and later on the same programme.
const then = Math.floor((Date.now() - 20 * HOUR) / (2 * HOUR)) * 2 * HOUR + 40 * MINUTE;

// In a page: sound is forbidden until the listener has done something. Chromium does the same, but takes what this test asks
// of a page for something done.
function forbidAutoplay() {
	const { play } = HTMLMediaElement.prototype;
	let touched = false;

	for (const event of ['pointerdown', 'keydown'])
		addEventListener(event, () => { touched = true; }, true);
	HTMLMediaElement.prototype.play = function () {
		return touched ? play.call(this) : Promise.reject(new DOMException('not yet', 'NotAllowedError'));
	};
}

// Opens a page; `asked` collects the `from` of every multivariant list that it loads, null for live; `segments` the addresses of
// media.
async function open(address, options = DESKTOP, before = forbidAutoplay) {
	const page = await openPage(browser, 'about:blank', options, before);

	page.asked = [];
	page.segments = [];
	page.on('request', (request) => {
		const { pathname, searchParams } = new URL(request.url());
		if (/\/\w+\/index\.m3u8$/.test(pathname) && !/fi\/index\.m3u8$/.test(pathname))
			page.asked.push(searchParams.get('from'));
		else if (pathname.endsWith('.ts'))
			page.segments.push(request.url());
	});
	await page.goto(new URL(address, url).href);
	await until('a station', async () => (await page.textContent('#title')) !== 'Radio');
	return page;
}

// Waits till sound moves that was on air in [at, at + SLACK); returns the instant heard.
async function hears(page, at, slack = SLACK) {
	const { after } = await until(`sound of ${iso(at)}`, async () => {
		const { heard, paused } = await hearing(page);
		return heard !== null && !paused && heard >= at - 1000 && heard < at + slack && { after: heard };
	});
	await until('it moves', async () => (await hearing(page)).heard > after);
	return after;
}

// What is heard jumps by `seconds` when `act` is done.
async function jumps(page, seconds, act) {
	const { heard } = await hearing(page);
	const before = Date.now();

	await act();
	await until(`a jump by ${seconds} s`, async () => {
		const now = await hearing(page);
		const moved = now.heard - heard - seconds * 1000;
		return now.heard !== null && !now.paused && moved > -1500 && moved < Date.now() - before + 1500;
	}, 25000);
}

async function hearsLive(page) {
	await until('live sound', async () => {
		const { heard, paused } = await hearing(page);
		return heard !== null && !paused && Date.now() - heard < 30000;
	});
}

async function told(page, words) {
	await until(`the words ${words}`, async () => words.test(await page.textContent('#told')));
}

async function says(page, words) {
	await until(`the words ${words}`, async () => words.test(await statusText(page)));
}

// Enters a day and a time as a listener does, and plays.
async function pick(page, at) {
	await page.fill('#date', dateOf(at, ZONE));
	await page.fill('#time', timeOf(at, ZONE));
	await page.click('#go');
}

// Scrolls the strip to an instant of the day shown and returns where on the screen that is.
function placeOf(page, at) {
	const fraction = (at - instantOf(dateOf(at, ZONE), '00:00', ZONE)) / (24 * HOUR);
	return page.evaluate((part) => {
		const view = document.getElementById('timeline');
		const strip = document.getElementById('strip');
		view.scrollIntoView({ block: 'center' });
		view.scrollLeft = part * strip.scrollWidth - view.clientWidth / 2;
		const box = strip.getBoundingClientRect();
		return { x: box.left + part * box.width, y: box.top + box.height - 5 };
	}, fraction);
}

function noProblems(page) {
	assert.deepEqual(page.problems, []);
}

const page = await open('harbour/', DESKTOP, () => {
	globalThis.mediaActions = {};
	navigator.mediaSession.setActionHandler = (action, handler) => {
		globalThis.mediaActions[action] = handler;
	};
});

await test('9am of yesterday is two clicks away', async () => {
	await until('the panel', () => page.isVisible('#past'));
	await page.click('#day-before');
	const yesterday = dateAfter(dateOf(Date.now(), ZONE), -1);
	assert.equal(await page.inputValue('#date'), yesterday);
	// 9am, unless just that is what the fixture lacks
	const [time, at] = ['09:00', '18:00'].map((clock) => [clock, instantOf(yesterday, clock, ZONE)])
		.find(([, instant]) => instant < fixture.gap.from - MINUTE || instant > fixture.gap.to);
	await page.click(`#clock-times button[value="${time}"]`);
	const heard = await hears(page, at);
	assert.deepEqual(page.asked, [basic(at)]);
	assert.equal(fixture.instantOf(page.segments[0]) <= at && at - fixture.instantOf(page.segments[0]) < 4000, true, 'by the segment asked for');
	assert.equal(await statusText(page), 'From the archive');
	assert.ok((await page.textContent('#clock')).startsWith(time));
	assert.equal(await page.textContent('#programme'), titleOf(heard));
	assert.equal(await page.evaluate(() => navigator.mediaSession.metadata.title), titleOf(heard));
	assert.equal(await page.locator('main b, section b, section i').count(), 0, 'titles are no markup');
	noProblems(page);
});

await test('a day and a time can be entered', async () => {
	await page.reload();
	await until('the panel', () => page.isVisible('#past'));
	page.asked = [];
	await pick(page, then);
	await hears(page, then);
	assert.deepEqual(page.asked, [basic(then)]);
	assert.equal(await page.locator('#programme-list [aria-current="true"]').getAttribute('value'), String(then - 40 * MINUTE));
	noProblems(page);
});

await test('30 seconds back and forward stay in the list that is loaded', async () => {
	const lists = page.asked.length;
	await jumps(page, 30, () => page.click('#forward'));
	await jumps(page, 30, () => page.keyboard.press('l'));
	await page.evaluate(() => document.activeElement.blur());
	await jumps(page, 30, () => page.keyboard.press('ArrowRight'));
	await jumps(page, -30, () => page.keyboard.press('j'));
	await jumps(page, 30, () => page.evaluate(() => globalThis.mediaActions.seekforward({})));
	await jumps(page, -60, () => page.evaluate(() => globalThis.mediaActions.seekbackward({ seekOffset: 60 })));
	assert.equal(page.asked.length, lists);
	noProblems(page);
});

await test('what lies before that list is loaded from another', async () => {
	const lists = page.asked.length;
	await pick(page, then);
	await hears(page, then);
	assert.equal(page.asked.length, lists, 'its beginning is in there');
	await page.click('#back');
	await hears(page, then - 30000, 2 * SLACK);
	assert.equal(page.asked.length, lists + 1);
	noProblems(page);
});

await test('a programme is played from its start', async () => {
	await page.click('#again');
	await hears(page, then - 40 * MINUTE);
	assert.match(await page.getAttribute('#again', 'aria-label'), /^From the start of The <b>/);
	await page.click(`#programme-list button[value="${then - 40 * MINUTE - 2 * HOUR}"]`);
	await hears(page, then - 40 * MINUTE - 2 * HOUR);
	noProblems(page);
});

await test('a tap on the timeline plays from there', async () => {
	await pick(page, then);
	await hears(page, then);
	const at = then + 15 * MINUTE;
	const { x, y } = await placeOf(page, at);
	await page.mouse.move(x, y);
	// a pixel is less than a minute
	const near = new RegExp(`^(${[at - MINUTE, at, at + MINUTE].map((each) => timeOf(each, ZONE)).join('|')}).* · `);
	const pointed = await until('what is pointed at', async () => {
		const text = await page.textContent('#pointed');
		return near.test(text) && text;
	});
	assert.ok(pointed.endsWith(titleOf(at)), pointed);
	await page.mouse.click(x, y);
	await hears(page, at - MINUTE, 2 * MINUTE + SLACK);
	noProblems(page);
});

await test('the timeline is a slider for the keyboard', async () => {
	const slider = page.getByRole('slider', { name: 'Time of day to play from', exact: true });
	// A list that begins here, so that what is before needs another.
	await page.click('#live');
	await hearsLive(page);
	await pick(page, then);
	await hears(page, then);
	await slider.focus();
	const now = () => slider.getAttribute('aria-valuenow').then(Number);
	const before = await now();
	const lists = page.asked.length;
	await page.keyboard.press('PageDown');
	assert.equal(await now(), before - 60);
	assert.ok((await slider.getAttribute('aria-valuetext')).endsWith(titleOf(then - HOUR)));
	assert.ok((await slider.getAttribute('aria-valuetext')).startsWith(timeOf(then - HOUR, ZONE)));
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowLeft');
	await hears(page, then - HOUR + 5 * MINUTE, 2 * SLACK);
	assert.equal(page.asked.length, lists + 1, 'keys that follow each other are one choice');
	await page.keyboard.press('Home');
	await page.keyboard.press('Escape');
	await page.keyboard.press('PageUp');
	await page.keyboard.press('Enter');
	await hears(page, then + 5 * MINUTE, 3 * SLACK);
	await page.keyboard.press('Home');
	await page.keyboard.press('PageDown');
	await until('the day before', async () => (await page.inputValue('#date')) === dateAfter(dateOf(then, ZONE), -1));
	await page.keyboard.press('Escape');
	noProblems(page);
});

await test('back to live is live', async () => {
	await page.click('#live');
	await hearsLive(page);
	assert.equal(page.asked.at(-1), null);
	assert.equal(await statusText(page), 'On air');
	await until('it is said', async () => (await page.getAttribute('#live', 'aria-disabled')) === 'true');
	assert.equal(await page.inputValue('#date'), dateOf(Date.now(), ZONE));
	noProblems(page);
});

await test('some steps back from live lead into the past, and a key to live again', async () => {
	await page.evaluate(() => document.activeElement.blur());
	for (let i = 0; i < 4; i++)
		await page.keyboard.press('j');
	const { heard } = await until('the past', async () => {
		const now = await hearing(page);
		return now.heard !== null && !now.paused && now.heard < Date.now() - 100000 && now;
	});
	assert.ok(heard > Date.now() - 160000);
	assert.notEqual(page.asked.at(-1), null);
	await page.keyboard.press('.');
	await hearsLive(page);
	assert.equal(page.asked.at(-1), null);
	noProblems(page);
});

await test('what is to come and what is gone cannot be chosen', async () => {
	const lists = page.asked.length;
	const tomorrow = Date.now() + 26 * HOUR;
	const midnight = instantOf(dateAfter(dateOf(Date.now(), ZONE), 1), '00:00', ZONE);
	if (midnight - Date.now() > 20 * MINUTE) {
		const { x, y } = await placeOf(page, Date.now() + 15 * MINUTE);
		await page.mouse.click(x, y);
		assert.equal(await page.textContent('#pointed'), 'A tap on the day plays from there.');
	}
	assert.ok(await page.isDisabled('#day-after'));
	assert.equal(await page.getAttribute('#date', 'max'), dateOf(Date.now(), ZONE));
	await page.fill('#time', '23:59');
	await page.click('#go');
	await told(page, /is still to come/);
	await page.fill('#date', dateOf(tomorrow, ZONE));
	assert.equal(await page.inputValue('#date'), dateOf(Date.now(), ZONE));
	while (await page.isEnabled('#day-before'))
		await page.click('#day-before');
	assert.equal(await page.inputValue('#date'), dateOf(fixture.kept().from, ZONE));
	if (timeOf(fixture.kept().from, ZONE) > '00:01') {
		await page.fill('#time', '00:00');
		await page.click('#go');
		await told(page, /^The archive begins at \d\d:\d\d/);
	}
	assert.equal(page.asked.length, lists);
	await hearsLive(page);
	noProblems(page);
});
await page.context().close();

await test('a gap is shown, and passed', async () => {
	fixture.gathering.add('harbour');
	const gappy = await open('harbour/');
	await until('the panel', () => gappy.isVisible('#past'));
	await gappy.fill('#date', dateOf(fixture.gap.from, ZONE));
	assert.equal(await gappy.locator('.gap').count(), 0, 'not while it is gathered');
	fixture.gathering.delete('harbour');
	await until('the gap', async () => (await gappy.locator('.gap').count()) === 1);
	assert.deepEqual(gappy.problems.filter((problem) => !/availability\.json/.test(problem)), []);
	await pick(gappy, fixture.gap.from + 10 * MINUTE);
	await hears(gappy, fixture.gap.to - 2000, 2 * SLACK);
	await told(gappy, /^Nothing was recorded at .* goes on at /);
	await gappy.context().close();
});

await test('a link plays from its moment, to the second, after a click', async () => {
	const at = then + 37000;
	const linked = await open(`radio/harbour/#t=${iso(at)}`);
	await says(linked, /^Press play to hear \d\d:\d\d:37/);
	assert.ok((await hearing(linked)).paused);
	await pressPlay(linked);
	assert.ok(await hears(linked, at) >= at - 500);
	assert.ok(fixture.instantOf(linked.segments[0]) > at - 4000);
	assert.deepEqual(linked.asked, [basic(at)]);
	assert.match(linked.segments[0], /\/radio\/harbour\//, 'below the prefix');
	noProblems(linked);
	await linked.evaluate(() => { location.hash = '#t=-90m'; });
	await hears(linked, Date.now() - 90 * MINUTE - 4000, 2 * SLACK);
	assert.equal(linked.asked.at(-1), '-90m', 'the words are the server\'s');
	await linked.click('#live');
	await hearsLive(linked);
	assert.equal(new URL(linked.url()).hash, '');
	noProblems(linked);
	await linked.context().close();
});

await test('a moment that the server refuses is told in words', async () => {
	const refused = await open(`harbour/#t=${iso(fixture.kept().from - 5 * HOUR)}`);
	await says(refused, / is no longer kept\. The archive begins at \d\d:\d\d/);
	assert.equal(await refused.getAttribute('#lamp', 'data-state'), 'error');
	await refused.evaluate((hash) => { location.hash = hash; }, `#t=${iso(Date.now() + 5 * HOUR)}`);
	await says(refused, / is still to come\./);
	await refused.evaluate(() => { location.hash = '#t=teatime'; });
	await says(refused, /does not understand the moment “teatime”/);
	await refused.evaluate((hash) => { location.hash = hash; }, `#t=${iso(fixture.kept().from - 10 * MINUTE)}`);
	await told(refused, /^The archive begins at \d\d:\d\d/);
	await pressPlay(refused);
	await hears(refused, fixture.kept().from, 2 * SLACK);
	await refused.click('#live');
	await hearsLive(refused);
	await refused.context().close();
});

await test('where a list ends the next goes on', async () => {
	const nightly = await open(`night/#t=${iso(then)}`);
	await says(nightly, /^Press play/);
	await pressPlay(nightly);
	await hears(nightly, then);
	const heard = [];
	await until('17 s of sound', async () => {
		const { heard: at } = await hearing(nightly);
		if (at !== null)
			heard.push({ at, seen: Date.now() });
		return at > then + 17000;
	}, 60000);
	for (const [index, { at, seen }] of heard.slice(1).entries()) {
		const step = at - heard[index].at;
		assert.ok(step > -1500 && step < seen - heard[index].seen + 2000, `nothing twice, nothing left out: ${step} ms at ${iso(at)}`);
	}
	assert.ok(nightly.asked.length >= 3, `${nightly.asked}`);
	assert.equal(await nightly.isVisible('#programmes'), false, 'it has none');
	noProblems(nightly);
	await nightly.context().close();
});

await test('a pause is kept in the past, however long', async () => {
	const held = await open('harbour/', DESKTOP, () => {
		// half a minute of a listener is a second here
		const { setTimeout } = globalThis;
		globalThis.setTimeout = (run, ms, ...rest) => setTimeout(run, ms === 30000 ? 1000 : ms, ...rest);
	});
	await until('the panel', () => held.isVisible('#past'));
	await pick(held, then);
	const at = await hears(held, then);
	await pressPlay(held);
	await until('all is let go', () => held.evaluate(() => !document.getElementById('audio').hasAttribute('src')));
	await pressPlay(held);
	await hears(held, at);
	assert.equal(held.asked.length, 2);
	noProblems(held);
	await held.context().close();
});

await test('an outage in the past is overcome there', async () => {
	const cut = await open(`night/#t=${iso(then)}`);
	await says(cut, /^Press play/);
	await pressPlay(cut);
	// it is complete, so its end is known
	await until('all of its list', () => cut.evaluate(() => {
		const { buffered, duration } = document.getElementById('audio');
		return buffered.length > 0 && buffered.end(buffered.length - 1) > duration - 0.3;
	}));
	fixture.refusing.add('night');
	let heard;
	try {
		await says(cut, /no fresh audio at the moment/);
		({ heard } = await hearing(cut));
	} finally {
		fixture.refusing.delete('night');
	}
	await says(cut, /^From the archive/);
	await hears(cut, heard ?? then + 4000, 12000);
	await cut.context().close();
});

await test('a moment is shared by the means that there are', async () => {
	const sharing = await open(`radio/harbour/#t=${iso(then)}`);
	const link = (at) => new RegExp(`^${url}radio/harbour/#t=${iso(at).slice(0, 17)}`);
	await says(sharing, /^Press play/);
	await sharing.evaluate(() => {
		navigator.share = undefined;
		navigator.clipboard.writeText = async (text) => { globalThis.copied = text; };
	});
	await sharing.click('#share');
	await until('the words', async () => (await sharing.textContent('#shared')) === 'The link is copied.');
	assert.match(await sharing.evaluate(() => globalThis.copied), link(then));

	await sharing.evaluate(() => { navigator.clipboard.writeText = async () => { throw new DOMException('no', 'NotAllowedError'); }; });
	await sharing.click('#share');
	await until('the link', () => sharing.isVisible('#link'));
	const selected = await sharing.evaluate(() => {
		const { value, selectionStart, selectionEnd } = document.activeElement;
		return value.slice(selectionStart, selectionEnd);
	});
	assert.match(selected, link(then));

	await sharing.evaluate(() => { navigator.share = async (what) => { globalThis.given = what; }; });
	await sharing.click('#share');
	const given = await until('the system', () => sharing.evaluate(() => globalThis.given));
	assert.match(given.url, link(then));
	assert.equal(given.title, `Harbour Radio: ${titleOf(then)}`);
	assert.equal(await sharing.isVisible('#link'), false);

	// What is given away leads there.
	await sharing.goto('about:blank');
	await sharing.goto(given.url);
	await says(sharing, /^Press play to hear/);
	await pressPlay(sharing);
	await hears(sharing, then);
	noProblems(sharing);
	await sharing.context().close();
});

await test('an origin without an archive plays live', async () => {
	const old = await open('old/harbour/');
	await pressPlay(old);
	await listen(old, 1);
	assert.equal(await statusText(old), 'On air');
	for (const id of ['past', 'moves', 'back', 'forward'])
		assert.equal(await old.isVisible(`#${id}`), false, id);
	await old.keyboard.press('j');
	await hearsLive(old);
	assert.deepEqual(old.asked, [null]);
	noProblems(old);
	await old.context().close();
});

await test('another station has another past', async () => {
	const other = await open('harbour/', PHONE);
	await until('the panel', () => other.isVisible('#past'));
	await other.tap('#day-before');
	await pick(other, then);
	await hears(other, then);
	await picture(other, 'past-phone');
	assert.equal(await overhang(other), 0);
	const { x, y } = await placeOf(other, then + 10 * MINUTE);
	await other.touchscreen.tap(x, y);
	await hears(other, then + 8 * MINUTE, 4 * MINUTE);
	await chooseStation(other, 'night');
	await hearsLive(other);
	assert.equal(other.asked.at(-1), null);
	assert.equal(await other.isVisible('#programme'), false);
	assert.match(await other.getAttribute('#strip', 'aria-valuetext'), new RegExp(`^${timeOf(Date.now(), 'America/New_York').slice(0, 2)}`));
	await chooseStation(other, 'annexe');
	await until('no past', async () => !await other.isVisible('#past'));
	await other.setViewportSize({ width: 320, height: 560 });
	await chooseStation(other, 'harbour');
	await until('the panel', () => other.isVisible('#past'));
	assert.equal(await overhang(other), 0);
	noProblems(other);
	await other.context().close();
});

async function picture(shown, name) {
	if (process.env.SCREENSHOTS)
		await shown.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

await browser.close();
await fixture.close();
end();
