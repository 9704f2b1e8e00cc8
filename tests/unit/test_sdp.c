/* Session descriptions: what we write, what others write, and what is said of those that cannot be taken. */
#include "relay/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "media/adts.h"
#include "relay/asc.h"

static const char golden[] = "v=0\r\n"
			     "o=- 1152839471 0 IN IP4 127.0.0.1\r\n"
			     "s=fip.hifi main\r\n"
			     "c=IN IP4 239.9.9.1/16\r\n"
			     "t=0 0\r\n"
			     "a=recvonly\r\n"
			     "m=audio 9001 RTP/AVP 96\r\n"
			     "a=rtpmap:96 mpeg4-generic/44100/2\r\n"
			     "a=fmtp:96 streamtype=5;profile-level-id=41;mode=AAC-hbr;sizelength=13;indexlength=3;"
			     "indexdeltalength=3;config=1210\r\n"
			     "a=ssrc:1152839471 cname:fip.hifi\r\n"
			     "a=extmap:1 urn:ietf:params:rtp-hdrext:ntp-64\r\n"
			     "a=extmap:2 urn:x-hindcast:position\r\n"
			     "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
			     "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
			     "a=extmap:5 urn:x-hindcast:run\r\n"
			     "a=extmap:6 urn:x-hindcast:format\r\n"
			     "a=extmap:7 urn:x-hindcast:mark\r\n";

static struct rtp_run
a_run(void)
{
	struct rtp_run run = {
		.id = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, .mid = "fip.hifi", .rid = "main"
	};

	adts_format(0xfff15080, &run.format);
	return run;
}

static int
reading(const char *text, struct sdp *out, char why[static 400])
{
	struct text t;

	text_init_fixed(&t, why, 400);
	why[0] = '\0';
	return sdp_read(text, strlen(text), out, &t);
}

static void
test_golden(void **state)
{
	struct rtp_run run = a_run();
	struct sdp_target target = { .address = "239.9.9.1", .port = 9001, .ttl = 16 };
	struct text out;
	struct sdp sdp;
	char why[400];
	(void)state;

	text_init(&out, 4096);
	assert_int_equal(sdp_write(&run, &target, &out), 0);
	assert_string_equal(out.data, golden);
	assert_int_equal(reading(out.data, &sdp, why), 0);
	assert_string_equal(sdp.address, "239.9.9.1");
	assert_true(sdp.multicast);
	assert_int_equal(sdp.ttl, 16);
	assert_int_equal(sdp.port, 9001);
	assert_int_equal(sdp.rtcp_port, 9002);
	assert_int_equal(sdp.payload_type, 96);
	assert_int_equal(sdp.clock, 44100);
	assert_true(audio_format_equal(&sdp.format, &run.format));
	assert_true(sdp.has_ssrc);
	assert_int_equal(sdp.ssrc, 1152839471);
	assert_int_equal(sdp.id_wall, 1);
	assert_int_equal(sdp.id_mid, 3);
	assert_int_equal(sdp.id_rid, 4);
	text_fini(&out);
}

static void
test_written(void **state)
{
	struct rtp_run run = a_run();
	struct sdp_target target = { .address = "ff15::9", .port = 9001, .protect = true };
	struct text out;
	struct sdp sdp;
	char why[400];
	(void)state;

	text_init(&out, 4096);
	run.format =
	    (struct audio_format){ .codec = CODEC_MP3, .header = { 0xff, 0xfa, 0, 0 }, .rate = 44100, .channels = 2 };
	assert_int_equal(sdp_write(&run, &target, &out), 0);
	assert_non_null(strstr(out.data, "c=IN IP6 ff15::9\r\n"));
	assert_non_null(strstr(out.data, "m=audio 9001 RTP/SAVP 99\r\n"));
	assert_int_equal(reading(out.data, &sdp, why), -1);
	assert_non_null(strstr(why, "line 7: the stream is encrypted"));
	target.protect = false;
	text_clear(&out);
	assert_int_equal(sdp_write(&run, &target, &out), 0);
	assert_int_equal(reading(out.data, &sdp, why), 0);
	assert_int_equal(sdp.payload_type, 14);
	assert_int_equal(sdp.clock, 90000);
	assert_int_equal(sdp.format.codec, CODEC_MP3);
	assert_true(sdp.ipv6 && sdp.multicast);
	target.address = "relay-a";
	assert_int_equal(sdp_write(&run, &target, &out), SDP_ADDRESS);
	adts_format(0xfff15000, &run.format); /* channel configuration 0 */
	assert_int_equal(sdp_write(&run, &target, &out), SDP_CHANNELS);
	text_fini(&out);
}

