/* What one thread keeps: order, bounds, and bodies that outlive their entity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "origin/cache.h"
#include "origin/gzip.h"

static struct cache_item
item(size_t len)
{
	struct blob *b = blob_new(len);
	memset(b->data, 'a', len);
	struct entity *e = entity_new(b);
	assert_non_null(e);
	snprintf(e->type, sizeof e->type, "text/plain");
	http_cache_control(HTTP_GROWING, 6, e->cache_control);
	return (struct cache_item){ .entity = e };
}

static struct cache_item *
put(struct cache *c, const char *path, size_t len)
{
	struct cache_item i = item(len);
	return cache_put(c, CACHE_STORE, path, &i);
}

static void
finds_by_space_and_path(void **state)
{
	struct cache c;

	(void)state;
	assert_int_equal(cache_init(&c, 1 << 20), 0);
	struct cache_item *a = put(&c, "a", 10);
	assert_ptr_equal(cache_find(&c, CACHE_STORE, "a"), a);
	assert_null(cache_find(&c, CACHE_PLAYER, "a"));
	assert_null(cache_find(&c, CACHE_STORE, "b"));
	put(&c, "a", 20);
	assert_int_equal(cache_find(&c, CACHE_STORE, "a")->entity->size, 20);
	assert_int_equal(c.items, 1);
	cache_remove(&c, cache_find(&c, CACHE_STORE, "a"));
	assert_null(cache_find(&c, CACHE_STORE, "a"));
	assert_int_equal(c.bytes, 0);
	cache_fini(&c);
}

static void
lets_the_least_used_go(void **state)
{
	struct cache c;
	char path[16];

	(void)state;
	assert_int_equal(cache_init(&c, 100000), 0);
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof path, "%d", i);
		put(&c, path, 10000);
	}
	assert_int_equal(c.evicted, 0);
	assert_non_null(cache_find(&c, CACHE_STORE, "0"));
	put(&c, "x", 20000);
	assert_non_null(cache_find(&c, CACHE_STORE, "0"));
	assert_null(cache_find(&c, CACHE_STORE, "1"));
	assert_true(c.bytes <= 100000);
	/* one that is larger than all of it stays until the next one comes */
	assert_non_null(put(&c, "large", 200000));
	assert_int_equal(c.items, 1);
	put(&c, "small", 10);
	assert_null(cache_find(&c, CACHE_STORE, "large"));
	cache_fini(&c);
}

static void
keeps_few_files_open(void **state)
{
	struct cache c;
	char path[16];

	(void)state;
	assert_int_equal(cache_init(&c, 1 << 30), 0);
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof path, "%d", i);
		struct cache_item f = { .entity = entity_new_file(open("/dev/null", O_RDONLY | O_CLOEXEC), 5) };
		assert_non_null(f.entity);
		assert_non_null(cache_put(&c, CACHE_STORE, path, &f));
	}
	assert_int_equal(c.files, 64);
	assert_non_null(cache_find(&c, CACHE_STORE, "199"));
	assert_null(cache_find(&c, CACHE_STORE, "0"));
	cache_fini(&c);
}

static void
holds_many(void **state)
{
	struct cache c;
	char path[16];

	(void)state;
	assert_int_equal(cache_init(&c, 1 << 24), 0);
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof path, "%d", i);
		put(&c, path, 1);
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof path, "%d", i);
		assert_non_null(cache_find(&c, CACHE_STORE, path));
	}
	cache_clear(&c);
	assert_int_equal(c.items, 0);
	assert_int_equal(c.bytes, 0);
	assert_null(c.newest);
	cache_fini(&c);
}

static void
responses_outlive_the_entity(void **state)
{
	struct cache_item i = item(1000);
	struct blob *b = i.entity->body;

	(void)state;
	b->refs++; /* to look at it afterwards */
	struct MHD_Response *part = entity_part(i.entity, &(struct http_range){ 10, 5 });
	assert_non_null(part);
	assert_string_equal(MHD_get_response_header(part, "Content-Range"), "bytes 10-14/1000");
	assert_non_null(entity_response(i.entity, ENTITY_IDENTITY));
	assert_int_equal(b->refs, 4);
	entity_free(&i.entity);
	assert_null(i.entity);
	assert_int_equal(b->refs, 2);
	MHD_destroy_response(part);
	assert_int_equal(b->refs, 1);
	blob_unref(b);
}

static void
codes_what_gets_smaller(void **state)
{
	struct cache_item i = item(1000);
	char etag[2][ENTITY_ETAG_SIZE];

	(void)state;
	assert_int_equal(entity_coding(i.entity, true), ENTITY_IDENTITY); /* not said to be compressible */
	i.entity->compressible = true;
	assert_int_equal(entity_coding(i.entity, false), ENTITY_IDENTITY);
	size_t before = entity_cost(i.entity);
	assert_int_equal(entity_coding(i.entity, true), ENTITY_GZIP);
	assert_true(before >= 1000 + i.entity->gzip_size); /* the cache weighs an item once */
	assert_int_equal(entity_cost(i.entity), before);
	entity_etag(i.entity, ENTITY_IDENTITY, etag[0]);
	entity_etag(i.entity, ENTITY_GZIP, etag[1]);
	assert_string_not_equal(etag[0], etag[1]);
	entity_free(&i.entity);

	i = item(20);
	i.entity->compressible = true;
	assert_int_equal(entity_coding(i.entity, true), ENTITY_IDENTITY);
	entity_free(&i.entity);

	i = item(4000);
	uint32_t noise = 1;
	for (size_t k = 0; k < 4000; k++)
		i.entity->body->data[k] = (unsigned char)((noise = noise * 1664525 + 1013904223) >> 24);
	i.entity->compressible = true;
	assert_int_equal(entity_coding(i.entity, true), ENTITY_IDENTITY);
	entity_free(&i.entity);
}

static void
gzip_is_repeatable(void **state)
{
	static unsigned char plain[5000], back[6000];
	size_t n, m;
	uLongf len = sizeof back;

	(void)state;
	for (size_t i = 0; i < sizeof plain; i++)
		plain[i] = (unsigned char)(i % 7 * (i % 11));
	unsigned char *a = gzip_compress(plain, sizeof plain, &n), *b = gzip_compress(plain, sizeof plain, &m);
	assert_non_null(a);
	assert_int_equal(n, m);
	assert_memory_equal(a, b, n);
	z_stream z = { .next_in = a, .avail_in = (unsigned)n, .next_out = back, .avail_out = (unsigned)len };
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, sizeof plain);
	assert_memory_equal(back, plain, sizeof plain);
	inflateEnd(&z);
	free(a);
	free(b);
	assert_null(gzip_compress(plain, 0, &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_space_and_path),
		cmocka_unit_test(lets_the_least_used_go),
		cmocka_unit_test(keeps_few_files_open),
		cmocka_unit_test(holds_many),
		cmocka_unit_test(responses_outlive_the_entity),
		cmocka_unit_test(codes_what_gets_smaller),
		cmocka_unit_test(gzip_is_repeatable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
