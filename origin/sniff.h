/* What kind of file something is, from its first bytes (libmagic). */
#ifndef HINDCAST_SNIFF_H
#define HINDCAST_SNIFF_H

#include <stddef.h>

struct magic_set;

/* Write the media type of what `fd` holds to `type`, which is left as it is when nothing is found. *magic is opened
 * when it is NULL and is owned by the caller (sniff_close). */
void sniff_type(struct magic_set **magic, int fd, char *type, size_t size);
void sniff_close(struct magic_set **magic);

#endif
