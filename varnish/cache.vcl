# What a cache in front of the origin does, whatever the origins are; hindcast.vcl says which, and includes this.
#
# The origin's Cache-Control rules. What is done here keeps many listeners one: one spelling of each URL, one request to the
# origin for each new or changed thing, and no answer that is remembered as "do not share".

vcl 4.1;

import std;

sub vcl_recv {
	if (req.method == "OPTIONS") {
		return (pass);
	}
	if (req.method != "GET" && req.method != "HEAD") {
		return (synth(405));
	}
	# Nothing here is personal: no answer depends on these, and the origin need not see them.
	unset req.http.Cookie;
	unset req.http.Authorization;

	if (req.url ~ "^/(healthz|metrics)") {
		return (pass);
	}
	# Only the parameters that the origin knows and that change an answer, in one order
	if (req.url ~ "\?") {
		set req.http.X-Query = "&" + regsub(req.url, "^[^?]*\?", "");
		set req.http.X-Query = regsuball(req.http.X-Query,
		    "&(?!(from|to|duration|delay|programme|date|_HLS_skip)=)[^&]*", "");
		set req.url = regsub(req.url, "\?.*$", "") + regsub(req.http.X-Query, "^&", "?");
		set req.url = std.querysort(req.url);
		unset req.http.X-Query;
	}
	return (hash);
}

# The same under every host name
sub vcl_hash {
	hash_data(req.url);
	return (lookup);
}

sub vcl_backend_response {
	unset beresp.http.Set-Cookie;

	# Stale only as long as the origin allows (its stale-while-revalidate is grace already): the default of 10 s would stop players.
	if (beresp.http.Cache-Control !~ "stale-while-revalidate") {
		set beresp.grace = 0s;
	}
	if (beresp.http.Cache-Control ~ "no-store|private") {
		return (pass(1s));
	}
	# What is not there may be there in a second. Varnish by itself would keep a 404 without freshness for 120 s.
	if (beresp.status == 404 || beresp.status >= 500) {
		set beresp.ttl = 1s;
		set beresp.grace = 0s;
	}
	# A query that cannot be read stays so. Varnish by itself takes no lifetime for a 400.
	if (beresp.status == 400 && beresp.http.Cache-Control ~ "max-age=[0-9]+") {
		set beresp.ttl = std.duration(regsub(beresp.http.Cache-Control, "^.*max-age=([0-9]+).*$", "\1s"), 1s);
	}
	# Without a lifetime every listener would go to the origin, for 120 s (hit-for-miss). An Age near max-age does that too.
	if (beresp.ttl < 1s) {
		set beresp.ttl = 1s;
	}
	return (deliver);
}

# The origin does not answer: says so for a second, but never in the place of something that may still be shown.
sub vcl_backend_error {
	if (bereq.is_bgfetch) {
		return (abandon);
	}
	set beresp.http.Cache-Control = "public, max-age=1";
	set beresp.http.Access-Control-Allow-Origin = "*";
	set beresp.http.Content-Type = "text/plain";
	set beresp.body = beresp.reason;
	set beresp.ttl = 1s;
	set beresp.grace = 0s;
	return (deliver);
}

sub vcl_synth {
	set resp.http.Cache-Control = "public, max-age=1";
	set resp.http.Access-Control-Allow-Origin = "*";
	set resp.http.Content-Type = "text/plain";
	if (resp.status == 405) {
		set resp.http.Allow = "GET, HEAD, OPTIONS";
	}
	set resp.body = resp.reason;
	return (deliver);
}
