// When to try again: soon at first, then less and less often, and never all listeners at the same moment.

const FIRST_MS = 1000;
const LONGEST_MS = 30000;

export class Recovery {
	#timer = 0;
	#attempts = 0;
	#again = null;

	// Calls `again` once, after a while that doubles from failure to failure. A later call replaces an earlier one.
	schedule(again) {
		const full = Math.min(FIRST_MS * 2 ** this.#attempts, LONGEST_MS);

		this.cancel();
		this.#attempts += 1;
		this.#again = again;
		this.#timer = setTimeout(() => this.now(), full * (0.75 + 0.5 * Math.random()));
	}

	get pending() {
		return this.#again !== null;
	}

	// What waits is done at once: the network is back, or the listener asks.
	now() {
		const again = this.#again;

		this.cancel();
		again?.();
	}

	cancel() {
		clearTimeout(this.#timer);
		this.#again = null;
	}

	// It plays: the next failure is the first again.
	succeeded() {
		this.cancel();
		this.#attempts = 0;
	}
}
