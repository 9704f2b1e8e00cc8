// Listens to stations of a running origin on the player page, all at the same time.
//     node listen.mjs URL STATION:SECONDS...
// Prints `playing STATION` when sound comes from one, and in the end a JSON object a station: what was played, and all that
// went wrong.

import { hearing, launchBrowser, openPage, pressPlay, until } from './steps.mjs';

const POLL_MS = 250;

const [url, ...wanted] = process.argv.slice(2);
const browser = await launchBrowser();

// Plays one station for `seconds` of time. `errors`: what the page told the listener, when it was an error.
async function listenTo(name, seconds) {
	const page = await openPage(browser, new URL(`${name}/`, url).href);
	const told = { station: name, played: 0, rested: 0, buffered: 0, decoded: 0, errors: [], problems: page.problems };

	try {
		await until('a station that can be played', async () => (await page.textContent('#title')) && page.isEnabled('#play'));
		await pressPlay(page);
		const start = await until('sound', async () => {
			const now = await hearing(page);
			return now.position > 0 && now.buffered > 0 && now;
		}, 60000);
		console.log(`playing ${name}`);
		const end = Date.now() + seconds * 1000;
		let last = start;
		let moved = Date.now();
		while (Date.now() < end) {
			await new Promise((resolve) => setTimeout(resolve, POLL_MS));
			const now = await hearing(page);
			// A jump over a gap is no playing.
			const step = now.position - last.position;
			told.played += step > 0 && step < 2 ? step : 0;
			if (step > 0)
				moved = Date.now();
			told.rested = Math.max(told.rested, (Date.now() - moved) / 1000);
			if (await page.getAttribute('#lamp', 'data-state') === 'error')
				told.errors.push(`at ${now.position.toFixed(1)} s: ${await page.textContent('#status')}`);
			last = now;
		}
		told.late = last.heard === null ? null : (Date.now() - last.heard) / 1000;
		told.buffered = last.buffered - start.buffered;
		told.decoded = last.decoded - start.decoded;
		told.resting = (Date.now() - moved) / 1000;
	} catch (error) {
		told.errors.push(String(error));
	}
	await page.context().close();
	return told;
}

const told = await Promise.all(wanted.map((each) => {
	const [name, seconds] = each.split(':');
	return listenTo(name, Number(seconds));
}));
for (const line of told)
	console.log(JSON.stringify(line));
await browser.close();
