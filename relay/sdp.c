/* Reading session descriptions (RFC 8866) of third parties' streams. */
#include "relay/sdp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include "base/text.h"
#include "media/ticks.h"
#include "relay/asc.h"

#define TYPES 128
#define CONFIG_MAX 64

/* A piece of the text. */
struct slice {
	const char *p;
	size_t len;
};

enum coding { CODING_NONE, CODING_AAC, CODING_MPA, CODING_OTHER };

/* What is said of a payload type. */
struct coded {
	enum coding coding;
	struct slice name; /* of CODING_OTHER */
	uint32_t clock;
	unsigned rtpmap_line, fmtp_line;
	bool config, hbr; /* fmtp said them, as we want them */
	struct audio_format format;
};

struct reader {
	struct text *why;
	unsigned line;
	bool failed;
	bool in_media, in_audio, session_connection, media_connection;
	unsigned media_line;
	uint8_t types[16]; /* of the m= line, in order */
	unsigned type_count;
	struct coded coded[TYPES];
	bool rtcp_mux;
	struct sdp out;
};

__attribute__((format(printf, 3, 4))) static void
fail_at(struct reader *r, unsigned line, const char *fmt, ...)
{
	va_list ap;

	if (r->failed)
		return;
	r->failed = true;
	text_fmt(r->why, "line %u: ", line);
	va_start(ap, fmt);
	text_vfmt(r->why, fmt, ap);
	va_end(ap);
}

#define FAIL(r, ...) fail_at(r, (r)->line, __VA_ARGS__)
#define SLICE(s) (int)((s).len < 100 ? (s).len : 100), (s).p

/* ---- words */

static bool
is(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.p, word, s.len) == 0;
}

static bool
begins(struct slice *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->len < n || memcmp(s->p, prefix, n) != 0)
		return false;
	s->p += n;
	s->len -= n;
	return true;
}

/* The part up to any of `stops`, which is passed over together with those that follow at once. */
static struct slice
word(struct slice *s, const char *stops)
{
	struct slice out = { s->p, 0 };

	while (s->len > 0 && !strchr(stops, *s->p)) {
		s->p++;
		s->len--;
		out.len++;
	}
	while (s->len > 0 && strchr(stops, *s->p)) {
		s->p++;
		s->len--;
	}
	return out;
}

/* A decimal number up to `max`; -1 when it is none. */
static int64_t
number(struct slice s, int64_t max)
{
	int64_t v = 0;

	if (s.len == 0 || s.len > 10)
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v <= max ? v : -1;
}

static bool
copy_address(struct slice s, char out[static SDP_ADDRESS_MAX])
{
	if (s.len == 0 || s.len >= SDP_ADDRESS_MAX)
		return false;
	memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return true;
}

/* ---- lines */

/* "IN IP4 239.9.9.1/16" */
static void
read_connection(struct reader *r, struct slice s)
{
	struct slice net = word(&s, " "), type = word(&s, " "), address = word(&s, "/");
	bool v6 = is(type, "IP6");
	uint8_t raw[16];
	char text[SDP_ADDRESS_MAX];

	if (r->in_media && !r->in_audio)
		return;
	if (!is(net, "IN") || (!v6 && !is(type, "IP4"))) {
		FAIL(r, "want \"c=IN IP4 ADDRESS\" or \"c=IN IP6 ADDRESS\"");
		return;
	}
	if (!copy_address(address, text) || inet_pton(v6 ? AF_INET6 : AF_INET, text, raw) != 1) {
		FAIL(r, "\"%.*s\" is no numeric %s address", SLICE(address), v6 ? "IPv6" : "IPv4");
		return;
	}
	memcpy(r->out.address, text, sizeof(text));
	r->out.ipv6 = v6;
	r->out.multicast = v6 ? raw[0] == 0xff : raw[0] >> 4 == 14;
	int64_t ttl = v6 ? -1 : number(word(&s, "/"), 255);
	r->out.ttl = ttl > 0 ? (uint8_t)ttl : 0;
	if (r->in_audio)
		r->media_connection = true;
	else
		r->session_connection = true;
}

/* "audio 5004 RTP/AVP 96 14" */
static void
read_media(struct reader *r, struct slice s)
{
	struct slice kind = word(&s, " "), port = word(&s, " "), profile = word(&s, " ");

	r->in_media = true;
	r->in_audio = is(kind, "audio");
	if (!r->in_audio)
		return;
	if (r->media_line) {
		FAIL(r, "there is a second audio stream: leave only the one that is wanted");
		return;
	}
	r->media_line = r->line;
	int64_t n = number(word(&port, "/"), UINT16_MAX);
	if (n < 1) {
		FAIL(r, "want a port from 1 to 65535 after \"audio\"");
	} else if (is(profile, "RTP/SAVP") || is(profile, "RTP/SAVPF")) {
		FAIL(r,
		    "the stream is encrypted with keys that are not known here: have it sent in the clear, as RTP/AVP");
	} else if (!is(profile, "RTP/AVP") && !is(profile, "RTP/AVPF")) {
		FAIL(r, "\"%.*s\" is not taken, want RTP/AVP", SLICE(profile));
	}
	r->out.port = (uint16_t)(n > 0 ? n : 0);
	while (s.len > 0 && r->type_count < sizeof(r->types)) {
		int64_t type = number(word(&s, " "), TYPES - 1);
		if (type < 0)
			FAIL(r, "payload types are numbers from 0 to 127");
		else
			r->types[r->type_count++] = (uint8_t)type;
	}
}

