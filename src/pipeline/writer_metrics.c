/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/writer_metrics.h"

#include "pipeline/writer.h"

static const double commit_buckets[] = {
	.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 0};

static struct metric_family falco_events = {
	.name = "falco_events_total",
	.help = "Falco events stored, by priority, rule and source.",
	.type = METRIC_COUNTER,
	.n_labels = 3,
	.labels = {"priority", "rule", "source"},
	.max_series = 2000,
	.overflow_label = 1,
};

static struct metric_family kubearmor_alerts = {
	.name = "kubearmor_alerts_total",
	.help = "KubeArmor alerts stored, by action and operation; logs are not counted.",
	.type = METRIC_COUNTER,
	.n_labels = 2,
	.labels = {"action", "operation"},
	.max_series = 200,
	.overflow_label = 1,
};

static struct metric_family syscalls = {
	.name = "security_syscalls_total",
	.help = "System calls that sensors reported, by call and what the sensor did.",
	.type = METRIC_COUNTER,
	.n_labels = 2,
	.labels = {"syscall", "action"},
	.max_series = 2000,
	.overflow_label = 0,
};

static struct metric_family runtime_operations = {
	.name = "container_runtime_operations_total",
	.help = "Operations on containers, by the state the container was in.",
	.type = METRIC_COUNTER,
	.n_labels = 2,
	.labels = {"operation", "container_state"},
	.max_series = 16,
	.overflow_label = 0,
};

static struct metric_family commit_seconds = {
	.name = "tocsin_commit_seconds",
	.help = "Time from the begin of a transaction to the end of its commit.",
	.type = METRIC_HISTOGRAM,
	.buckets = commit_buckets,
};

static struct metric_family ledger_leaves = {
	.name = "tocsin_ledger_leaves",
	.help = "Leaves in the ledger.",
	.type = METRIC_GAUGE,
};

static struct metric_family queue_bytes = {
	.name = "tocsin_queue_bytes",
	.help = "Bytes of batches that wait for the writer.",
	.type = METRIC_GAUGE,
};

struct metric_family *const *writer_metrics(void)
{
	static struct metric_family *const families[] = {&falco_events, &kubearmor_alerts,
		&syscalls, &runtime_operations, &commit_seconds, &ledger_leaves, &queue_bytes,
		NULL};
	return families;
}

static void count_falco(const struct alert *alert, const struct clock *clock)
{
	struct text labels[] = {alert->severity_reported, alert->rule, alert->sensor_source};
	metric_add(metric_series(&falco_events, clock, labels), alert->count);
}

/* The action in KubeArmor's own three words, as rules that clusters have match them; what only its
 * policy calls a block ("Audit (Block)", or a block that passed) is an audit. */
static void count_kubearmor(const struct alert *alert, const struct clock *clock)
{
	static const char *const words[] = {[ACTION_OBSERVED] = "Allow",
		[ACTION_BLOCKED] = "Block",
		[ACTION_AUDITED] = "Audit",
		[ACTION_KILLED] = "Block"};
	struct text labels[] = {text_of(words[alert->action]), alert->operation};
	if (!alert_is(alert, ALERT_HEALTH) && !text_ends(alert->sensor_source, TEXT("Log")))
		metric_add(metric_series(&kubearmor_alerts, clock, labels), alert->count);
}

static void count_syscall(const struct alert *alert, const struct clock *clock)
{
	struct text labels[] = {alert->syscall, text_of(alert_action_name(alert->action))};
	metric_add(metric_series(&syscalls, clock, labels), alert->count);
}

static void count_exec(const struct alert *alert, const struct clock *clock)
{
	struct text labels[] = {TEXT("exec"), TEXT("running")};
	metric_add(metric_series(&runtime_operations, clock, labels), alert->count);
}

void writer_metrics_batch(const struct batch *batch, const struct clock *clock)
{
	for (const struct alert *alert = batch->first; alert; alert = alert->next) {
		if (alert->outcome != OUTCOME_ACCEPTED)
			continue;
		if (text_is(alert->sensor, "falco"))
			count_falco(alert, clock);
		if (text_is(alert->sensor, "kubearmor"))
			count_kubearmor(alert, clock);
		if (alert->syscall.size)
			count_syscall(alert, clock);
		if (alert->entered_container)
			count_exec(alert, clock);
	}
}

void writer_metrics_commit(double seconds, uint64_t n_leaves, const struct clock *clock)
{
	metric_observe(metric_series(&commit_seconds, clock, NULL), seconds);
	metric_set(metric_series(&ledger_leaves, clock, NULL), (int64_t)n_leaves);
}

void writer_metrics_queue(size_t bytes, const struct clock *clock)
{
	metric_set(metric_series(&queue_bytes, clock, NULL), (int64_t)bytes);
}