/* As ffmpeg 5.1 and GStreamer 1.22 write them. */
static void
test_of_others(void **state)
{
	static const char ffmpeg[] =
	    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=No Name\nc=IN IP4 10.0.0.9\nt=0 0\na=tool:libavformat\n"
	    "m=audio 5004 RTP/AVP 97\nb=AS:128\na=rtpmap:97 MPEG4-GENERIC/48000/2\n"
	    "a=fmtp:97 profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;"
	    "indexdeltalength=3; config=119056E500\n";
	static const char he[] =
	    "v=0\r\nc=IN IP6 ::1\r\nm=video 1 RTP/AVP 33\r\na=rtpmap:33 MP2T/90000\r\nm=audio 5004/2 RTP/AVPF 0 98"
	    "\r\na=rtpmap:98 mpeg4-generic/48000\r\na=fmtp:98 mode=aac-hbr; SizeLength=13; indexlength=3; "
	    "indexdeltalength=3; config=2B118800\r\na=rtcp-mux\r\na=extmap:9/recvonly urn:ietf:params:rtp-hdrext:"
	    "ntp-64\r\na=source-filter: incl IN IP6 * 2001:db8::1\r\n";
	struct sdp sdp;
	char why[400];
	(void)state;

	assert_int_equal(reading(ffmpeg, &sdp, why), 0);
	assert_int_equal(sdp.format.rate, 48000);
	assert_int_equal(sdp.format.profile, AAC_LC);
	assert_int_equal(sdp.payload_type, 97);
	assert_false(sdp.multicast);
	assert_false(sdp.has_ssrc);
	assert_int_equal(reading(he, &sdp, why), 0);
	assert_int_equal(sdp.format.rate, 24000);
	assert_int_equal(sdp.format.profile, AAC_HE);
	assert_int_equal(sdp.clock, 48000);
	assert_int_equal(sdp.payload_type, 98);
	assert_int_equal(sdp.rtcp_port, 5004);
	assert_int_equal(sdp.id_wall, 9);
	assert_string_equal(sdp.source, "2001:db8::1");
	assert_int_equal(reading("v=0\nc=IN IP4 1.2.3.4\nm=audio 5004 RTP/AVP 14\na=rtcp:7000\n", &sdp, why), 0);
	assert_int_equal(sdp.format.codec, CODEC_MP3);
	assert_int_equal(sdp.rtcp_port, 7000);
}

