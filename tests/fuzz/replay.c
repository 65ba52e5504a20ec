/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for libFuzzer's main: gives a target every file of its corpus once, in TAP.
 *
 * The corpus is tests/fuzz/corpus/<name of the program>, or the files named as arguments.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES = 16 * 1024 * 1024, PATH_BYTES = 4096 };

static bool replay(const char *path)
{
	AUTO(free) uint8_t *bytes = malloc(INPUT_BYTES);
	FILE *file = fopen(path, "re");
	if (!file || !bytes) {
		fprintf(stderr, "cannot read %s\n", path);
		return false;
	}
	size_t size = fread(bytes, 1, INPUT_BYTES, file);
	fclose(file);
	/* An exact copy, so that AddressSanitizer sees reads past the end. */
	AUTO(free) uint8_t *exact = malloc(size ? size : 1);
	if (!exact)
		return false;
	memcpy(exact, bytes, size);
	LLVMFuzzerTestOneInput(exact, size);
	return true;
}

static unsigned replay_folder(const char *folder)
{
	char path[PATH_BYTES];
	unsigned n = 0;
	const struct dirent *entry;
	DIR *dir = opendir(folder);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		text_format(path, sizeof path, "%s/%s", folder, entry->d_name);
		n += replay(path);
	}
	if (dir)
		closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	char folder[PATH_BYTES];
	const char *source = getenv("TOCSIN_SOURCE");
	const char *name = strrchr(argv[0], '/');
	unsigned n = 0;
	text_format(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", source ? source : ".",
		name ? name + 1 : argv[0]);
	for (int i = 1; i < argc; i++)
		n += replay(argv[i]);
	if (argc == 1)
		n = replay_folder(folder);
	printf("1..1\n%s 1 - replayed %u inputs\n", n ? "ok" : "not ok", n);
	return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
