// The player page in Chromium, as a listener uses it. Prints TAP.
//
// ORIGIN_URL=http://host:port/ tries the page of a running origin; without it a stand-in is started.
// SCREENSHOTS=directory keeps pictures of the page.

import assert from 'node:assert/strict';
import path from 'node:path';

import { startFixture } from '../browser/fixture.mjs';
import {
	DESKTOP, PHONE, chooseStation, fetchStations, hearing, launchBrowser, listen, listedStations, openPage, overhang, pressPlay,
	statusText, until,
} from '../browser/steps.mjs';
import { startTap } from '../browser/tap.mjs';

const fixture = process.env.ORIGIN_URL ? null : await startFixture();
const url = new URL(process.env.ORIGIN_URL ?? fixture.url).href;
const browser = await launchBrowser();
const { test, skip, end } = startTap();

async function picture(page, name) {
	if (process.env.SCREENSHOTS)
		await page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

// The lists of `name` are refused while `run` runs.
async function refusing(name, run) {
	fixture.refusing.add(name);
	try {
		await run();
	} finally {
		fixture.refusing.delete(name);
	}
}

function noProblems(page) {
	assert.deepEqual(page.problems, []);
}

const stations = await fetchStations(url);
const live = stations.filter((station) => station.live);
const waiting = stations.filter((station) => !station.live);
const [first, second] = live;
const page = await openPage(browser, url);

await test('the stations are listed, each with its state', async () => {
	const listed = await until('a list of stations', async () => (await listedStations(page)).length > 0 && listedStations(page));
	assert.deepEqual(listed.map(({ name, title, note }) => ({ name, title, note })), stations.map((station) => ({
		name: station.name, title: station.title, note: station.live ? 'On air' : 'Waiting for its encoder',
	})));
	assert.equal(await page.textContent('#title'), first.title);
	assert.ok((await hearing(page)).paused, 'nothing plays by itself');
});

await test('a click on play is heard', async () => {
	await pressPlay(page);
	// a segment of 6 s and how long hls.js may take to ask for it
	const { before, after } = await listen(page, 10);
	assert.ok(after.position - before.position > 9);
	assert.ok(after.buffered > before.buffered, `buffered ${before.buffered} to ${after.buffered}`);
	assert.ok(after.decoded === null || after.decoded > before.decoded, 'audio is decoded');
	assert.equal(await statusText(page), 'On air');
	noProblems(page);
});

await test('the clock shows the time that is heard', async () => {
	const start = await hearing(page);
	const late = Date.now() - start.heard;
	assert.ok(late > 0 && late < 90000, `${late} ms behind`);
	const { after } = await listen(page, 2);
	assert.ok(Math.abs((after.heard - start.heard) / 1000 - (after.position - start.position)) < 1.5, 'it goes as the sound goes');
	const shown = new Intl.DateTimeFormat('en-GB', { timeZone: first.timezone, hour: '2-digit', minute: '2-digit' });
	assert.match(await page.textContent('#clock'), new RegExp(`^(${shown.format(after.heard)}|${shown.format(after.heard + 1000)})`));
	await picture(page, 'desktop');
});

await test('pause holds the sound and play goes on with it', async () => {
	await pressPlay(page);
	await until('a pause', async () => (await hearing(page)).paused);
	assert.equal(await statusText(page), 'Paused');
	const held = await hearing(page);
	await pressPlay(page);
	const { after } = await listen(page, 1);
	assert.ok(after.position - held.position < 5, 'from where it was');
});

await test('space plays and pauses, m mutes', async () => {
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press('Space');
	assert.ok((await hearing(page)).paused);
	await page.keyboard.press('Space');
	await listen(page, 1);
	await page.keyboard.press('m');
	assert.ok((await hearing(page)).muted);
	assert.equal(await page.getAttribute('#mute', 'aria-pressed'), 'true');
	assert.match(await statusText(page), /muted/);
	await page.keyboard.press('m');
	assert.ok(!(await hearing(page)).muted);
});

await test('everything is reached and named with the keyboard alone', async () => {
	const nameOf = (element) => element.id || element.dataset.name || element.value;
	const there = await page.evaluate((name) => [...document.querySelectorAll('button, select, input, a, [tabindex="0"]')]
		.filter((element) => element.checkVisibility() && !element.disabled).map((element) => eval(name)(element)), `(${nameOf})`);
	const names = ['quality'];
	await page.focus('#quality');
	while (names.at(-1) !== stations.at(-1).name && names.length < 2 * there.length + 20) {
		await page.keyboard.press('Tab');
		names.push(await page.evaluate((name) => eval(name)(document.activeElement), `(${nameOf})`));
	}
	// Date and time are of several parts.
	assert.deepEqual(names.filter((name, index) => name !== names[index - 1]), there);
	for (const name of ['play', 'mute', 'volume', ...stations.map((station) => station.name)])
		assert.ok(there.includes(name), name);
	for (const [role, name] of [['combobox', 'Quality'], ['button', 'Pause'], ['button', 'Mute'], ['slider', 'Volume']])
		assert.equal(await page.getByRole(role, { name, exact: true }).count(), 1, `${role} ${name}`);
	await page.focus('#play');
	await page.keyboard.press('Space');
	assert.ok((await hearing(page)).paused, 'space on the button is one press, not two');
	await page.keyboard.press('Enter');
	await listen(page, 1);
});

if (first.renditions.length > 1) {
	await test('each quality can be chosen and is heard', async () => {
		for (const rendition of first.renditions) {
			const asked = page.waitForRequest((request) => request.url().startsWith(new URL(rendition.url, url).href.replace('index.m3u8', '')) &&
				!request.url().includes('index.m3u8'), { timeout: 20000 });
			await page.selectOption('#quality', rendition.name);
			await asked;
			await listen(page, 2);
		}
		await page.selectOption('#quality', '');
		await until('the rendition that auto chose', async () => /^Auto \(.+\)$/.test(await page.textContent('#quality option')));
	});
} else {
	skip('each quality can be chosen and is heard', 'one rendition only');
}

if (second) {
	await test('another station is tuned to with one click', async () => {
		await chooseStation(page, second.name);
		await until('its title', async () => (await page.textContent('#title')) === second.title);
		await listen(page, 3);
		assert.equal(page.url(), new URL(`${second.name}/`, url).href);
		assert.deepEqual((await listedStations(page)).filter(({ current }) => current).map(({ name }) => name), [second.name]);
		assert.equal(await page.evaluate(() => navigator.mediaSession.metadata.title), second.title);
	});

	await test('back leads to the station before', async () => {
		await page.goBack();
		await until('its title', async () => (await page.textContent('#title')) === first.title);
		await listen(page, 1);
	});
} else {
	skip('another station is tuned to with one click', 'one station is live');
	skip('back leads to the station before', 'one station is live');
}

if (waiting.length) {
	await test('a station that waits says so, and is silent', async () => {
		await chooseStation(page, waiting[0].name);
		await until('its text', async () => /waiting for its encoder/.test(await statusText(page)));
		assert.equal(await page.getAttribute('#clock', 'datetime'), null);
		assert.ok((await hearing(page)).paused);
		await picture(page, 'waiting');
	});
} else {
	skip('a station that waits says so, and is silent', 'all stations are live');
}

await test('nothing went wrong in the page all the while', () => noProblems(page));

if (fixture) {
	await test('a station that waits plays when its encoder comes', async () => {
		fixture.stations[2].live = true;
		await page.evaluate(() => dispatchEvent(new Event('online')));
		await listen(page, 1);
		fixture.stations[2].live = false;
		noProblems(page);
	});

	await test('a refusal is told in words, and playing goes on by itself', async () => {
		await refusing(first.name, async () => {
			await chooseStation(page, first.name);
			await until('the words', async () => /no fresh audio at the moment/.test(await statusText(page)));
			assert.equal(await page.getAttribute('#lamp', 'data-state'), 'error');
		});
		await listen(page, 1);
		assert.equal(await statusText(page), 'On air');
	});

	await test('an outage in mid-play is overcome', async () => {
		await refusing(first.name, () =>
			until('the words', async () => /no fresh audio at the moment/.test(await statusText(page)), 60000));
		await until('the end of it', async () => (await statusText(page)) === 'On air', 60000);
		const { after } = await listen(page, 3);
		assert.ok(Date.now() - after.heard < 60000, 'it is live');
	});
}
await page.context().close();

await test('a station has an address of its own', async () => {
	const own = await openPage(browser, new URL(`${live.at(-1).name}/`, url).href);
	await until('its title', async () => (await own.textContent('#title')) === live.at(-1).title);
	await pressPlay(own);
	await listen(own, 1);
	noProblems(own);
	await own.context().close();
});

if (fixture) {
	await test('the page works below a path prefix', async () => {
		const below = await openPage(browser, new URL('radio/night/', url).href);
		await until('its title', async () => (await below.textContent('#title')) === 'Night Service');
		await pressPlay(below);
		await listen(below, 1);
		await chooseStation(below, 'harbour');
		await listen(below, 1);
		assert.equal(below.url(), new URL('radio/harbour/', url).href);
		noProblems(below);
		await below.context().close();
	});
}

await test('without Media Source Extensions the browser plays it itself', async () => {
	const plain = await openPage(browser, url, DESKTOP, () => {
		delete globalThis.MediaSource;
		delete globalThis.ManagedMediaSource;
	});
	await until('a list of stations', async () => (await listedStations(plain)).length > 0);
	const plays = await plain.evaluate(() => document.createElement('audio').canPlayType('application/vnd.apple.mpegurl'));
	if (plays) {
		await pressPlay(plain);
		await listen(plain, 2);
		await pressPlay(plain);
		assert.equal(await statusText(plain), 'Paused');
		noProblems(plain);
	} else {
		await until('the words', async () => /cannot play live radio/.test(await statusText(plain)));
	}
	await plain.context().close();
});

await test('it fits a phone, in the dark too', async () => {
	const phone = await openPage(browser, url, { ...PHONE, colorScheme: 'dark' });
	await until('a list of stations', async () => (await listedStations(phone)).length === stations.length);
	await phone.tap('#play');
	await listen(phone, 2);
	assert.equal(await overhang(phone), 0);
	const archived = await phone.isVisible('#past');
	const targets = ['#play', '#quality', '#mute', '#stations a'];
	if (archived)
		targets.push('#back', '#forward', '#live', '#share', '#day-before', '#date', '#time', '#go', '#clock-times button', '#strip');
	for (const target of targets) {
		const { width, height } = await phone.locator(target).first().boundingBox();
		assert.ok(width >= 44 && height >= 44, `${target} is ${width} by ${height}`);
	}
	await picture(phone, 'phone-dark');
	noProblems(phone);
	await phone.setViewportSize({ width: 320, height: 560 });
	assert.equal(await overhang(phone), 0);
	await phone.context().close();
});

if (process.env.SCREENSHOTS) {
	for (const [name, options] of [['phone-light', PHONE], ['desktop-dark', { ...DESKTOP, colorScheme: 'dark' }]]) {
		const shot = await openPage(browser, url, options);
		await until('a list of stations', async () => (await listedStations(shot)).length > 0);
		await pressPlay(shot);
		await listen(shot, 2);
		await picture(shot, name);
		await shot.context().close();
	}
}

await browser.close();
await fixture?.close();
end();