#define HEAD "v=0\nc=IN IP4 1.2.3.4\nm=audio 5004 RTP/AVP 96\n"
#define AAC HEAD "a=rtpmap:96 mpeg4-generic/44100/2\n"

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "line 0: there is no \"m=audio" },
		{ "hello\n", "line 1: want lines like" },
		{ "v=1\n", "line 1: want \"v=0\"" },
		{ "v=0\nm=audio 5004 RTP/AVP 14\n", "line 2: there is no \"c=IN" },
		{ "v=0\nc=IN IP4 encoder.example\n", "line 2: \"encoder.example\" is no numeric IPv4" },
		{ "v=0\nc=IN IP5 1.2.3.4\n", "line 2: want \"c=IN" },
		{ "v=0\nm=audio 0 RTP/AVP 14\n", "line 2: want a port" },
		{ "v=0\nm=audio 99999 RTP/AVP 14\n", "line 2: want a port" },
		{ "v=0\nm=audio 5004 udp 14\n", "line 2: \"udp\" is not taken" },
		{ "v=0\nm=audio 5004 RTP/AVP 300\n", "line 2: payload types" },
		{ "v=0\nc=IN IP4 1.2.3.4\nm=audio 5004 RTP/AVP\n", "line 3: want a payload type" },
		{ HEAD, "line 3: payload type 96 has no" },
		{ HEAD "m=audio 5006 RTP/AVP 14\n", "line 4: there is a second audio stream" },
		{ HEAD "a=rtpmap:96 opus/48000/2\n", "line 4: \"opus\" is not taken" },
		{ HEAD "a=rtpmap:96 MP4A-LATM/48000/2\n", "line 4: \"MP4A-LATM\" is not taken (LATM)" },
		{ HEAD "a=rtpmap:96 MPA/44100\n", "line 4: the clock of MPA" },
		{ HEAD "a=rtpmap:96 MPA\n", "line 4: want \"a=rtpmap" },
		{ AAC, "line 4: AAC needs" },
		{ AAC "a=fmtp:96 mode=AAC-hbr\n", "line 5: AAC needs" },
		{ AAC "a=fmtp:96 mode=AAC-lbr\n", "line 5: mode=AAC-lbr" },
		{ AAC "a=fmtp:96 sizelength=6\n", "line 5: sizelength=6" },
		{ AAC "a=fmtp:96 indexlength=2\n", "line 5: indexlength=2" },
		{ AAC "a=fmtp:96 maxDisplacement=5\n", "line 5: the stream is interleaved" },
		{ AAC "a=fmtp:96 config=121\n", "line 5: config= is not hexadecimal" },
		{ AAC "a=fmtp:96 config=12zz\n", "line 5: config= is not hexadecimal" },
		{ AAC "a=fmtp:96 config=12\n", "it is too short" },
		{ AAC "a=fmtp:96 config=0A10\n", "neither AAC-LC" },
		{ AAC "a=fmtp:96 config=1784\n", "sampling frequency" },
		{ AAC "a=fmtp:96 config=1200\n", "channel configuration is 0" },
		{ AAC "a=fmtp:96 config=1214\n", "1024 samples" },
		{ HEAD "a=extmap:x urn\n", "line 4: want \"a=extmap" },
		{ HEAD "a=source-filter: excl IN IP4 * 1.2.3.4\n", "line 4: want \"a=source-filter" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sdp sdp = { .port = 77 };
		char why[400];
		if (reading(bad[i].text, &sdp, why) != -1 || sdp.port != 77 || !strstr(why, bad[i].why))
			fail_msg("case %zu: %s", i, why);
	}
}

/* All configurations that ADTS can say are written and read back. */
static void
test_configs(void **state)
{
	(void)state;
	for (uint32_t frequency = 0; frequency < 13; frequency++)
		for (uint32_t channels = 1; channels < 8; channels++) {
			struct audio_format in, back;
			uint8_t config[ASC_SIZE];
			adts_format(UINT32_C(0xfff14000) | frequency << 10 | channels << 6, &in);
			assert_int_equal(asc_write(&in, config), 0);
			assert_int_equal(asc_parse(config, ASC_SIZE, &back), 0);
			assert_true(audio_format_equal(&in, &back));
		}
	static const uint8_t v2[] = { 0xeb, 0x8a, 0x08, 0x00 }, sync[] = { 0x13, 0x90, 0x56, 0xe5, 0xa0 };
	struct audio_format f;
	assert_int_equal(asc_parse(v2, sizeof(v2), &f), 0);
	assert_int_equal(f.profile, AAC_HE_V2);
	assert_int_equal(f.rate, 22050);
	assert_int_equal(f.channels, 1);
	assert_int_equal(asc_parse(sync, sizeof(sync), &f), 0);
	assert_int_equal(f.profile, AAC_HE);
	assert_int_equal(f.rate, 22050);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_of_others),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_configs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
