/* The floor of segmenting: a file's bytes copied into as many files, read and written in pieces of a segment's size,
 * each under a temporary name and renamed, as any honest segmenter must. Nothing is looked at. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USAGE "usage: copyfloor FILE DIRECTORY FILES\n"

/* Copy the next `size` bytes into a file of its own. What came, or -1. */
static ssize_t
copy(int from, int directory, unsigned number, char *buffer, size_t size)
{
	char name[32];
	ssize_t n = read(from, buffer, size);

	if (n <= 0)
		return n;
	snprintf(name, sizeof name, "%05u.ts", number);
	int to = openat(directory, "tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (to < 0)
		return -1;
	ssize_t written = write(to, buffer, (size_t)n);
	if (close(to) < 0 || written != n || renameat(directory, "tmp", directory, name) < 0)
		return -1;
	return n;
}

int
main(int argc, char **argv)
{
	int from = argc == 4 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	int directory = from >= 0 ? open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	long files = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	off_t bytes = from >= 0 ? lseek(from, 0, SEEK_END) : 0;

	if (directory < 0 || files <= 0 || bytes <= 0 || lseek(from, 0, SEEK_SET) < 0) {
		fputs(USAGE, stderr);
		return 2;
	}
	size_t size = (size_t)((bytes + files - 1) / files);
	char *buffer = malloc(size);
	ssize_t n = buffer ? 1 : -1;
	for (unsigned i = 0; n > 0; i++)
		n = copy(from, directory, i, buffer, size);
	if (n < 0)
		perror("copyfloor");
	free(buffer);
	close(directory);
	close(from);
	return n < 0;
}
