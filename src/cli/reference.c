/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cleanup.h"
#include "cli/commands.h"
#include "model/query.h"
#include "settings/settings.h"

enum { PAGE_BYTES = 256 * 1024 };

static int print_page(const struct buf *page, struct err *err)
{
	return buf_ok(page) ? print_text(buf_text(page), err)
			    : err_set(err, ERR_LIMIT, "the page is too long");
}

int reference_commands(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	buf_add_string(&out, "# tocsin\n\n| command | what |\n|---|---|\n");
	for (const struct command *command = commands; command->name; command++)
		buf_addf(&out, "| `tocsin %s%s%s` | %s |\n", command->name,
			command->arguments[0] ? " " : "", command->arguments, command->text);
	buf_addf(&out, "\n```%s```\n", usage_options);
	return print_page(&out, err);
}

int reference_settings(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	settings_write_reference(&out);
	return print_page(&out, err);
}

static void add_words_of(struct buf *out, enum query_kind kind)
{
	struct query_word word = {0};
	for (size_t i = 0; query_word_at(kind, i, &word); i++)
		buf_addf(out, "%s`%s`", i ? ", " : ": ", word.name);
}

static void add_field(struct buf *out, const struct query_field *field)
{
	buf_addf(out, "| `%s`", field->name);
	for (size_t i = 0; i < 3 && field->aliases[i]; i++)
		buf_addf(out, " `%s`", field->aliases[i]);
	buf_addf(out, " | %s%s%s | ", field->of & QUERY_OF_INCIDENTS ? "i" : "",
		field->of & QUERY_OF_ALERTS ? "a" : "",
		field->of & QUERY_OF_FINGERPRINTS ? "f" : "");
	for (unsigned i = 0; i < N_QUERY_OPERATORS; i++)
		if (query_operator_fits((enum query_operator)i, field->kind))
			buf_addf(out, "`%s` ", query_operator_name((enum query_operator)i));
	buf_addf(out, "| %s", field->text);
	add_words_of(out, field->kind);
	buf_add_string(out, " |\n");
}

int reference_query(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	buf_add_string(&out,
		"# Fields of queries\n\nWhat has it: **i**ncidents, **a**lerts,"
		" **f**ingerprints. The language is in docs/query.md.\n\n"
		"| field, other names | of | compared by | what |\n|---|---|---|---|\n");
	for (const struct query_field *field = query_fields; field->name; field++)
		add_field(&out, field);
	return print_page(&out, err);
}

/* A dash in roff is a hyphen unless it is escaped. */
static void add_roff(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			buf_add_byte(out, '\\');
		buf_add_byte(out, (unsigned char)*text);
	}
}

int reference_manual(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	buf_add_string(&out,
		".TH TOCSIN 1\n.SH NAME\ntocsin \\- triage of runtime security alerts\n"
		".SH SYNOPSIS\n.B tocsin\nCOMMAND [ARGUMENTS] [OPTIONS]\n.SH COMMANDS\n");
	for (const struct command *command = commands; command->name; command++) {
		buf_add_string(&out, ".TP\n.B ");
		add_roff(&out, command->name);
		buf_add_byte(&out, ' ');
		add_roff(&out, command->arguments);
		buf_add_byte(&out, '\n');
		add_roff(&out, command->text);
		buf_add_byte(&out, '\n');
	}
	buf_add_string(&out, ".SH OPTIONS\n.nf\n");
	add_roff(&out, usage_options);
	buf_add_string(&out, ".fi\n");
	return print_page(&out, err);
}

/* The second words that follow @first, or the first words when it is absent. */
static void add_words(struct buf *out, struct text first)
{
	struct text previous = TEXT_NONE;
	for (const struct command *command = commands; command->name; command++) {
		struct text rest = text_of(command->name), word;
		text_split(&rest, ' ', &word);
		struct text shown = first.data ? rest : word;
		if (first.data && !text_equal(word, first))
			continue;
		if (shown.size && !text_equal(shown, previous))
			buf_addf(out, "%s%.*s", out->size && previous.data ? " " : "",
				TEXT_ARG(shown));
		previous = shown;
	}
}

int reference_completion(struct session *session, struct err *err)
{
	AUTO(buf_done) struct buf out;
	struct text previous = TEXT_NONE;
	(void)session;
	buf_init(&out, PAGE_BYTES);
	buf_add_string(&out,
		"# SPDX-License-Identifier: Apache-2.0\n# made by tocsin reference completion\n"
		"_tocsin() {\n\tlocal words\n\tcase ${COMP_WORDS[1]-} in\n");
	for (const struct command *command = commands; command->name; command++) {
		struct text rest = text_of(command->name), word;
		text_split(&rest, ' ', &word);
		if (!rest.data || text_equal(word, previous))
			continue;
		buf_addf(&out, "\t%.*s) words='", TEXT_ARG(word));
		add_words(&out, word);
		buf_add_string(&out, "' ;;\n");
		previous = word;
	}
	buf_add_string(&out, "\t*) words='' ;;\n\tesac\n\t[ \"$COMP_CWORD\" != 1 ] || words='");
	add_words(&out, TEXT_NONE);
	buf_add_string(&out,
		" help version'\n"
		"\tCOMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
		"complete -o default -F _tocsin tocsin\n");
	return print_page(&out, err);
}
