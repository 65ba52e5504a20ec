/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/utf8.h"
#include "cli/query_mark.h"
#include "config.h"

const struct command commands[] = {
	{"status", "", "how the daemon is", show_status, 0},
	{"sources", "", "who sends: last heard, held, lost; agents and what waits there",
		show_sources, 0},
	{"coverage", "[--since T] [--node NODE]",
		"which sensors watched when and which did not, and what agents shed", show_coverage,
		0},
	{"incidents list", "[-q QUERY] [--sort risk] [--rollup false] [--group FIELD]",
		"incidents, newest or riskiest first", show_incidents, 0},
	{"incidents show", "N", "one incident: why, where, what happened", show_incident, 1},
	{"incidents activity", "N", "what was done and said about it", show_activity, 1},
	{"incidents ack", "N", "somebody has seen it", act_decide, 1},
	{"incidents assign", "N [WHO]", "who works on it: you, unless said; '': nobody", act_decide,
		1},
	{"incidents comment", "N TEXT...", "says something about it", act_decide, 2},
	{"incidents resolve", "N --verdict V", "it is over; what comes later is another incident",
		act_decide, 1},
	{"incidents reopen", "N", "it is not over after all", act_decide, 1},
	{"incidents snooze", "N --for 2h",
		"quiet until then, or until it becomes more; --for 0 wakes it", act_decide, 1},
	{"incidents cut", "N [--at T] [--dry-run]", "what comes from then on is another incident",
		act_decide, 1},
	{"incidents merge", "N M [--dry-run]", "shows both together", act_decide, 2},
	{"incidents unlink", "N FP... [--dry-run]",
		"alerts of these kinds are an incident of their own", act_decide, 2},
	{"incidents undo", "N EDIT [--dry-run]", "takes a cut, a merge or an unlink back",
		act_decide, 2},
	{"suppress list", "[--show WHICH]",
		"what is not told of: all, active, pending, expired, expiring, unmatched, oldest",
		show_suppressions, 0},
	{"suppress show", "ID", "one suppression", show_suppression, 1},
	{"suppress hits", "ID", "what it hid", show_suppression_hits, 1},
	{"suppress add", "[MATCHER...] [-q QUERY] --reason TEXT --for 2h",
		"hides what the matchers fit, as namespace=dev or pod=~web-.*", act_suppress, 0},
	{"suppress preview", "[MATCHER...] [-q QUERY]",
		"what the matchers would hide now, and would have", show_suppression_preview, 0},
	{"suppress export", "ID --format F",
		"for the sensor or an Alertmanager: falco, alertmanager", show_suppression_export,
		1},
	{"suppress expire", "ID", "ends a suppression", act_unsuppress, 1},
	{"recorrelate", "[--from T] [--dry-run]",
		"computes incidents again, after a change of the settings", act_recorrelate, 0},
	{"alerts list", "[-q QUERY] [--group FIELD]", "alerts, newest first", show_alerts, 0},
	{"alerts kinds", "[-q QUERY] [--sort count]",
		"alerts by fingerprint and workload, last seen first", show_alert_kinds, 0},
	{"alerts show", "ID", "one alert", show_alert, 1},
	{"alerts raw", "ID", "the bytes as the sender sent them", show_raw, 1},
	{"entities show", "KIND ID [--cluster C]",
		"what is known of a pod (NAMESPACE/NAME, uid), container, node, workload or image",
		show_entity, 2},
	{"tail", "[-q QUERY]", "the last alerts, then what comes in", show_tail, 0},
	{"ingest", "FILE --source S", "sends a file of alerts ('-': standard input)", act_ingest,
		1},
	{"ledger status", "", "size and root of the ledger", show_ledger, 0},
	{"ledger verify", "", "hashes everything again (reads the database)", act_verify, 0},
	{"tokens list", "", "all tokens", show_tokens, 0},
	{"sign-in", "", "a link that signs a browser in once, within ten minutes", act_sign_in, 0},
	{"tokens create",
		"NAME [--role R] [--cluster C] [--source S] [--node N] [--subject S] "
		"[--namespace N,CLUSTER/N]",
		"makes a token and shows it once", act_token_create, 1},
	{"tokens revoke", "ID", "takes a token out of force", act_token_revoke, 1},
	{"config check", "FILE", "is the file right?", config_check, 1},
	{"config show", "FILE", "what is in force with it, environment included", config_show, 1},
	{"config schema", "", "JSON Schema of the file", config_schema, 0},
	{"config sample", "", "a commented file with the defaults", config_sample, 0},
	{"reference commands", "", "docs/reference/commands.md", reference_commands, 0},
	{"reference settings", "", "docs/reference/settings.md", reference_settings, 0},
	{"reference query", "", "docs/reference/query.md", reference_query, 0},
	{"reference manual", "", "the manual page", reference_manual, 0},
	{"reference completion", "", "completion for bash", reference_completion, 0},
	{0},
};

const char usage_options[] =
	"\n"
	"  --server URL        the daemon (TOCSIN_SERVER; default http://127.0.0.1:8789)\n"
	"  --data DIR          read the database in DIR instead of asking a daemon\n"
	"  --token-file FILE   the token (else TOCSIN_TOKEN, TOCSIN_DATA, ./var, /var/lib/tocsin)\n"
	"  -o FORM             table, json, jsonl, yaml\n"
	"  -q QUERY            narrows lists: docs/query.md\n"
	"  --limit N --after NEXT --severity S --rule R --cluster C --namespace N --pod P --node "
	"N\n"
	"  --container ID --source S --since T --until T --incident N      narrow lists\n"
	"  --group FIELD       counts a list by rule, severity, namespace, pod, node, workload …\n"
	"  --verdict V --for D --until T --at T    of decisions about incidents\n"
	"  --suppressed true|false                 narrows incidents to those that are, or are "
	"not\n"
	"  --reason TEXT --for D --starts T --ends T    of suppress add\n"
	"  --from T            of recorrelate: since when\n"
	"  --dry-run           of recorrelate, cut, merge, unlink, undo: only what would be "
	"otherwise\n"
	"  --revision N        decide only if the incident still has this revision\n"
	"  --                  what follows are no options\n"
	"\n"
	"exit: 0, 1 failure, 2 findings, 64 usage, 69 no server, 77 denied\n";

