/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The one table of commands: what is run, and what help, manual and completion say. */

#include "cli/session.h"

struct command {
	const char *name; /* "incidents show" */
	/* "N", "FILE --source S", "". "[WHO]" may be left out; of "FP..." there may be more. */
	const char *arguments;
	const char *text;                                     /* one line */
	int (*run)(struct session *session, struct err *err); /* 0, or -1 with session->exit_code */
	size_t n_arguments; /* behind the name's words, at least */
};

/** Ended by a NULL name. */
extern const struct command commands[];

/** The whole program. Returns its exit code. */
int cli_main(int argc, char **argv);

/* show.c */
CHECKED int show_status(struct session *session, struct err *err);
CHECKED int show_sources(struct session *session, struct err *err);
CHECKED int show_coverage(struct session *session, struct err *err);
CHECKED int show_incidents(struct session *session, struct err *err);
CHECKED int show_incident(struct session *session, struct err *err);
CHECKED int show_alerts(struct session *session, struct err *err);
CHECKED int show_alert_kinds(struct session *session, struct err *err);
CHECKED int show_alert(struct session *session, struct err *err);
CHECKED int show_entity(struct session *session, struct err *err);
CHECKED int show_raw(struct session *session, struct err *err);
CHECKED int show_tokens(struct session *session, struct err *err);
CHECKED int show_ledger(struct session *session, struct err *err);

/* tail.c */
CHECKED int show_tail(struct session *session, struct err *err);

/* act.c */
CHECKED int act_ingest(struct session *session, struct err *err);
CHECKED int act_verify(struct session *session, struct err *err);
CHECKED int act_token_create(struct session *session, struct err *err);
CHECKED int act_token_revoke(struct session *session, struct err *err);
CHECKED int act_sign_in(struct session *session, struct err *err);

/* decide.c */
CHECKED int act_decide(struct session *session, struct err *err); /* all of them */
CHECKED int show_activity(struct session *session, struct err *err);

/* suppress.c */
CHECKED int show_suppressions(struct session *session, struct err *err);
CHECKED int show_suppression(struct session *session, struct err *err);
CHECKED int show_suppression_hits(struct session *session, struct err *err);
CHECKED int act_suppress(struct session *session, struct err *err);
CHECKED int act_unsuppress(struct session *session, struct err *err);
CHECKED int show_suppression_preview(struct session *session, struct err *err);
CHECKED int show_suppression_export(struct session *session, struct err *err);

/* recorrelate.c */
struct node;
/** The changes of a report, one a line, and how many they are. */
void changes_write(const struct node *report, struct buf *out);
CHECKED int act_recorrelate(struct session *session, struct err *err);

/* config.c */
CHECKED int config_check(struct session *session, struct err *err);
CHECKED int config_show(struct session *session, struct err *err);
CHECKED int config_schema(struct session *session, struct err *err);
CHECKED int config_sample(struct session *session, struct err *err);

/* reference.c: pages made from the tables */
CHECKED int reference_commands(struct session *session, struct err *err);
CHECKED int reference_query(struct session *session, struct err *err);
CHECKED int reference_settings(struct session *session, struct err *err);
CHECKED int reference_manual(struct session *session, struct err *err);
CHECKED int reference_completion(struct session *session, struct err *err);

/** What follows the commands in the usage. */
extern const char usage_options[];

/** The last argument of the command line, behind the command's own words. */
const char *command_argument(const struct session *session);

/** Writes all of @text to standard output. */
CHECKED int print_text(struct text text, struct err *err);
