/* Which kind of AAC the frames of an ADTS stream are. */
#include "segmenter/input/aac_profile.h"

#include <errno.h>
#include <neaacdec.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "media/adts.h"

#define SBR_RATE_MAX 24000      /* of the core decoder */
#define WAIT_NS (10 * NS_PER_S) /* long, for a busy machine: hostile streams are bounded by CPU time */
#define CHILD_CPU_SECONDS 2
#define CHILD_MEMORY (256 * 1024 * 1024)
#define ANSWER '0' /* + enum aac_profile */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITISED 1 /* they reserve terabytes of addresses and read /proc */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITISED 1
#endif
#endif
#ifndef SANITISED
#define SANITISED 0
#endif

/* --- the decoding process --- */

static void
limit(int resource, rlim_t value)
{
	setrlimit(resource, &(struct rlimit){ value, value });
}

static bool
read_all(void *data, size_t len)
{
	for (uint8_t *p = data; len > 0;) {
		ssize_t n = read(STDIN_FILENO, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
read_frame(uint8_t frame[static ADTS_FRAME_MAX], uint32_t *len)
{
	return read_all(len, sizeof(*len)) && *len <= ADTS_FRAME_MAX && read_all(frame, *len);
}

/* Decode what comes in; -1 when not a single frame can be decoded. */
static int
decode(NeAACDecHandle decoder, enum aac_profile *profile)
{
	uint8_t frame[ADTS_FRAME_MAX];
	uint32_t len;
	bool begun = false, decoded = false, sbr = false, ps = false;

	while (!(sbr && ps) && read_frame(frame, &len)) {
		NeAACDecFrameInfo info;
		unsigned long rate;
		unsigned char channels;
		if (!begun)
			begun = NeAACDecInit(decoder, frame, len, &rate, &channels) >= 0;
		if (!begun)
			continue;
		NeAACDecDecode(decoder, &info, frame, len);
		if (info.error != 0)
			continue;
		decoded = true;
		sbr = sbr || info.sbr == SBR_UPSAMPLED || info.sbr == SBR_DOWNSAMPLED;
		ps = ps || info.ps;
	}
	*profile = !sbr ? AAC_LC : ps ? AAC_HE_V2 : AAC_HE;
	return decoded ? 0 : -1;
}

int
aac_profile_child_main(void)
{
	enum aac_profile profile = AAC_LC;

	limit(RLIMIT_CPU, CHILD_CPU_SECONDS);
	limit(RLIMIT_CORE, 0);
	if (!SANITISED) {
		limit(RLIMIT_NOFILE, 0);
		limit(RLIMIT_AS, CHILD_MEMORY);
	}
	NeAACDecHandle decoder = NeAACDecOpen();
	if (!decoder)
		return 1;
	int rc = decode(decoder, &profile);
	NeAACDecClose(decoder);
	uint8_t answer = (uint8_t)(ANSWER + profile);
	return rc == 0 && write(STDOUT_FILENO, &answer, 1) == 1 ? 0 : 1;
}

/* --- the caller's side --- */

/* Start it with `fd` as standard input and output, no other file, and signals as a new program expects them. */
static int
spawn(int fd, pid_t *pid)
{
	static char name[] = AAC_PROFILE_CHILD;
	char *const argv[] = { name, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	if (posix_spawn_file_actions_init(&files) != 0)
		return -1;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return -1;
	}
	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO);
	rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	rc = rc ? rc : posix_spawnattr_setsigmask(&attr, &none);
	rc = rc ? rc : posix_spawnattr_setsigdefault(&attr, &all);
	rc = rc ? rc : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = rc ? rc : posix_spawn(pid, "/proc/self/exe", &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc ? -1 : 0;
}

/* Wait until `fd` is ready for `events`; false when the time is over. */
static bool
ready(int fd, short events, struct mono deadline)
{
	for (;;) {
		int64_t left = deadline.ns - clock_mono_now().ns;
		if (left <= 0)
			return false;
		struct pollfd p = { .fd = fd, .events = events };
		int n = poll(&p, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static bool
would_block(void)
{
	return errno == EINTR || errno == EAGAIN;
}

/* False when the other side is gone or the time is over. */
static bool
send_all(int fd, const void *data, size_t len, struct mono deadline)
{
	for (const uint8_t *p = data; len > 0;) {
		if (!ready(fd, POLLOUT, deadline))
			return false;
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && !would_block())
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static int
receive_answer(int fd, struct mono deadline, enum aac_profile *out)
{
	uint8_t answer;
	ssize_t n;

	do {
		if (!ready(fd, POLLIN, deadline))
			return -1;
		n = recv(fd, &answer, 1, MSG_DONTWAIT);
	} while (n < 0 && would_block());
	if (n != 1 || answer < ANSWER + AAC_LC || answer > ANSWER + AAC_HE_V2)
		return -1;
	*out = (enum aac_profile)(answer - ANSWER);
	return 0;
}

static int
ask(int fd, const uint8_t *const frames[], const uint32_t lens[], size_t n, enum aac_profile *out)
{
	struct mono deadline = { clock_mono_now().ns + WAIT_NS };

	/* The process reads no further than it needs, so that sending fails is no failure: it may have its answer. */
	for (size_t i = 0; i < n; i++)
		if (!send_all(fd, &lens[i], sizeof(lens[i]), deadline) || !send_all(fd, frames[i], lens[i], deadline))
			break;
	shutdown(fd, SHUT_WR);
	return receive_answer(fd, deadline, out);
}

static int
decode_apart(const uint8_t *const frames[], const uint32_t lens[], size_t n, enum aac_profile *out)
{
	int fd[2], rc = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		return -1;
	bool started = spawn(fd[1], &pid) == 0;
	close(fd[1]);
	if (started) {
		rc = ask(fd[0], frames, lens, n, out);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(fd[0]);
	return rc;
}

int
aac_profile_detect(const uint8_t *const frames[], const uint32_t lens[], size_t n, enum aac_profile *out)
{
	struct adts first;
	struct audio_format format;

	if (n == 0 || lens[0] < ADTS_HEADER || adts_parse(frames[0], &first) < 0)
		return -1;
	adts_format(first.key, &format);
	if (format.rate > SBR_RATE_MAX) {
		*out = AAC_LC;
		return 0;
	}
	return decode_apart(frames, lens, n, out);
}
