/* Any bytes as the query of GET /rtp. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "relay/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct query q;
	char memory[256], *text = malloc(size + 1);
	struct text why;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	text_init_fixed(&why, memory, sizeof memory);
	int rc = query_parse(text, &q, &why);
	CHECK((rc == 0) == (why.len == 0));
	CHECK(q.count <= QUERY_MIDS_MOST);
	for (unsigned i = 1; rc == 0 && i < q.count; i++)
		CHECK(q.mids[i - 1] <= q.mids[i]);
	free(text);
	return 0;
}
