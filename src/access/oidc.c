/* SPDX-License-Identifier: Apache-2.0 */
#include "access/oidc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "access/form.h"
#include "access/id_token.h"
#include "access/oidc_provider.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/table.h"
#include "model/session.h"

enum {
	TASK_ARENA_BYTES = 4 * 1024 * 1024,
	TASKS_MAX = 64,
	ENDED_ATTEMPTS = 4096, /* remembered, twice at most */
	NAME_BYTES_MAX = 128,
	LABEL_BYTES = 128,
};

struct oidc {
	struct oidc_options options;
	struct arena arena; /* of the rules */
	struct oidc_rules rules;
	struct digest key; /* what attempts are bound to: of this process alone */
	struct cache *ended;
	struct provider *provider;
	struct queue *tasks;
	pthread_t thread;
	bool started;
	atomic_bool stops;
	char label[LABEL_BYTES];
};

struct oidc_task *oidc_task_new(enum oidc_step step)
{
	struct oidc_task *task = calloc(1, sizeof *task);
	if (!task)
		return NULL;
	task->item.weight_bytes = 1;
	task->step = step;
	arena_init(&task->arena, TASK_ARENA_BYTES);
	return task;
}

void oidc_task_free(struct oidc_task *task)
{
	if (!task)
		return;
	arena_done(&task->arena);
	free(task);
}

/* What an attempt is: its cookie says it, and all else follows from that and our key. */
struct attempt {
	struct text cookie; /* "SECRET.SECONDS.NEXT" */
	struct text next;
	int64_t began_s;
};

/* One secret of an attempt, which says nothing of the others. */
static void derive(
	const struct oidc *oidc, const char *what, struct text cookie, char out[SECRET_TEXT_BYTES])
{
	struct digest_state room, *state = digest_start(&room);
	digest_add_part(state, (struct text){(const char *)oidc->key.bytes, DIGEST_BYTES});
	digest_add_part(state, text_of(what));
	digest_add_part(state, cookie);
	struct digest digest = digest_end(state);
	base64url_write(digest.bytes, DIGEST_BYTES, out);
}

static int64_t now_s(const struct oidc *oidc)
{
	return clock_wall_ns(oidc->options.clock) / NS_PER_S;
}

static bool read_attempt(struct text cookie, struct arena *arena, struct attempt *out)
{
	struct text rest = cookie, secret = TEXT_NONE, seconds = TEXT_NONE;
	text_split(&rest, '.', &secret);
	text_split(&rest, '.', &seconds);
	out->cookie = cookie;
	return secret.size == SECRET_TEXT_BYTES - 1 && text_to_i64(seconds, &out->began_s) &&
	       rest.data && base64url_read(rest, arena, &out->next);
}

/* S256 of RFC 7636. */
static struct text challenge_of(struct text verifier, struct arena *arena)
{
	char challenge[SECRET_TEXT_BYTES];
	struct digest digest = digest_of(verifier);
	base64url_write(digest.bytes, DIGEST_BYTES, challenge);
	return arena_copy(arena, text_of(challenge));
}

static int begin(struct oidc *oidc, struct oidc_task *task)
{
	char secret[SECRET_TEXT_BYTES], next[OIDC_NEXT_BYTES_MAX * 2], state[SECRET_TEXT_BYTES],
		nonce[SECRET_TEXT_BYTES], verifier[SECRET_TEXT_BYTES];
	struct digest unused;
	struct arena *arena = &task->arena;
	bool ours = next_is_ours(task->next) && task->next.size <= OIDC_NEXT_BYTES_MAX;
	struct text where = ours ? task->next : TEXT("/");
	secret_make(secret, &unused);
	base64url_write(where.data, where.size, next);
	task->new_cookie = arena_format(arena, "%s.%lld.%s", secret, (long long)now_s(oidc), next);
	derive(oidc, "state", task->new_cookie, state);
	derive(oidc, "nonce", task->new_cookie, nonce);
	derive(oidc, "verifier", task->new_cookie, verifier);
	struct provider_authorization authorization = {
		.state = text_of(state),
		.nonce = text_of(nonce),
		.challenge = challenge_of(text_of(verifier), arena),
	};
	return provider_authorize(
		oidc->provider, &authorization, arena, &task->location, &task->err);
}

