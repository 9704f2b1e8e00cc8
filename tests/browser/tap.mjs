// The outcome of tests that run one after the other, as TAP.

export function startTap() {
	let count = 0;
	let failed = 0;

	return {
		async test(name, run) {
			count += 1;
			try {
				await run();
				console.log(`ok ${count} - ${name}`);
			} catch (error) {
				failed += 1;
				console.log(`not ok ${count} - ${name}`);
				console.log(String(error.stack).replace(/^/gm, '# '));
			}
		},
		skip(name, why) {
			count += 1;
			console.log(`ok ${count} - ${name} # SKIP ${why}`);
		},
		// Sets the exit status, too.
		end() {
			console.log(`1..${count}`);
			process.exitCode = failed ? 1 : 0;
		},
	};
}
