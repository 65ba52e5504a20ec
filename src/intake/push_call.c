/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/admission.h"
#include "intake/push.h"

enum grpc_code push_code_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return GRPC_OK;
	case ERR_INPUT:
	case ERR_LIMIT:
		return GRPC_INVALID_ARGUMENT;
	case ERR_DENIED:
		return GRPC_PERMISSION_DENIED;
	case ERR_MISSING:
		return GRPC_FAILED_PRECONDITION;
	case ERR_MEMORY:
	case ERR_BUSY:
	case ERR_IO:
	case ERR_CORRUPT:
	case ERR_FULL:
		return GRPC_UNAVAILABLE;
	}
	return GRPC_INTERNAL;
}

/* As HTTP has it: what `sources` shows of a refusal. */
static unsigned status_of(enum grpc_code code)
{
	switch (code) {
	case GRPC_UNAUTHENTICATED:
		return 401;
	case GRPC_PERMISSION_DENIED:
		return 403;
	case GRPC_RESOURCE_EXHAUSTED:
		return 429;
	case GRPC_INVALID_ARGUMENT:
		return 400;
	case GRPC_FAILED_PRECONDITION:
		return 409;
	default:
		return 503;
	}
}

void push_call_finish(struct grpc_call *call, enum grpc_code code, struct text why)
{
	struct grpc_status status = {.code = code, .message = why};
	grpc_call_finish(call, &status);
}

void push_call_refuse(
	struct intake *intake, struct grpc_call *call, enum grpc_code code, struct text why)
{
	bool is_stranger = code == GRPC_UNAUTHENTICATED;
	struct sender_entry *sender =
		senders_get(intake->senders, grpc_call_peer(call), SOURCE_NONE, is_stranger);
	intake_count_refusal(intake, sender, SOURCE_NONE, status_of(code), false);
	push_call_finish(call, code, why);
}

/* What it came with, and what is wrong with that. */
static void write_doubt(const struct grpc_call *call, struct text token, char *out, size_t size)
{
	struct text subject = grpc_call_subject(call), doubt = grpc_call_doubt(call);
	if (doubt.size)
		text_format(out, size, "%.*s", TEXT_ARG(doubt));
	else if (token.size)
		text_format(
			out, size, "this token is not in force, or goes with a client certificate");
	else if (subject.size)
		text_format(out, size,
			"no token in force has the certificate's subject '%.*s': tocsin tokens "
			"create NAME --node NODE --subject SUBJECT",
			TEXT_ARG(text_part(subject, 0, 80)));
	else
		text_format(out, size,
			"a valid token is needed: metadata authorization \"Bearer TOKEN\", or a "
			"client certificate");
}

/* A right token is never refused because of wrong ones behind the same address. */
static void refuse_stranger(struct intake *intake, struct grpc_call *call, struct text token)
{
	char doubt[240];
	write_doubt(call, token, doubt, sizeof doubt);
	if (throttle_failed(intake->throttle, grpc_call_peer(call)))
		push_call_refuse(intake, call, GRPC_RESOURCE_EXHAUSTED,
			TEXT("this address sent too many requests without a valid token"));
	else
		push_call_refuse(intake, call, GRPC_UNAUTHENTICATED, text_of(doubt));
}

bool push_call_admit(struct intake *intake, struct grpc_call *call, uint64_t *credential_id)
{
	struct credential_set *set = admission_set(intake);
	struct text token = admission_bearer(grpc_call_metadata(call, "authorization"));
	const struct credential *credential =
		admission_of(intake, set, token, grpc_call_subject(call));
	bool is_known = credential != NULL;
	bool is_source = is_known && credential->role == ROLE_SOURCE;
	*credential_id = is_known ? credential->id : 0;
	snapshot_unref(set ? &set->snapshot : NULL);
	if (!is_known)
		refuse_stranger(intake, call, token);
	else if (!is_source)
		push_call_refuse(intake, call, GRPC_PERMISSION_DENIED,
			TEXT("alerts are sent with a token of the role source"));
	else if (intake->is_quiet)
		push_call_finish(call, GRPC_UNAVAILABLE, TEXT("the collector is ending"));
	return is_source && !intake->is_quiet;
}