/* "96 mpeg4-generic/44100/2" */
static void
read_rtpmap(struct reader *r, struct slice s)
{
	int64_t type = number(word(&s, " "), TYPES - 1);
	struct slice name = word(&s, "/");
	int64_t clock = number(word(&s, "/"), INT32_MAX);

	if (type < 0 || clock < 1) {
		FAIL(r, "want \"a=rtpmap:TYPE NAME/CLOCK\"");
		return;
	}
	struct coded *c = &r->coded[type];
	c->rtpmap_line = r->line;
	c->clock = (uint32_t)clock;
	c->name = name;
	c->coding = is(name, "mpeg4-generic") ? CODING_AAC : is(name, "MPA") ? CODING_MPA : CODING_OTHER;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
read_config(struct reader *r, struct slice s, struct coded *c)
{
	uint8_t bytes[CONFIG_MAX];
	size_t n = s.len / 2;

	if (s.len % 2 != 0 || n > sizeof(bytes)) {
		FAIL(r, "config= is not hexadecimal");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);
		if (high < 0 || low < 0) {
			FAIL(r, "config= is not hexadecimal");
			return;
		}
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	int error = asc_parse(bytes, n, &c->format);
	if (error)
		FAIL(r, "config=%.*s is not taken: %s", SLICE(s), asc_error_text(error));
	c->config = !error;
}

static void
read_parameter(struct reader *r, struct slice name, struct slice value, struct coded *c)
{
	if (is(name, "config"))
		read_config(r, value, c);
	else if (is(name, "mode") && !is(value, "AAC-hbr"))
		FAIL(r, "mode=%.*s is not taken, have the sender use mode=AAC-hbr", SLICE(value));
	else if (is(name, "mode"))
		c->hbr = true;
	else if (is(name, "sizelength") && number(value, 32) != 13)
		FAIL(r, "sizelength=%.*s is not taken, AAC-hbr has 13", SLICE(value));
	else if ((is(name, "indexlength") || is(name, "indexdeltalength")) && number(value, 32) != 3)
		FAIL(r, "%.*s=%.*s is not taken, AAC-hbr has 3", SLICE(name), SLICE(value));
	else if (is(name, "maxDisplacement") && number(value, UINT32_MAX) != 0)
		FAIL(r, "the stream is interleaved (maxDisplacement): have the sender send frames in order");
}

/* "96 streamtype=5; mode=AAC-hbr; ..." */
static void
read_fmtp(struct reader *r, struct slice s)
{
	int64_t type = number(word(&s, " "), TYPES - 1);

	if (type < 0) {
		FAIL(r, "want \"a=fmtp:TYPE NAME=VALUE;...\"");
		return;
	}
	r->coded[type].fmtp_line = r->line;
	if (r->coded[type].coding != CODING_AAC)
		return;
	while (s.len > 0) {
		struct slice value = word(&s, "; "), name = word(&value, "=");
		read_parameter(r, name, value, &r->coded[type]);
	}
}

/* "3/recvonly urn:..." */
static void
read_extmap(struct reader *r, struct slice s)
{
	struct slice head = word(&s, " "), uri = word(&s, " ");
	int64_t id = number(word(&head, "/"), 255);

	if (id < 1) {
		FAIL(r, "want \"a=extmap:ID URI\" with an id from 1 to 255");
		return;
	}
	if (id >= RTP_IDS)
		return;
	if (is(uri, SDP_URI_WALL))
		r->out.id_wall = (uint8_t)id;
	else if (is(uri, SDP_URI_MID))
		r->out.id_mid = (uint8_t)id;
	else if (is(uri, SDP_URI_RID))
		r->out.id_rid = (uint8_t)id;
}

/* " incl IN IP4 239.9.9.1 10.0.0.1" (RFC 4570) */
static void
read_source(struct reader *r, struct slice s)
{
	uint8_t raw[16];

	word(&s, " ");
	struct slice mode = word(&s, " "), net = word(&s, " "), type = word(&s, " ");
	word(&s, " "); /* destination */
	struct slice source = word(&s, " ");
	if (!is(mode, "incl") || s.len > 0 || !is(net, "IN") || !copy_address(source, r->out.source) ||
	    inet_pton(is(type, "IP6") ? AF_INET6 : AF_INET, r->out.source, raw) != 1)
		FAIL(r, "want \"a=source-filter: incl IN IP4 GROUP SENDER\" with one sender");
}

static void
read_attribute(struct reader *r, struct slice s)
{
	if (r->in_media && !r->in_audio)
		return;
	if (begins(&s, "rtpmap:"))
		read_rtpmap(r, s);
	else if (begins(&s, "fmtp:"))
		read_fmtp(r, s);
	else if (begins(&s, "extmap:"))
		read_extmap(r, s);
	else if (begins(&s, "source-filter:"))
		read_source(r, s);
	else if (is(s, "rtcp-mux"))
		r->rtcp_mux = true;
	else if (begins(&s, "rtcp:")) {
		int64_t port = number(word(&s, " "), UINT16_MAX);
		r->out.rtcp_port = (uint16_t)(port > 0 ? port : 0);
	} else if (begins(&s, "ssrc:")) {
		int64_t ssrc = number(word(&s, " "), UINT32_MAX);
		r->out.has_ssrc = ssrc >= 0;
		r->out.ssrc = (uint32_t)ssrc;
	}
}

static void
read_line(struct reader *r, struct slice s)
{
	if (s.len == 0)
		return;
	if (s.len < 2 || s.p[1] != '=') {
		FAIL(r, "want lines like \"a=...\"");
		return;
	}
	struct slice value = { s.p + 2, s.len - 2 };
	switch (s.p[0]) {
	case 'v':
		if (!is(value, "0"))
			FAIL(r, "want \"v=0\"");
		break;
	case 'c':
		read_connection(r, value);
		break;
	case 'm':
		read_media(r, value);
		break;
	case 'a':
		read_attribute(r, value);
		break;
	default:
		break;
	}
}

/* ---- the result */

/* Whether this payload type can be taken; why not is said when no other one can. */
static bool
take_type(struct reader *r, uint8_t type, bool last)
{
	struct coded *c = &r->coded[type];

	if (type == RTP_PT_MPA && c->coding == CODING_NONE)
		*c = (struct coded){ .coding = CODING_MPA, .clock = TICKS_PER_S };
	r->out.payload_type = type;
	r->out.clock = c->clock;
	if (c->coding == CODING_MPA && c->clock == TICKS_PER_S) {
		r->out.format = (struct audio_format){ .codec = CODEC_MP3 };
		return true;
	}
	if (c->coding == CODING_AAC && c->config && c->hbr) {
		r->out.format = c->format;
		return true;
	}
	if (!last)
		return false;
	if (c->coding == CODING_MPA)
		fail_at(r, c->rtpmap_line, "the clock of MPA is 90000");
	else if (c->coding == CODING_AAC)
		fail_at(r, c->fmtp_line ? c->fmtp_line : c->rtpmap_line,
		    "AAC needs \"a=fmtp:%u mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=...\"",
		    type);
	else if (c->coding == CODING_OTHER)
		fail_at(r, c->rtpmap_line,
		    "\"%.*s\" is not taken%s: have the sender use mpeg4-generic (RFC 3640) or MPA (RFC 2250)",
		    SLICE(c->name), is(c->name, "MP4A-LATM") ? " (LATM)" : "");
	else
		fail_at(r, r->media_line, "payload type %u has no \"a=rtpmap\" line", type);
	return false;
}

static void
conclude(struct reader *r)
{
	if (r->failed)
		return;
	if (!r->media_line) {
		FAIL(r, "there is no \"m=audio PORT RTP/AVP TYPE\"");
		return;
	}
	if (!r->session_connection && !r->media_connection) {
		fail_at(r, r->media_line, "there is no \"c=IN IP4 ADDRESS\" for this stream");
		return;
	}
	if (r->type_count == 0)
		fail_at(r, r->media_line, "want a payload type at the end");
	for (unsigned i = 0; i < r->type_count; i++)
		if (take_type(r, r->types[i], i == r->type_count - 1))
			break;
	if (r->rtcp_mux)
		r->out.rtcp_port = r->out.port;
	else if (r->out.rtcp_port == 0)
		r->out.rtcp_port = (uint16_t)(r->out.port + 1);
}

int
sdp_read(const char *text, size_t len, struct sdp *out, struct text *why)
{
	struct reader r = { .why = why };
	struct slice rest = { text, len };

	if (len > SDP_TEXT_MAX || memchr(text, '\0', len)) {
		text_str(why, "this is no session description");
		return -1;
	}
	while (rest.len > 0 && !r.failed) {
		const char *end = memchr(rest.p, '\n', rest.len);
		struct slice line = { rest.p, end ? (size_t)(end - rest.p) : rest.len };
		size_t step = line.len + (end != NULL);
		rest = (struct slice){ rest.p + step, rest.len - step };
		r.line++;
		while (line.len > 0 && (line.p[line.len - 1] == '\r' || line.p[line.len - 1] == ' '))
			line.len--;
		read_line(&r, line);
	}
	conclude(&r);
	if (r.failed)
		return -1;
	*out = r.out;
	return 0;
}
