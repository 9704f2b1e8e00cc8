/* Where frames are sent to or taken from. */
#include "relay/endpoint.h"

#include <string.h>
#include <strings.h>

static bool
has_prefix(const char *s, const char *prefix)
{
	return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

/* 1 to 65535. */
static bool
port_read(const char *s, uint16_t *out)
{
	uint32_t v = 0;
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 5 || s[n] != '\0')
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint32_t)(s[i] - '0');
	if (v == 0 || v > UINT16_MAX)
		return false;
	*out = (uint16_t)v;
	return true;
}

/* "HOST:PORT" or "[IPV6]:PORT". */
static bool
udp_read(const char *s, struct endpoint *e)
{
	bool bracket = *s == '[';
	const char *host = s + bracket, *end = bracket ? strchr(host, ']') : strrchr(host, ':');

	if (!end || end == host || (size_t)(end - host) > ENDPOINT_HOST_MAX)
		return false;
	const char *colon = end + bracket;
	if (*colon != ':' || !port_read(colon + 1, &e->port))
		return false;
	if (memchr(host, '/', (size_t)(end - host)) || (!bracket && memchr(host, ':', (size_t)(end - host))))
		return false;
	memcpy(e->host, host, (size_t)(end - host));
	e->host[end - host] = '\0';
	e->kind = ENDPOINT_UDP;
	return true;
}

/* An address of HTTP is libcurl's to read in the end. */
static bool
http_read(const char *s, struct endpoint *e)
{
	e->kind = ENDPOINT_HTTP;
	return *s != '\0' && *s != '/' && *s != ':' && !strpbrk(s, "?#");
}

int
endpoint_next(const char **list, struct endpoint *out)
{
	static const char separators[] = " \t,";

	*out = (struct endpoint){ 0 };
	if (!*list)
		return 0;
	*list += strspn(*list, separators);
	size_t n = strcspn(*list, separators);
	if (n == 0)
		return 0;
	bool fits = n <= ENDPOINT_URL_MAX;
	memcpy(out->url, *list, fits ? n : ENDPOINT_URL_MAX);
	*list += n;
	bool good = fits && (has_prefix(out->url, "udp://")        ? udp_read(out->url + 6, out)
				: has_prefix(out->url, "http://")  ? http_read(out->url + 7, out)
				: has_prefix(out->url, "https://") ? http_read(out->url + 8, out)
								   : false);
	return good ? 1 : -1;
}
