/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "agent/cgroup.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID   "1c2f3a4b-5d6e-7f80-91a2-b3c4d5e6f708"
#define UID_  "1c2f3a4b_5d6e_7f80_91a2_b3c4d5e6f708"
#define UID2  "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define HASH  "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

static const struct {
	const char *path, *uid; /* NULL: no container of a pod */
	const char *container;  /* NULL: ID */
} rows[] = {
	/* cgroupfs, the three classes */
	{"/kubepods/pod" UID "/" ID, UID, NULL},
	{"/kubepods/burstable/pod" UID "/" ID, UID, NULL},
	{"/kubepods/besteffort/pod" UID "/" ID, UID, NULL},
	{"/kubepods/besteffort/pod" UID "/crio-" ID, UID, NULL},
	/* systemd */
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID ".scope", UID, NULL},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
	 ".slice/cri-containerd-" ID ".scope",
		UID, NULL},
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" ID
	 ".scope",
		UID, NULL},
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" ID
	 ".scope/container",
		UID, NULL},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/docker-" ID ".scope", UID, NULL},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/libpod-" ID ".scope", UID, NULL},
	/* static pods */
	{"/kubepods/burstable/pod" HASH "/" ID, HASH, NULL},
	{"/kubepods.slice/kubepods-pod" HASH ".slice/cri-containerd-" ID ".scope", HASH, NULL},
	/* runtime and kubelet do not agree on the driver */
	{"/system.slice/containerd.service/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" ID,
		UID, NULL},
	{"/kubepods-burstable-pod" UID_ ".slice:crio:" ID, UID, NULL},
	/* version 1: below a controller; a prefix by --cgroup-root */
	{"/memory/kubepods/burstable/pod" UID "/" ID, UID, NULL},
	{"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
	 "kubelet-kubepods-burstable-pod" UID_ ".slice/cri-containerd-" ID ".scope",
		UID, NULL},
	/* systemd inside the container */
	{"/kubepods/pod" UID "/" ID "/init.scope", UID, NULL},
	{"/kubepods/pod" UID "/" ID "/system.slice/ssh.service", UID, NULL},
	/* a cluster inside a container: the last pod, the container right below it */
	{"/docker/" OTHER "/kubelet/kubepods/burstable/pod" UID "/" ID, UID, NULL},
	{"/kubepods/pod" UID2 "/" OTHER "/kubelet/kubepods/pod" UID "/" ID, UID, NULL},
	{"/kubepods/pod" UID2 "/" OTHER "/kubelet/kubepods/pod" UID, NULL, NULL},
	/* none */
	{"/", NULL, NULL},
	{"", NULL, NULL},
	{"/kubepods/pod" UID, NULL, NULL},
	{"/docker/" ID, NULL, NULL},
	{"/system.slice/docker-" ID ".scope", NULL, NULL},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope", NULL, NULL},
	{"/machine.slice/libpod-conmon-" ID ".scope", NULL, NULL},
	{"/kubepods/pod" UID "/x/" ID, NULL, NULL},
	{"/kubepods/pod" UID "x/" ID, NULL, NULL},
	{"/kubepods/tripod" UID "/" ID, NULL, NULL},
	{"/kubepods/pod" UID "/" ID "0", NULL, NULL},
	{"/kubepods/pod" UID "/0123456789abcdef", NULL, NULL},
	{"/kubepods/pod1C2F3A4B-5D6E-7F80-91A2-B3C4D5E6F708/" ID, NULL, NULL},
};

START_TEST(names_the_pod)
{
	struct cgroup_pod pod;
	bool found = cgroup_read(text_of(rows[_i].path), &pod);
	ck_assert_msg(found == (rows[_i].uid != NULL), "%s", rows[_i].path);
	if (!found)
		return;
	ck_assert_str_eq(pod.uid, rows[_i].uid);
	ck_assert(text_is(pod.container, rows[_i].container ? rows[_i].container : ID));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tests = tcase_create("cgroup");
	tcase_add_loop_test(tests, names_the_pod, 0, sizeof rows / sizeof *rows);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