static void write_usage(FILE *out)
{
	fputs("usage: tocsin COMMAND [ARGUMENTS] [OPTIONS]\n\n", out);
	for (const struct command *command = commands; command->name; command++) {
		char line[160];
		text_format(line, sizeof line, "%s %s", command->name, command->arguments);
		if (strlen(line) > 30)
			fprintf(out, "  %s\n  %-30s %s\n", line, "", command->text);
		else
			fprintf(out, "  %-30s %s\n", line, command->text);
	}
	fputs(usage_options, out);
}

/* How many words of the command's name the arguments begin with; 0: not all. */
static size_t matching_words(const struct command *command, const struct session *session)
{
	struct text rest = text_of(command->name), word;
	size_t n = 0;
	while (text_split(&rest, ' ', &word)) {
		if (n == session->n_arguments || !text_is(word, session->arguments[n]))
			return 0;
		n++;
	}
	return n;
}

static const struct command *find_command(const struct session *session, size_t *words)
{
	for (const struct command *command = commands; command->name; command++)
		if ((*words = matching_words(command, session)))
			return command;
	return NULL;
}

const char *command_argument(const struct session *session)
{
	return session->arguments[session->n_arguments - 1];
}

int print_text(struct text text, struct err *err)
{
	(void)fflush(stdout); /* the write below meets the same error */
	while (text.size) {
		ssize_t n = write(STDOUT_FILENO, text.data, text.size);
		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "writing to standard output");
		if (n > 0)
			text = text_part(text, (size_t)n, text.size);
	}
	return 0;
}

static int usage_error(const char *what)
{
	fprintf(stderr, "tocsin: %s; tocsin help shows all\n", what);
	return CLI_USAGE;
}

static size_t most_arguments(const struct command *command)
{
	struct text rest = text_of(command->arguments), word;
	size_t most = command->n_arguments;
	while (text_split(&rest, ' ', &word)) {
		if (text_find(word, TEXT("..."), 0) != SIZE_MAX)
			return CLI_ARGUMENTS_MAX;
		most += text_starts(word, TEXT("[")) && !text_starts(word, TEXT("[-"));
	}
	return most;
}

/* It may say again what somebody else's text, or a file's, said. */
static void show_error(const struct err *err)
{
	AUTO(buf_done) struct buf out;
	buf_init(&out, 16 * sizeof err->text);
	utf8_escape(&out, text_of(err->text));
	fprintf(stderr, "tocsin: %s\n", buf_string(&out));
}

/* The query again, with what is wrong marked under it. */
static void show_place(const struct session *session, const struct err *err)
{
	struct text query = TEXT_NONE;
	for (size_t i = 0; i < session->n_query; i++)
		if (text_is(session->query[i][0], "q"))
			query = session->query[i][1];
	if (!query.size || !err->place_size || err->place > query.size)
		return;
	AUTO(buf_done) struct buf out;
	buf_init(&out, 16 * 1024);
	query_mark(query, err, &out);
	(void)fputs(buf_string(&out), stderr);
}

/* Prints bytes, or a page of its own: there is no other form of it. */
static bool has_own_form(const struct command *command)
{
	static int (*const of_those[])(struct session * session, struct err * err) = {show_raw,
		config_sample, reference_commands, reference_settings, reference_query,
		reference_manual, reference_completion, show_suppression_export};
	for (size_t i = 0; i < sizeof of_those / sizeof of_those[0]; i++)
		if (command->run == of_those[i])
			return true;
	return false;
}

static int run_command(struct session *session)
{
	struct err err;
	size_t words;
	const struct command *command = find_command(session, &words);
	if (!command)
		return usage_error("no such command");
	size_t n = session->n_arguments - words;
	if (n < command->n_arguments || n > most_arguments(command))
		return usage_error(command->n_arguments ? "an argument is missing or too many"
							: "too many arguments");
	if (has_own_form(command) && session->form != OUTPUT_TABLE)
		return usage_error("this command prints something of its own and takes no -o");
	if (command->run(session, &err) == 0)
		return session->exit_code == CLI_FINDINGS ? CLI_FINDINGS : CLI_OK;
	show_error(&err);
	show_place(session, &err);
	return session->exit_code;
}

int cli_main(int argc, char **argv)
{
	struct session session;
	struct err err;
	log_set_level(LOG_LEVEL_WARNING);
	if (session_read(&session, argc, argv, &err) < 0) {
		show_error(&err);
		return CLI_USAGE;
	}
	bool help =
		session.help || (session.n_arguments && strcmp(session.arguments[0], "help") == 0);
	if (session.n_arguments && strcmp(session.arguments[0], "version") == 0) {
		puts(PACKAGE_STRING);
		return CLI_OK;
	}
	if (help || session.n_arguments == 0) {
		write_usage(help ? stdout : stderr);
		return help ? CLI_OK : CLI_USAGE;
	}
	int code = run_command(&session);
	session_done(&session);
	return code;
}
