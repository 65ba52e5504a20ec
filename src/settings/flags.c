/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/flags.h"

bool switches_set(struct switches *switches, struct text name)
{
	if (text_is(name, "check-config"))
		switches->check_only = true;
	else if (text_is(name, "help"))
		switches->help = true;
	else if (text_is(name, "version"))
		switches->version = true;
	else
		return false;
	return true;
}

int flags_next(struct flags *flags, struct err *err)
{
	struct switches any;
	if (flags->at + 1 >= flags->argc)
		return 0;
	const char *given = flags->argv[++flags->at];
	if (!text_starts(text_of(given), TEXT("--")))
		return err_set(
			err, ERR_INPUT, "'%s' is no option: see %s --help", given, flags->program);
	struct text rest = text_of(given + 2);
	flags->name = TEXT_NONE; /* "--" alone */
	text_split(&rest, '=', &flags->name);
	flags->value = rest.data;
	if (flags->value || switches_set(&any, flags->name))
		return 1;
	if (flags->at + 1 == flags->argc)
		return err_set(err, ERR_INPUT, "--%.*s needs a value", TEXT_ARG(flags->name));
	flags->value = flags->argv[++flags->at];
	return 1;
}
