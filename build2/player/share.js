// Giving a link away: by what the system offers, else by the clipboard, else to be copied by hand.

// Tries the ways in this order. Returns 'shared', 'dropped' (the listener thought better of it), 'copied', or 'shown': neither
// was possible.
export async function share(title, url) {
	if (navigator.share) {
		try {
			await navigator.share({ title, url });
			return 'shared';
		} catch (error) {
			if (error.name === 'AbortError')
				return 'dropped';
		}
	}
	try {
		await navigator.clipboard.writeText(url);
		return 'copied';
	} catch {
		// No secure page, or not allowed.
		return 'shown';
	}
}
