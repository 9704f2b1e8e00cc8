// What a listener does on the player page, in a real browser, and what is then to be heard.

import { chromium } from 'playwright-core';

const POLL_MS = 100;

export const DESKTOP = { viewport: { width: 1280, height: 800 }, locale: 'en-GB' };
export const PHONE = { viewport: { width: 360, height: 740 }, locale: 'en-GB', isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

// A browser with a profile of its own that is removed with it. Sound goes nowhere, and needs a click to start.
export function launchBrowser() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync'],
	});
}

// Opens `url`; everything that goes wrong in the page from then on is appended to `page.problems`, a list of strings.
// `before`, a function, is run in the page ahead of its own scripts.
export async function openPage(browser, url, options = DESKTOP, before = () => {}) {
	const context = await browser.newContext(options);
	const page = await context.newPage();

	page.problems = [];
	page.on('console', (message) => {
		if (message.type() === 'error' || message.type() === 'warning')
			page.problems.push(`console: ${message.text()} (${message.location().url})`);
	});
	page.on('pageerror', (error) => page.problems.push(`exception: ${error.stack}`));
	// A request that was called off, as at a change of station, is not a failure.
	page.on('requestfailed', (request) => {
		if (request.failure().errorText !== 'net::ERR_ABORTED')
			page.problems.push(`request: ${request.url()} ${request.failure().errorText}`);
	});
	page.on('response', (response) => {
		if (response.status() >= 400)
			page.problems.push(`response: ${response.url()} ${response.status()}`);
	});
	await page.exposeFunction('noteProblem', (text) => page.problems.push(text));
	await page.addInitScript(() => {
		// Errors of media elements do not bubble, so they are caught on their way down.
		addEventListener('error', (event) => {
			if (event.target instanceof HTMLMediaElement && event.target.error)
				globalThis.noteProblem(`audio: ${event.target.error.message}`);
		}, true);
		addEventListener('securitypolicyviolation', (event) => {
			globalThis.noteProblem(`policy: ${event.violatedDirective} ${event.blockedURI}`);
		});
	});
	await page.addInitScript(before);
	await page.goto(url);
	return page;
}

// Waits till `look()` gives something true and returns that; after `timeout` ms an error says what was waited for.
export async function until(what, look, timeout = 20000) {
	const deadline = Date.now() + timeout;

	for (;;) {
		const seen = await look();
		if (seen)
			return seen;
		if (Date.now() > deadline)
			throw new Error(`${timeout} ms have passed without: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
	}
}

// The stations as the page lists them: [{ name, title, note, current }].
export function listedStations(page) {
	return page.locator('#stations a').evaluateAll((links) => links.map((link) => ({
		name: link.dataset.name,
		title: link.querySelector('.station-title').textContent,
		note: link.querySelector('.station-note').textContent,
		current: link.getAttribute('aria-current') === 'true',
	})));
}

export function chooseStation(page, name) {
	return page.click(`#stations a[data-name="${name}"]`);
}

export function pressPlay(page) {
	return page.click('#play');
}

export function statusText(page) {
	return page.textContent('#status');
}

// What the audio element does now; `heard` is the wall-clock time shown in ms since 1970, or null.
export function hearing(page) {
	return page.evaluate(() => {
		const audio = document.getElementById('audio');
		const { buffered } = audio;
		return {
			position: audio.currentTime,
			buffered: buffered.length ? buffered.end(buffered.length - 1) : 0,
			paused: audio.paused,
			muted: audio.muted,
			volume: audio.volume,
			decoded: audio.webkitAudioDecodedByteCount ?? null,
			error: audio.error?.message ?? null,
			heard: Date.parse(document.getElementById('clock').dateTime) || null,
		};
	});
}

// Listens until `seconds` of sound have been played from now on. Returns { before, after }, both as of hearing().
export async function listen(page, seconds, timeout = 30000 + seconds * 1000) {
	const before = await until('sound that moves', async () => {
		const now = await hearing(page);
		return !now.paused && now.position > 0 && now.buffered > 0 && now;
	}, timeout);
	const after = await until(`${seconds} s of sound`, async () => {
		const now = await hearing(page);
		return now.position - before.position > seconds && now;
	}, timeout);
	return { before, after };
}

// By how many CSS pixels the page is wider than its window.
export function overhang(page) {
	return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

// The stations of an origin as stations.json gives them.
export async function fetchStations(url) {
	const answer = await fetch(new URL('stations.json', url));
	return (await answer.json()).stations;
}
