/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pulse.h"

#include "base/clock.h"

/* Falco tells of drops at most every 30 seconds, and of one second then; KubeArmor and Tetragon
 * name no interval. */
enum { TOLD_LATE_S = 30, NEAR_S = 1, USUAL_LEAST_S = 10, USUAL_MOST_S = 6 * 3600 };

static void tell(struct pulse_told *told, enum coverage_state state, int64_t from_ns,
	int64_t until_ns, int64_t n)
{
	told->items[told->n++] = (struct coverage){.state = state,
		.from_ns = from_ns,
		.until_ns = until_ns,
		.n = n > 0 ? (uint64_t)n : 0};
}

static bool is_too_long(const struct pulse *pulse, int64_t gap_ns)
{
	return pulse->usual_ns && gap_ns > pulse->usual_ns / 2 * 5;
}

/* One odd interval moves it by a quarter, one long silence not further. */
static void learn(struct pulse *pulse, int64_t gap_ns)
{
	int64_t most = pulse->usual_ns ? 2 * pulse->usual_ns : USUAL_MOST_S * NS_PER_S;
	int64_t seen = gap_ns < most ? gap_ns : most;
	int64_t usual = pulse->usual_ns + (seen - pulse->usual_ns) / 4;
	if (!pulse->usual_ns)
		usual = gap_ns <= most ? gap_ns : 0;
	if (usual && usual < USUAL_LEAST_S * NS_PER_S)
		usual = USUAL_LEAST_S * NS_PER_S;
	pulse->usual_ns = usual;
}

/* How far a counter went on since the last beat of the same process, or since its start. */
static int64_t lost_since(int64_t before, int64_t now, bool is_same)
{
	if (now <= 0)
		return 0;
	if (!is_same || before < 0 || now < before)
		return now;
	return now - before;
}

static void tell_losses(const struct pulse *before, const struct health_fact *health,
	int64_t time_ns, struct pulse_told *told)
{
	bool is_same = before->spoke_ns && (health->started_at_ns <= 0 || before->started_ns <= 0 ||
						   health->started_at_ns == before->started_ns);
	int64_t lost = lost_since(before->n_drops, health->n_drops, is_same) +
		       lost_since(before->n_output_drops, health->n_output_drops, is_same);
	int64_t from_ns = is_same ? before->spoke_ns : health->started_at_ns;
	/* The first that is heard of a process without a start does not say since when. */
	if (lost > 0 && from_ns > 0 && from_ns <= time_ns)
		tell(told, COVERAGE_DROPPING, from_ns, time_ns, lost);
}

static void beat(struct pulse *pulse, const struct health_fact *health, int64_t time_ns,
	struct pulse_told *told)
{
	int64_t gap_ns = time_ns - pulse->spoke_ns;
	if (!pulse->spoke_ns)
		tell(told, COVERAGE_CONNECTED, time_ns, time_ns, 0);
	else if (gap_ns < 0)
		return; /* an old one, later */
	else
		tell(told, is_too_long(pulse, gap_ns) ? COVERAGE_SILENT : COVERAGE_CONNECTED,
			pulse->spoke_ns, time_ns, 0);
	tell_losses(pulse, health, time_ns, told);
	/* Falco speaks once for each of its event sources, at the same time. */
	if (pulse->spoke_ns && gap_ns > NEAR_S * NS_PER_S)
		learn(pulse, gap_ns);
	pulse->spoke_ns = time_ns;
	pulse->started_ns = health->started_at_ns > 0 ? health->started_at_ns : 0;
	pulse->n_drops = health->n_drops;
	pulse->n_output_drops = health->n_output_drops;
}

void pulse_beat(struct pulse *pulse, const struct health_fact *health, int64_t time_ns,
	struct pulse_told *told)
{
	told->n = 0;
	switch (health->kind) {
	case HEALTH_METRICS:
		beat(pulse, health, time_ns, told);
		return;
	case HEALTH_DROPS:
		tell(told, COVERAGE_DROPPING, time_ns - NS_PER_S, time_ns, health->n_drops);
		return;
	case HEALTH_THROTTLED:
		tell(told, COVERAGE_THROTTLED, time_ns,
			time_ns + (health->lasts_s > 0 ? health->lasts_s : TOLD_LATE_S) * NS_PER_S,
			0);
		return;
	case HEALTH_RESTART_FAILED:
	case HEALTH_OTHER:
		return;
	}
}

int64_t pulse_silent_since(const struct pulse *pulse, int64_t now_ns)
{
	return pulse->spoke_ns && is_too_long(pulse, now_ns - pulse->spoke_ns) ? pulse->spoke_ns
									       : 0;
}
