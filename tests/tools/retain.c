/* Retention alone, as a segmenter does it now and then: retain ROOT STATION RENDITION T RETENTION MAX_SPAN (seconds),
 * once for each line that comes in; says how many hours went. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "rewind/store.h"

int
main(int argc, char **argv)
{
	struct store_rendition *r = NULL;
	struct store_resume resume;
	struct text errors;
	char line[16];

	if (argc != 7) {
		fputs("usage: retain ROOT STATION RENDITION T RETENTION MAX_SPAN\n", stderr);
		return 2;
	}
	log_init("retain", LOG_INFO);
	text_init(&errors, 4096);
	struct store_rendition_config c = {
		.root = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.station = argv[2],
		.name = argv[3],
		.T = (uint32_t)strtoul(argv[4], NULL, 10),
		.window = 10,
		.retention_ns = strtoll(argv[5], NULL, 10) * NS_PER_S,
		.max_span_ns = strtoll(argv[6], NULL, 10) * NS_PER_S,
	};
	int rc = c.root < 0 ? -1 : store_rendition_open(&c, clock_wall_now(), &r, &resume, &errors);
	if (rc)
		fprintf(stderr, "%s\n", errors.data ? errors.data : "the store does not open");
	while (!rc && fgets(line, sizeof line, stdin)) {
		int gone = store_rendition_retain(r, clock_wall_now());
		printf("%d\n", gone);
		fflush(stdout);
		rc = gone < 0;
	}
	store_rendition_close(&r);
	text_fini(&errors);
	return rc != 0;
}