/* Is it this browser's attempt, does it still count, and for the first time? */
static int check_attempt(
	struct oidc *oidc, struct oidc_task *task, struct attempt *attempt, struct err *err)
{
	char state[SECRET_TEXT_BYTES];
	if (!read_attempt(task->cookie, &task->arena, attempt))
		return err_set(err, ERR_DENIED,
			"this browser has not begun to sign in, or more than ten minutes ago: "
			"begin again");
	derive(oidc, "state", attempt->cookie, state);
	if (!text_equal_secret(task->state, text_of(state)))
		return err_set(err, ERR_DENIED,
			"state is not that of this browser's attempt: begin again");
	if (now_s(oidc) - attempt->began_s > OIDC_LIFE_S)
		return err_set(err, ERR_DENIED,
			"this attempt began more than ten minutes ago: begin again");
	if (cache_get(oidc->ended, text_of(state)))
		return err_set(err, ERR_DENIED, "this attempt has ended already: begin again");
	if (!cache_put(oidc->ended, text_of(state)))
		return err_set(err, ERR_MEMORY, "no memory now");
	task->is_genuine = true;
	return 0;
}

/* One line that can be shown in lists. */
static bool is_name(struct text name)
{
	if (name.size == 0 || name.size > NAME_BYTES_MAX || text_trim(name).size != name.size)
		return false;
	for (size_t i = 0; i < name.size; i++)
		if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f)
			return false;
	return true;
}

static int take_person(struct oidc *oidc, struct oidc_task *task, const struct node *claims,
	const struct node *info)
{
	const struct oidc_options *options = &oidc->options;
	struct text path = text_of(options->roles_claim);
	struct text name = tree_text(oidc_claim(claims, text_of(options->name_claim)));
	const struct node *groups = oidc_claim(claims, path);
	task->subject = tree_member_text(claims, "sub");
	if (!name.size)
		name = tree_text(oidc_claim(info, text_of(options->name_claim)));
	if (!groups)
		groups = oidc_claim(info, path);
	task->name = is_name(name) ? name : task->subject;
	if (!is_name(task->name))
		return err_set(&task->err, ERR_DENIED,
			"the provider says no name that can be shown: %s is not one line of at "
			"most %d bytes",
			options->name_claim, NAME_BYTES_MAX);
	if (!oidc_rules_apply(&oidc->rules, groups, &task->arena, &task->role, &task->scope))
		return err_set(&task->err, ERR_DENIED,
			groups ? "none of your groups has a role here: an administrator sets "
				 "oidc.roles"
			       : "the provider says nothing of your groups (the claim %.60s): an "
				 "administrator sets oidc.roles_claim and oidc.scopes",
			options->roles_claim);
	return task->arena.failed ? err_set(&task->err, ERR_MEMORY, "no memory now") : 0;
}

static bool needs_info(const struct oidc *oidc, const struct node *claims)
{
	return !oidc_claim(claims, text_of(oidc->options.roles_claim)) ||
	       !oidc_claim(claims, text_of(oidc->options.name_claim));
}

static int ask_provider(struct oidc *oidc, struct oidc_task *task, const struct attempt *attempt)
{
	char nonce[SECRET_TEXT_BYTES], verifier[SECRET_TEXT_BYTES];
	const struct node *claims, *info = NULL;
	derive(oidc, "nonce", attempt->cookie, nonce);
	derive(oidc, "verifier", attempt->cookie, verifier);
	struct provider_exchange exchange = {.code = task->code,
		.verifier = text_of(verifier),
		.nonce = text_of(nonce),
		.now_s = now_s(oidc)};
	if (provider_exchange(oidc->provider, &exchange, &task->arena, &claims, &task->err) < 0)
		return -1;
	if (needs_info(oidc, claims) &&
		provider_user_info(oidc->provider, &exchange, tree_member_text(claims, "sub"),
			&task->arena, &info, &task->err) < 0)
		return -1;
	return take_person(oidc, task, claims, info);
}

static int finish(struct oidc *oidc, struct oidc_task *task)
{
	struct attempt attempt;
	if (check_attempt(oidc, task, &attempt, &task->err) < 0)
		return -1;
	task->next = next_is_ours(attempt.next) ? attempt.next : TEXT("/");
	if (task->problem.size)
		return err_set(&task->err, ERR_DENIED, "the provider says %.40s%s%.120s",
			arena_string(&task->arena, task->problem),
			task->problem_text.size ? ": " : "",
			task->problem_text.size ? arena_string(&task->arena, task->problem_text)
						: "");
	/* RFC 9207: another provider's answer is not ours. */
	if (task->issuer.size && !text_is(task->issuer, oidc->options.issuer))
		return err_set(&task->err, ERR_DENIED, "the answer is of another issuer");
	if (!task->code.size)
		return err_set(&task->err, ERR_DENIED, "the provider's answer lacks a code");
	return ask_provider(oidc, task, &attempt);
}

