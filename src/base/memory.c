/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Resident, but for files that are mapped. */
static size_t resident_bytes(void)
{
	unsigned long size, resident, shared;
	FILE *file = fopen("/proc/self/statm", "re");
	int n = file ? fscanf(file, "%lu %lu %lu", &size, &resident, &shared) : 0;
	if (file)
		fclose(file);
	if (n != 3 || shared > resident)
		return 0;
	return (resident - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

size_t memory_idle_bytes(void)
{
	size_t resident = resident_bytes();
	const struct mallinfo2 info = mallinfo2();
	size_t used = info.uordblks + info.hblkhd;
	return resident > used ? resident - used : 0;
}

void memory_give_back(void)
{
	malloc_trim(0);
}
