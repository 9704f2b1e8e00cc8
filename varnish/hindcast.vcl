# A cache in front of one hindcast-origin, whole. Copy varnish/ to /etc/varnish/hindcast/, set the address, and try:
#	varnishd -C -f /etc/varnish/hindcast/hindcast.vcl
#
# /healthz is 200 while any station is live. A sick origin is not asked: what is in the cache goes on until its time, the rest is 503
# for a second, so that a CDN goes to another one.

vcl 4.1;

probe health {
	.url = "/healthz";
	.interval = 2s;
	.timeout = 1s;
	.window = 3;
	.threshold = 2;
	.initial = 2;
}

backend origin {
	.host = "127.0.0.1";
	.port = "8080";
	.connect_timeout = 1s;
	.first_byte_timeout = 5s;
	.between_bytes_timeout = 5s;
	.probe = health;
}

include "./cache.vcl";