static void *run(void *ctx)
{
	struct oidc *oidc = ctx;
	for (;;) {
		struct queue_item *item = queue_take(oidc->tasks, 1, -1);
		if (!item && queue_closed(oidc->tasks))
			return NULL;
		if (!item)
			continue;
		struct oidc_task *task = (struct oidc_task *)(void *)item;
		task->err = (struct err){.kind = ERR_NONE};
		/* The task says what came of it. */
		ignore(task->step == OIDC_BEGIN ? begin(oidc, task) : finish(oidc, task));
		if (!queue_push(oidc->options.results, &task->item))
			oidc_task_free(task);
	}
}

static void free_tasks(struct queue *queue)
{
	struct queue_item *item = queue ? queue_take(queue, SIZE_MAX, 0) : NULL;
	while (item) {
		struct oidc_task *task = (struct oidc_task *)(void *)item;
		item = item->next;
		oidc_task_free(task);
	}
}

void oidc_stop(struct oidc *oidc)
{
	if (!oidc)
		return;
	if (oidc->started) {
		atomic_store(&oidc->stops, true); /* what still waits fails at once */
		queue_close(oidc->tasks);
		pthread_join(oidc->thread, NULL);
	}
	free_tasks(oidc->tasks);
	if (oidc->tasks)
		queue_free(oidc->tasks);
	provider_free(oidc->provider);
	cache_free(oidc->ended);
	arena_done(&oidc->arena);
	free(oidc);
}

/* "https://login.example.com/realms/x" → "login.example.com" */
static void set_label(struct oidc *oidc)
{
	struct text url = text_of(oidc->options.issuer), host = TEXT_NONE;
	size_t at = text_find(url, TEXT("://"), 0);
	struct text rest = text_part(url, at == SIZE_MAX ? 0 : at + 3, url.size);
	text_split(&rest, '/', &host);
	text_format(oidc->label, sizeof oidc->label, "%.*s", TEXT_ARG(host));
}

struct text oidc_label(const struct oidc *oidc)
{
	return text_of(oidc->label);
}

static int prepare(struct oidc *oidc, struct err *err)
{
	const struct oidc_options *options = &oidc->options;
	struct provider_options provider = {
		.issuer = options->issuer,
		.client_id = options->client_id,
		.client_secret_file = options->client_secret_file,
		.redirect_url = options->redirect_url,
		.scopes = options->scopes,
		.ca_file = options->ca_file,
		.clock = options->clock,
		.stops = &oidc->stops,
	};
	arena_init(&oidc->arena, TASK_ARENA_BYTES);
	digest_random(oidc->key.bytes, DIGEST_BYTES);
	set_label(oidc);
	oidc->tasks = queue_new(TASKS_MAX);
	oidc->ended = cache_new(ENDED_ATTEMPTS, NULL);
	oidc->provider = provider_new(&provider);
	if (!oidc->tasks || !oidc->ended || !oidc->provider)
		return err_set(err, ERR_MEMORY, "out of memory for oidc");
	return oidc_rules_parse(text_of(options->roles), &oidc->arena, &oidc->rules, err);
}

int oidc_start(struct oidc **out, const struct oidc_options *options, struct err *err)
{
	struct oidc *oidc = calloc(1, sizeof *oidc);
	if (!oidc)
		return err_set(err, ERR_MEMORY, "out of memory for oidc");
	oidc->options = *options;
	if (prepare(oidc, err) < 0) {
		oidc_stop(oidc);
		return -1;
	}
	int code = pthread_create(&oidc->thread, NULL, run, oidc);
	if (code) {
		oidc_stop(oidc);
		return err_errno(err, code, "starting the oidc thread");
	}
	oidc->started = true;
	pthread_setname_np(oidc->thread, "oidc");
	*out = oidc;
	return 0;
}

bool oidc_give(struct oidc *oidc, struct oidc_task *task)
{
	return queue_push(oidc->tasks, &task->item);
}
