/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/recorrelation.h"

#include <stdlib.h>

#include "pipeline/piece_changes.h"
#include "pipeline/repartition.h"
#include "store/pieces.h"

struct recorrelation {
	struct connection connection;
	struct known known;
};

int recorrelation_open(struct recorrelation **out, const char *database,
	const struct criticality_rules *criticality, struct err *err)
{
	struct recorrelation *recorrelation = calloc(1, sizeof *recorrelation);
	if (!recorrelation)
		return err_set(err, ERR_MEMORY, "out of memory computing incidents again");
	recorrelation->known =
		(struct known){identities_new(), edits_new(), scoring_new(criticality)};
	const struct known *known = &recorrelation->known;
	int failed = known->identities && known->edits && known->scoring
			     ? connection_open(&recorrelation->connection, database,
				       CONNECTION_SHADOW, NULL, err)
			     : err_set(err, ERR_MEMORY, "out of memory computing incidents again");
	if (failed || shadow_make(&recorrelation->connection, SHADOW_OF_KEY, err) < 0) {
		recorrelation_close(recorrelation);
		return -1;
	}
	*out = recorrelation;
	return 0;
}

void recorrelation_close(struct recorrelation *recorrelation)
{
	if (!recorrelation)
		return;
	if (recorrelation->connection.db)
		connection_close(&recorrelation->connection);
	identities_free(recorrelation->known.identities);
	edits_free(recorrelation->known.edits);
	scoring_free(recorrelation->known.scoring);
	free(recorrelation);
}

struct connection *recorrelation_connection(struct recorrelation *recorrelation)
{
	return &recorrelation->connection;
}

void recorrelation_refresh(struct recorrelation *recorrelation)
{
	identities_forget(recorrelation->known.identities);
	edits_forget(recorrelation->known.edits);
}

/* Within the shadow's transaction. */
static int compute(struct recorrelation *recorrelation, const struct shadow_key *key,
	struct arena *arena, struct incident_change_list *changes, struct err *err)
{
	struct connection *connection = &recorrelation->connection;
	struct piece_list before = {0}, after = {0};
	struct key_task task = {.key = key->text,
		.carved = key->carved,
		.from_slot = INT64_MIN,
		.to_slot = INT64_MAX,
		.state = key_state_new()};
	int failed = task.state ? 0 : err_set(err, ERR_MEMORY, "out of memory for an incident");
	if (!failed)
		failed = pieces_read(connection, key->id, INT64_MIN, arena, &before, err);
	if (!failed)
		failed = repartition(&recorrelation->known, connection, &task, err);
	if (!failed)
		failed = pieces_read(connection, key->id, INT64_MIN, arena, &after, err);
	if (!failed && !piece_changes(&before, &after, arena, changes))
		failed = err_set(err, ERR_MEMORY, "out of memory comparing incidents");
	piece_list_done(&before);
	piece_list_done(&after);
	key_state_free(task.state);
	return failed;
}

int recorrelation_compute(struct recorrelation *recorrelation, const struct shadow_key *key,
	struct arena *arena, struct incident_change_list *changes, struct err *err)
{
	*changes = (struct incident_change_list){NULL, 0};
	int failed = shadow_begin(&recorrelation->connection, key->id, err);
	if (!failed)
		failed = compute(recorrelation, key, arena, changes, err);
	struct err end;
	if (shadow_end(&recorrelation->connection, &end) < 0 && !failed) {
		*err = end;
		failed = -1;
	}
	return failed;
}
