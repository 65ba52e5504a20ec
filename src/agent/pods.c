/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pods.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "agent/push_wire.h"

enum { WALK_MS = 10000, PATH_BYTES = 4096, PAIR_WIRE_BYTES = 160 };

struct pod {
	char container[CGROUP_CONTAINER_DIGITS + 1];
	char uid[CGROUP_UID_BYTES + 1];
	bool is_told, is_here;
};

struct pods {
	struct loop_timer *timer;
	char root[PATH_BYTES];
	struct pod *pods;
	size_t n, n_news;
	unsigned n_folders; /* of this walk */
	char path[PATH_BYTES];
};

static void found(struct pods *pods, const struct cgroup_pod *one)
{
	assert(pods->pods);
	size_t i = 0;
	while (i < pods->n && !text_is(one->container, pods->pods[i].container))
		i++;
	struct pod *pod = &pods->pods[i];
	if (i == pods->n) {
		if (pods->n == PODS_MAX)
			return;
		pods->n++;
		*pod = (struct pod){0};
		text_format(
			pod->container, sizeof pod->container, "%.*s", TEXT_ARG(one->container));
		pods->n_news++;
	} else if (strcmp(pod->uid, one->uid) != 0 && pod->is_told) {
		pod->is_told = false;
		pods->n_news++;
	}
	pod->is_here = true;
	memcpy(pod->uid, one->uid, sizeof pod->uid);
}

/* Takes the file. The path is in pods->path, which ends at @size. */
static void walk(struct pods *pods, int fd, size_t size, unsigned depth)
{
	DIR *folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return;
	}
	struct dirent *entry;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the folder is this walk's alone */
	while ((entry = readdir(folder))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		struct cgroup_pod one;
		size_t length = text_format(
			pods->path + size, sizeof pods->path - size, "/%s", entry->d_name);
		if (cgroup_read((struct text){pods->path, size + length}, &one))
			found(pods, &one);
		if (depth == PODS_DEPTH_MAX || ++pods->n_folders > PODS_FOLDERS_MAX)
			continue;
		int inner = openat(dirfd(folder), entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0)
			walk(pods, inner, size + length, depth + 1);
	}
	closedir(folder);
}

static void forget_gone(struct pods *pods)
{
	size_t n = 0;
	pods->n_news = 0;
	for (size_t i = 0; i < pods->n; i++) {
		if (!pods->pods[i].is_here && pods->pods[i].is_told)
			continue;
		pods->n_news += !pods->pods[i].is_told;
		pods->pods[n++] = pods->pods[i];
	}
	pods->n = n;
}

void pods_look(struct pods *pods)
{
	for (size_t i = 0; i < pods->n; i++)
		pods->pods[i].is_here = false;
	pods->n_folders = 0;
	int fd = open(pods->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		walk(pods, fd, 0, 0);
	forget_gone(pods);
}

static void on_timer(void *ctx)
{
	struct pods *pods = ctx;
	pods_look(pods);
	loop_timer_start(pods->timer, WALK_MS);
}

int pods_new(struct pods **out, struct loop *loop, const char *root, struct err *err)
{
	struct pods *pods = calloc(1, sizeof *pods);
	if (pods)
		pods->pods = calloc(PODS_MAX, sizeof *pods->pods);
	if (pods)
		pods->timer = loop_timer_new(loop, on_timer, pods);
	if (!pods || !pods->pods || !pods->timer) {
		pods_free(pods);
		return err_set(err, ERR_MEMORY, "no memory for pods");
	}
	text_format(pods->root, sizeof pods->root, "%s", root);
	loop_timer_start(pods->timer, 0);
	*out = pods;
	return 0;
}

void pods_free(struct pods *pods)
{
	if (!pods)
		return;
	loop_timer_free(pods->timer);
	free(pods->pods);
	free(pods);
}

void pods_tell_again(struct pods *pods)
{
	for (size_t i = 0; i < pods->n; i++)
		pods->pods[i].is_told = false;
	pods->n_news = pods->n;
}

bool pods_have_news(const struct pods *pods)
{
	return pods->n_news > 0;
}

void pods_take_news(struct pods *pods, struct buf *out)
{
	for (size_t i = 0; i < pods->n && out->max - out->size >= PAIR_WIRE_BYTES; i++) {
		struct pod *pod = &pods->pods[i];
		if (pod->is_told)
			continue;
		push_wire_pod(text_of(pod->container), text_of(pod->uid), out);
		pod->is_told = true;
		pods->n_news--;
	}
}
