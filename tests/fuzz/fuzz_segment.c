/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of the spool, of any bytes behind a good head: readers end, give what has good numbers,
 * and nothing outside of the file. Also a path of a control group.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/segment.h"
#include "base/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The mark is known, so that heads are reached; the rest is of the bytes themselves: as outside,
 * nobody can make a checksum that is good, not even a fuzzer that sees what it is compared with.
 */
static struct spool_id id_of(const uint8_t *data, size_t size)
{
	struct spool_id id = {"0123"};
	struct digest digest = digest_of((struct text){(const char *)data, size});
	memcpy(id.bytes + 4, digest.bytes, sizeof id.bytes - 4);
	return id;
}

/* Good records around the bytes. */
static size_t add_records(int fd, const struct spool_id *id, const uint8_t *data, size_t size)
{
	struct buf out;
	buf_init(&out, 1 << 20);
	struct record record = {
		.kind = RECORD_ALERT, .number = 1, .raw = {(const char *)data, size / 2}};
	if (size > 1 && data[0] & 1)
		record_write(&record, id, &out);
	buf_add_bytes(&out, data, size);
	record.number = 2U + (size > 1 ? data[1] : 0U);
	record_write(&record, id, &out);
	ssize_t n = pwrite(fd, out.data, out.size, SEGMENT_HEAD_BYTES);
	assert(n == (ssize_t)out.size);
	size_t end = SEGMENT_HEAD_BYTES + out.size;
	buf_done(&out);
	return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment segment = {.head.first = 1, .end = 1000};
	struct segment_reader reader = {0};
	struct record record;
	struct cgroup_pod pod;
	struct spool_id id = id_of(data, size);
	uint64_t before = 0;
	if (size > 100000)
		return 0;
	segment.fd = memfd_create("segment", MFD_CLOEXEC);
	assert(segment.fd >= 0);
	segment.size_bytes = add_records(segment.fd, &id, data, size);
	segment_reader_begin(&reader, &segment);
	while (segment_reader_next(&reader, &id, &record)) {
		assert(record.number > before && record.number < segment.end);
		before = record.number;
		assert(reader.whole_bytes <= segment.size_bytes);
	}
	assert(before > 0);
	segment_reader_done(&reader);
	close(segment.fd);
	cgroup_read((struct text){(const char *)data, size}, &pod);
	return 0;
}
